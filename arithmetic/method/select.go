package method

import (
	"math"

	"syncretic/arithmetic/vec"
)

// rank asks for the cut above which k elements lie.
type rank struct {
	model int  // whose values: what values is asked for
	k     int  // from 1 to n
	last  bool // see cut
}

// values computes what cuts separate, block by block: for a range of at most blockElements elements it returns a function that
// gives the numbers of one model there, valid until the next call. What models share is read once a range.
type values func(offset, n int, w *work) (func(model int) ([]float32, error), error)

// deltas are the task vectors of models.
func deltas(t *Task, models []Input) values {
	return func(offset, n int, w *work) (func(int) ([]float32, error), error) {
		base, d := w.block(n), w.block(n)
		if err := t.base().read(offset, base); err != nil {
			return nil, err
		}
		return func(model int) ([]float32, error) {
			return d, models[model].delta(offset, d, base)
		}, nil
	}
}

// sampleElements is how many magnitudes are looked at to guess where a cut lies.
const sampleElements = 1 << 14

// insideMax is the most magnitudes between the bounds of all guesses that are kept in memory; beyond it the bounds are
// narrowed by another pass.
const insideMax = 1 << 23

// cuts finds the cut of each rank among the task vectors θ_model − θ_0.
func cuts(t *Task, models []Input, ranks []rank) ([]cut, error) {
	return cutsOf(t, deltas(t, models), ranks)
}

// cutsOf finds the cut of each rank: exactly k of the model's values lie above it. A guess from a sample bounds the cut's
// value; a pass over the inputs counts what is above and keeps the few magnitudes between the bounds, among which the value is
// then selected. A guess that was wrong, or caught too much, costs one pass more for each 12 bits of magnitude.
func cutsOf(t *Task, of values, ranks []rank) ([]cut, error) {
	found := make([]cut, len(ranks))
	open, err := guess(t, of, ranks)
	if err != nil {
		return nil, err
	}
	for len(open) > 0 {
		parts, err := countPass(t, of, open)
		if err != nil {
			return nil, err
		}
		var again []*bracket
		for i, b := range open {
			if done, err := b.settle(t, of, parts, i, &found[b.at]); err != nil {
				return nil, err
			} else if !done {
				again = append(again, b)
			}
		}
		open = again
	}
	return found, nil
}

// bracket is a cut being sought: its value lies in [lo, hi), if the guess is right.
type bracket struct {
	rank
	at     int // among the ranks asked for
	lo, hi uint32
	expect int // magnitudes inside that a chunk will have
	share  int // magnitudes that may be kept a chunk
}

// seen is what a pass saw of one bracket in one chunk.
type seen struct {
	above  int
	inside []uint32 // in the order of the elements; nil where there were too many
	many   bool
	counts []int32 // then: how many in each of 4096 equal parts of [lo, hi)
	n      int     // how many inside
}

const allMagnitudes = 0x80000000

// guess reads a sample of each model's values and brackets each rank with room for the sample's error.
func guess(t *Task, of values, ranks []rank) ([]*bracket, error) {
	n := t.Elements()
	samples := make(map[int][]uint32)
	open := make([]*bracket, len(ranks))
	for i, r := range ranks {
		b := &bracket{rank: r, at: i, hi: allMagnitudes}
		open[i] = b
		if n <= 4*sampleElements { // as cheap to look at all
			continue
		}
		if samples[r.model] == nil {
			var err error
			if samples[r.model], err = sample(n, of, r.model); err != nil {
				return nil, err
			}
		}
		s := samples[r.model]
		// The k-th largest of n is about the s-th largest of the sample, give or take five standard deviations.
		p := float64(r.k) / float64(n)
		at, room := p*float64(len(s)), 5*math.Sqrt(p*(1-p)*float64(len(s)))+2
		b.expect = int(2*room/float64(len(s))*chunkElements) + 1
		if low := int(at + room); low < len(s) {
			b.lo, _, _ = kthLargest([][]uint32{s}, 0, allMagnitudes, low+1)
		}
		if high := int(at - room); high >= 0 {
			most, _, _ := kthLargest([][]uint32{s}, 0, allMagnitudes, high+1)
			b.hi = most + 1
		}
	}
	return open, nil
}

// sample is a sample of magnitudes: short runs at even distances.
func sample(n int, of values, model int) ([]uint32, error) {
	const run, runs = 64, sampleElements / 64
	w := borrow()
	defer w.giveBack()
	s := make([]uint32, 0, run*runs)
	for i := range runs {
		x, err := of.at(int(float64(n-run)*(float64(i)+0.5)/float64(runs)), run, model, w)
		if err != nil {
			return nil, err
		}
		for _, x := range x {
			s = append(s, vec.Magnitude(x))
		}
	}
	return s, nil
}

// at is one model's values in a range of at most blockElements elements. It resets w.
func (of values) at(offset, n, model int, w *work) ([]float32, error) {
	w.reset()
	get, err := of(offset, n, w)
	if err != nil {
		return nil, err
	}
	return get(model)
}

