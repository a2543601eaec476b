package method

import (
	"math/bits"
	"slices"
	"sync"

	"syncretic/arithmetic/vec"
)

// rankedDrop keeps an element with a probability that grows with its magnitude's rank in its row: from density − epsilon for the
// smallest to density + epsilon for the largest. DELLA, arXiv 2406.11617, section 3.1.
//
// A row is a slice along the second dimension, as in mergekit: ranks of a matrix run along its rows, those of a tensor
// [out][in][kernel] along in, a vector is one row. Unlike mergekit, which divides 0 by 0 there, the one element of a row of
// length 1 is kept with probability density.
func rankedDrop(t *Task, models []Input) ([]mask, error) {
	masks := make([]mask, len(models))
	for i, in := range models {
		density, epsilon := in.Params["density"], in.Params["epsilon"]
		switch {
		case density >= 1 || t.Elements() == 0:
			continue
		case density <= 0:
			masks[i] = keepNone{}
			continue
		case density+epsilon >= 1 || density-epsilon <= 0:
			return nil, invalid("%s: density %v and epsilon %v, want density ± epsilon inside (0, 1)", in.Model, density, epsilon)
		}
		r := newRanked(t, &models[i], t.key(i), density, epsilon)
		if t.Params["rescale"] == rescaleProbability {
			masks[i] = r // ranks are needed once, where the block is
			continue
		}
		kept, err := r.bits()
		if err != nil {
			return nil, err
		}
		masks[i] = kept
	}
	return masks, nil
}

// ranked computes keep decisions and probabilities in runs of whole planes: a plane is what one index of the first dimension
// owns, all of a vector. It is a mask itself, which divides what stays by its probability to stay.
type ranked struct {
	task          *Task
	in            *Input
	key           uint64
	least, spread float64 // probability of the smallest, and what the largest has more

	plane, length, stride int // elements of a plane; of a row; between neighbours in a row
	size                  int // elements of a run

	mu   sync.Mutex
	runs []run // the last ones, newest first
}

type run struct {
	index   int
	factors []float32
}

func newRanked(t *Task, in *Input, key uint64, density, epsilon float64) *ranked {
	n := t.Elements()
	r := &ranked{task: t, in: in, key: key, least: density - epsilon, spread: 2 * epsilon, plane: n, length: n, stride: 1}
	if len(t.Shape) >= 2 {
		r.plane, r.length = n/t.Shape[0], t.Shape[1]
		r.stride = r.plane / r.length
	}
	// Runs are a multiple of 64 elements, so that no two workers touch one word of a mask.
	r.size = r.plane * (64 >> min(6, bits.TrailingZeros(uint(r.plane))))
	r.size *= max(1, chunkElements/r.size)
	return r
}

// each calls f with the probability of every element of a run that stays. Indices count from lo.
func (r *ranked) each(lo, hi int, f func(at int, probability float64)) error {
	d, err := delta(r.task, r.in, lo, hi-lo)
	if err != nil {
		return err
	}
	draws := make([]uint32, len(d))
	vec.Random(r.key, lo, draws)
	s := sorter{row: make([]uint64, r.length), next: make([]uint64, r.length)}
	for p := 0; p < len(d); p += r.plane {
		for start := p; start < p+r.stride; start++ {
			for rank, key := range s.sort(d[start:p+r.plane], r.stride) {
				share := 0.5
				if r.length > 1 {
					share = float64(rank) / float64(r.length-1)
				}
				at := start + int(uint32(key))*r.stride
				if p := r.least + r.spread*share; float64(draws[at])*0x1p-32 < p {
					f(at, p)
				}
			}
		}
	}
	return nil
}

// bits decides for all elements at once.
func (r *ranked) bits() (bitmask, error) {
	n := r.task.Elements()
	kept := make(bitmask, (n+63)/64)
	err := overChunks(n, r.size, r.task.Interrupt, func(c chunk, _ *work) error {
		return r.each(c.lo, c.hi, func(at int, _ float64) { kept[(c.lo+at)>>6] |= 1 << ((c.lo + at) & 63) })
	})
	return kept, err
}

// bitmask has one bit an element: 1 stays.
type bitmask []uint64

func (m bitmask) apply(offset int, d []float32) error {
	vec.KeepBits(d, m, offset)
	return nil
}

func (r *ranked) apply(offset int, d []float32) error {
	for len(d) > 0 {
		factors, err := r.run(offset / r.size)
		if err != nil {
			return err
		}
		factors = factors[offset%r.size:]
		n := min(len(d), len(factors))
		for i, f := range factors[:n] {
			d[i] *= f
		}
		d, offset = d[n:], offset+n
	}
	return nil
}

// run returns a run's factors, 1/probability or 0. The last few are kept, since a run is read block by block.
func (r *ranked) run(index int) ([]float32, error) {
	const most = 8
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.runs, func(x run) bool { return x.index == index }); i >= 0 {
		return r.runs[i].factors, nil
	}
	lo := index * r.size
	hi := min(lo+r.size, r.task.Elements())
	factors := make([]float32, hi-lo)
	if err := r.each(lo, hi, func(at int, p float64) { factors[at] = float32(1 / p) }); err != nil {
		return nil, err
	}
	r.runs = append([]run{{index, factors}}, r.runs[:min(len(r.runs), most-1)]...)
	return factors, nil
}

// sorter orders rows by magnitude.
type sorter struct{ row, next []uint64 }

// sort lists a row from the smallest magnitude to the largest, of equal ones the first first: magnitude bits above, index
// below. It is a radix sort of 11 bits a pass, the lowest first, which leaves out digits that all elements share.
func (s *sorter) sort(d []float32, stride int) []uint64 {
	row, next := s.row, s.next
	all, some := ^uint32(0), uint32(0)
	for i := range row {
		m := vec.Magnitude(d[i*stride])
		row[i] = uint64(m)<<32 | uint64(uint32(i))
		all, some = all&m, some|m
	}
	const digit = 11
	var counts [1 << digit]int32
	for shift := 0; shift < 32; shift += digit {
		if (some&^all)>>shift&(1<<digit-1) == 0 {
			continue
		}
		clear(counts[:])
		for _, x := range row {
			counts[x>>(32+shift)&(1<<digit-1)]++
		}
		at := int32(0)
		for i, n := range counts {
			counts[i] = at
			at += n
		}
		for _, x := range row {
			c := &counts[x>>(32+shift)&(1<<digit-1)]
			next[*c] = x
			*c++
		}
		row, next = next, row
	}
	return row
}
