package method

import (
	"sync"

	"syncretic/arithmetic/vec"
)

// bitmask has one bit an element: 1 stays.
type bitmask []uint64

func (m bitmask) set(at int) { m[at>>6] |= 1 << (at & 63) }

// put copies bits to those from at on, which are 0.
func (m bitmask) put(at int, bits []uint64) {
	word, shift := at>>6, at&63
	for _, x := range bits {
		m[word] |= x << shift
		word++
		if over := x >> (64 - shift); over != 0 {
			m[word] |= over
		}
	}
}

func (m bitmask) apply(offset int, d []float32) error {
	vec.KeepBits(d, m, offset)
	return nil
}

// decided is a bitmask with the L1 norms of its task vector, before and after.
type decided struct {
	bitmask
	before, after float64
}

// decider decides which elements of a range of a task vector stay: it sets their bits.
type decider interface {
	decide(s *scratch, offset int, d []float32, kept bitmask)
}

// pieces are how a pass goes over elements: workers take size of them at a time, and look at group, which divides size, at once. Both are
// part of the result, like [chunkElements], and multiples of 64, so that no two workers touch one word of a bitmask.
type pieces struct{ size, group int }

var blocks = pieces{chunkElements, blockElements}

// withBits replaces the masks of models that have a decider by what it decides, in one pass.
func withBits(t *Task, models []Input, masks []mask, deciders []decider, p pieces) ([]mask, error) {
	n := t.Elements()
	kept, open := make([]*decided, len(models)), make([]mask, len(models))
	for i := range models {
		if deciders[i] != nil {
			kept[i] = &decided{bitmask: make(bitmask, (n+63)/64)}
			masks[i], open[i] = kept[i], kept[i]
		}
	}
	before, after, err := normPass(t, models, open, p, func(i int, s *scratch, offset int, d []float32) error {
		deciders[i].decide(s, offset, d, kept[i].bitmask)
		return kept[i].apply(offset, d)
	})
	for i, m := range kept {
		if m != nil {
			m.before, m.after = before[i], after[i]
		}
	}
	return masks, err
}

// normPass sums up the L1 norms of the task vectors of models that have a mask, before it and after.
func normPass(t *Task, models []Input, masks []mask, p pieces, apply func(model int, s *scratch, offset int, d []float32) error) (before, after []float64, err error) {
	n := t.Elements()
	before, after = make([]float64, len(models)), make([]float64, len(models))
	parts := make([][2]float64, (n+p.size-1)/p.size*len(models))
	err = overChunks(n, p.size, t.Interrupt, func(c chunk, _ *work) error {
		s := scratches.Get().(*scratch)
		defer scratches.Put(s)
		part := parts[c.index*len(models):]
		for lo := c.lo; lo < c.hi; lo += p.group {
			base, d := s.blocks(min(p.group, c.hi-lo))
			if err := t.base().read(lo, base); err != nil {
				return err
			}
			for i, m := range masks {
				if m == nil {
					continue
				}
				if err := models[i].delta(lo, d, base); err != nil {
					return err
				}
				part[i][0] += vec.SumAbs(d)
				if err := apply(i, s, lo, d); err != nil {
					return err
				}
				part[i][1] += vec.SumAbs(d)
			}
		}
		return nil
	})
	for i, part := range parts {
		before[i%len(models)] += part[0]
		after[i%len(models)] += part[1]
	}
	return before, after, err
}

// scratch is what one worker of a bitPass needs; it is kept for the next.
type scratch struct {
	base, delta []float32
	draws       []uint32
	sorter
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// blocks lends two blocks of n elements and as many draws.
func (s *scratch) blocks(n int) (base, delta []float32) {
	if len(s.base) < n {
		s.base, s.delta, s.draws = make([]float32, n), make([]float32, n), make([]uint32, n)
	}
	return s.base[:n], s.delta[:n]
}

// drawn lends the draws of a key for elements offset and on.
func (s *scratch) drawn(key uint64, offset, n int) []uint32 {
	vec.Random(key, offset, s.draws[:n])
	return s.draws[:n]
}