// countPass looks once at all values that an open bracket needs.
func countPass(t *Task, of values, open []*bracket) ([][]seen, error) {
	chunks := (t.Elements() + chunkElements - 1) / chunkElements
	for _, b := range open {
		b.share = max(64, insideMax/chunks/len(open))
	}
	return scan(t, func(part *[]seen, offset, n int, w *work) error {
		if *part == nil {
			*part = make([]seen, len(open))
		}
		get, err := of(offset, n, w)
		if err != nil {
			return err
		}
		var x []float32
		for i, b := range open {
			if i == 0 || b.model != open[i-1].model {
				if x, err = get(b.model); err != nil {
					return err
				}
			}
			(*part)[i].add(b, x)
		}
		return nil
	})
}

// parts is how many equal parts a bracket is counted in that caught too many magnitudes.
const parts = 1 << 12

// width is the width of one part.
func (b *bracket) width() uint32 { return max(1, (b.hi-b.lo+parts-1)/parts) }

func (s *seen) add(b *bracket, d []float32) {
	if !s.many {
		if s.inside == nil {
			s.inside = make([]uint32, 0, min(b.expect+b.expect/8, b.share))
		}
		var above int
		above, s.inside = vec.Between(d, b.lo, b.hi, s.inside)
		s.above += above
		s.n = len(s.inside)
		if s.n <= b.share {
			return
		}
		s.many, s.counts = true, make([]int32, parts)
		for _, m := range s.inside {
			s.counts[(m-b.lo)/b.width()]++
		}
		s.inside = nil
		return
	}
	width := b.width()
	for _, x := range d {
		switch m := vec.Magnitude(x); {
		case m >= b.hi:
			s.above++
		case m >= b.lo:
			s.counts[(m-b.lo)/width]++
			s.n++
		}
	}
}

// settle finishes a bracket from what the pass saw, or narrows it for the next.
func (b *bracket) settle(t *Task, of values, chunks [][]seen, at int, out *cut) (done bool, err error) {
	above, inside, many := 0, 0, false
	for _, c := range chunks {
		above += c[at].above
		inside += c[at].n
		many = many || c[at].many
	}
	if b.k <= above || b.k > above+inside { // the sample misled
		b.lo, b.hi = 0, allMagnitudes
		return false, nil
	}
	need := b.k - above // the need-th largest inside is the cut's value
	if many {
		counts := make([]int, parts)
		for _, c := range chunks {
			for i, n := range c[at].counts {
				counts[i] += int(n)
			}
			for _, m := range c[at].inside {
				counts[(m-b.lo)/b.width()]++
			}
		}
		i := parts - 1
		for ; counts[i] < need; i-- {
			need -= counts[i]
		}
		if width := b.width(); width > 1 {
			b.lo += uint32(i) * width
			b.hi = min(b.hi, b.lo+width)
			return false, nil
		}
		*out = cut{bits: b.lo + uint32(i), last: b.last}
		return true, b.locate(t, of, chunks, at, counts[i], need, out)
	}
	all := make([][]uint32, len(chunks))
	for i, c := range chunks {
		all[i] = c[at].inside
	}
	value, equal, rest := kthLargest(all, b.lo, b.hi, need)
	*out = cut{bits: value, last: b.last}
	return true, b.locate(t, of, chunks, at, equal, rest, out)
}

// locate finds the index that separates those of the equal elements that lie above the cut from the others.
func (b *bracket) locate(t *Task, of values, chunks [][]seen, at, equal, above int, out *cut) error {
	ordinal := above // of the equal element behind which the index lies
	if b.last {
		ordinal = equal - above
	}
	if ordinal == 0 {
		return nil
	}
	for i, c := range chunks {
		n := 0
		if c[at].counts != nil {
			n = int(c[at].counts[(out.bits-b.lo)/b.width()])
		}
		for _, m := range c[at].inside {
			if m == out.bits {
				n++
			}
		}
		if n < ordinal {
			ordinal -= n
			continue
		}
		w := borrow()
		defer w.giveBack()
		for lo, end := i*chunkElements, min((i+1)*chunkElements, t.Elements()); lo < end; lo += blockElements {
			x, err := of.at(lo, min(blockElements, end-lo), b.model, w)
			if err != nil {
				return err
			}
			for j, x := range x {
				if vec.Magnitude(x) == out.bits {
					if ordinal--; ordinal == 0 {
						out.tie = lo + j + 1
						return nil
					}
				}
			}
		}
		break
	}
	return invalid("an input changed while it was read")
}

// delta reads a range of a task vector.
func delta(t *Task, in *Input, lo, n int) ([]float32, error) {
	x, y := make([]float32, n), make([]float32, n)
	if err := t.base().read(lo, y); err != nil {
		return nil, err
	}
	return x, in.delta(lo, x, y)
}
