package adapt

import (
	"fmt"
	"math/rand/v2"
	"sort"

	"syncretic/adapt/audio"
)

// Crop is a stretch of one recording; Start counts samples from the recording's first.
type Crop struct {
	Corpus    *Corpus
	Recording int
	Start     int
}

// Sampler draws the crops of a stage. A draw is a pure function of (seed, stage, step, slot): first the corpus, by the
// stage's replay share and the corpora's weights, so that the mix is exact in expectation; then the recording, in
// proportion to its length; then the place.
//
// Unlike MERT's loader, a crop starts on the teachers' grid of 320 samples, so that cached targets belong to its frames
// exactly instead of up to half a frame beside them.
type Sampler struct {
	seed    uint64
	samples int // of a crop
	hop     int
	corpora []*Corpus
	share   []float64 // cumulative over corpora
	length  [][]int   // by corpus: cumulative number of grid places
}

// NewSampler prepares the draws of one stage. Recordings shorter than a crop are left out; a corpus without any that is
// long enough is an error.
func NewSampler(seed uint64, corpora []*Corpus, replay, seconds float64, hop int) (*Sampler, error) {
	s := &Sampler{seed: seed, samples: samplesOf(seconds), hop: hop, corpora: corpora}
	var total [2]float64
	for _, c := range corpora {
		total[kind(c)] += c.weight
	}
	sum := 0.0
	for _, c := range corpora {
		part := 1 - replay
		if c.Replay {
			part = replay
		}
		sum += part * c.weight / total[kind(c)]
		s.share = append(s.share, sum)

		places, cumulative := 0, make([]int, len(c.Recordings))
		for i, r := range c.Recordings {
			if r.Len >= s.samples {
				places += (r.Len-s.samples)/hop + 1
			}
			cumulative[i] = places
		}
		if places == 0 {
			return nil, fmt.Errorf("%w: corpus %s: no recording is as long as a crop of %g s", audio.ErrInvalid, c.Name, seconds)
		}
		s.length = append(s.length, cumulative)
	}
	return s, nil
}

func kind(c *Corpus) int {
	if c.Replay {
		return 1
	}
	return 0
}

// Draw returns the crops of one batch.
func (s *Sampler) Draw(stage, step, micro, clips int) []Crop {
	rng := stream(s.seed, "crops", stage, step, micro)
	crops := make([]Crop, clips)
	for i := range crops {
		u := rng.Float64() * s.share[len(s.share)-1]
		c := min(sort.Search(len(s.share), func(i int) bool { return s.share[i] > u }), len(s.share)-1)
		crops[i] = s.crop(c, rng)
	}
	return crops
}

// crop draws a recording of a corpus and the place in it.
func (s *Sampler) crop(corpus int, rng *rand.Rand) Crop {
	cumulative := s.length[corpus]
	place := rng.IntN(cumulative[len(cumulative)-1])
	r := sort.SearchInts(cumulative, place+1)
	if r > 0 {
		place -= cumulative[r-1]
	}
	return Crop{Corpus: s.corpora[corpus], Recording: r, Start: place * s.hop}
}

// stream returns the random numbers of one purpose at one place of a run; streams of different purposes or places are
// independent.
func stream(seed uint64, purpose string, at ...int) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a, 64 bit
	mix := func(b byte) { h = (h ^ uint64(b)) * 1099511628211 }
	for i := range len(purpose) {
		mix(purpose[i])
	}
	for _, v := range at {
		for shift := 0; shift < 64; shift += 8 {
			mix(byte(uint64(v) >> shift))
		}
	}
	return rand.New(rand.NewPCG(seed, h))
}
