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
	masks, deciders := make([]mask, len(models)), make([]decider, len(models))
	var some *ranked
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
		some = newRanked(t, &models[i], t.key(i), density, epsilon)
		some.divide = t.Params["rescale"] == rescaleProbability
		masks[i], deciders[i] = some, some
	}
	if some == nil || some.divide || !t.roomForBits(len(models)) { // decided where a block is read
		return masks, nil
	}
	return withBits(t, models, masks, deciders, some.pieces)
}

// ranked decides in runs of whole planes: a plane is what one index of the first dimension owns, all of a vector. It is a mask
// itself, which may divide what stays by its probability to stay.
type ranked struct {
	task   *Task
	in     *Input
	key    uint64
	least  uint64 // 2⁶³ times the probability of the smallest
	step   uint64 // 2⁶³ times what each rank adds
	divide bool

	plane, length, stride int // elements of a plane; of a row; between neighbours in a row
	pieces                    // a run, and a part of it that is decided at a time

	mu   sync.Mutex
	runs []run // the last ones, newest first
}

type run struct {
	index   int
	factors []float32
}

func newRanked(t *Task, in *Input, key uint64, density, epsilon float64) *ranked {
	n := t.Elements()
	r := &ranked{task: t, in: in, key: key, plane: n, length: n, stride: 1}
	if len(t.Shape) >= 2 {
		r.plane, r.length = n/t.Shape[0], t.Shape[1]
		r.stride = r.plane / r.length
	}
	r.least, r.step = uint64(density*0x1p63), 0
	if r.length > 1 {
		r.least, r.step = uint64((density-epsilon)*0x1p63), uint64(2*epsilon/float64(r.length-1)*0x1p63)
	}
	least := r.plane * (64 >> min(6, bits.TrailingZeros(uint(r.plane)))) // whole planes, and a multiple of 64
	r.group = least * max(1, blockElements/least)
	r.size = r.group * max(1, chunkElements/r.group)
	return r
}

// probability is 2⁶³ times that of an element to stay, by its rank in its row.
func (r *ranked) probability(rank int) uint64 { return r.least + uint64(rank)*r.step }

// stays tells whether an element with this draw and rank stays.
func (r *ranked) stays(draw uint32, rank int) bool { return uint64(draw)<<31 < r.probability(rank) }

// decide needs few ranks exactly: see [ranked.decideRow].
func (r *ranked) decide(s *scratch, offset int, d []float32, kept bitmask) {
	draws := s.drawn(r.key, offset, len(d))
	for p := 0; p < len(d); p += r.plane {
		row, its := d[p:p+r.plane], draws[p:p+r.plane]
		if r.stride == 1 && r.decideRow(&s.sorter, row, its, kept, offset+p) {
			continue
		}
		r.sorted(&s.sorter, row, func(i, rank int) {
			if r.stays(its[i], rank) {
				kept.set(offset + p + i)
			}
		})
	}
}

// sorted calls f with every element of a plane and its rank.
func (r *ranked) sorted(s *sorter, d []float32, f func(i, rank int)) {
	for start := range r.stride {
		for rank, key := range s.sort(d[start:], r.length, r.stride) {
			f(start+int(uint32(key))*r.stride, rank)
		}
	}
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
			if d[i] *= f; f == 0 {
				d[i] = 0
			}
		}
		d, offset = d[n:], offset+n
	}
	return nil
}

// held is what the runs take.
func (r *ranked) held() int64 { return 4 * mostRuns * int64(min(r.size, r.task.Elements())) }

// mostRuns is how many runs are kept.
const mostRuns = 8

// run returns a run's factors: 0 for what goes, 1 or 1/probability for what stays. The last few runs are kept, since one is read
// block by block.
func (r *ranked) run(index int) ([]float32, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.runs, func(x run) bool { return x.index == index }); i >= 0 {
		return r.runs[i].factors, nil
	}
	lo := index * r.size
	d, err := delta(r.task, r.in, lo, min(r.size, r.task.Elements()-lo))
	if err != nil {
		return nil, err
	}
	draws, factors := make([]uint32, len(d)), make([]float32, len(d))
	vec.Random(r.key, lo, draws)
	var s sorter
	for p := 0; p < len(d); p += r.plane {
		r.sorted(&s, d[p:p+r.plane], func(i, rank int) {
			switch {
			case !r.stays(draws[p+i], rank):
			case r.divide:
				factors[p+i] = float32(0x1p63 / float64(r.probability(rank)))
			default:
				factors[p+i] = 1
			}
		})
	}
	r.runs = append([]run{{index, factors}}, r.runs[:min(len(r.runs), mostRuns-1)]...)
	return factors, nil
}
