package adapt

import (
	"fmt"
	"math"
	"slices"

	"syncretic/adapt/audio"
)

// Heldout is a fixed set of held-out crops with fixed masks: every model that is measured on it sees exactly the same.
type Heldout struct {
	batches []*batch
	books   int
	size    int
}

// heldoutClips is the number of clips in one of Heldout's forward passes.
const heldoutClips = 10

// NewHeldout takes one crop of each recording of a corpus that is long enough, at a place and with masks drawn from seed.
func NewHeldout(m *Model, c *Corpus, targets *Targets, seconds float64, seed uint64) (*Heldout, error) {
	l := &loader{encoder: m.Encoder, teacher: m.teacher, targets: map[*Corpus]*Targets{c: targets}, obj: m.obj, samples: samplesOf(seconds)}
	if err := l.check(); err != nil {
		return nil, err
	}
	h := new(Heldout)
	h.books, h.size = m.teacher.Codebooks()
	crops, err := heldoutCrops(c, m.teacher.Hop(), seconds, seed)
	if err != nil {
		return nil, err
	}
	for from := 0; from < len(crops); from += heldoutClips {
		b, err := l.load(crops[from:min(from+heldoutClips, len(crops))], seed, "heldout", from)
		if err != nil {
			return nil, err
		}
		h.batches = append(h.batches, b)
	}
	return h, nil
}

// heldoutCrops takes one crop of each recording that is long enough, on the grid of the teacher's frames, at a place that (seed,
// recording) draws.
func heldoutCrops(c *Corpus, hop int, seconds float64, seed uint64) ([]Crop, error) {
	samples := samplesOf(seconds)
	var crops []Crop
	for i, r := range c.Recordings {
		if r.Len >= samples {
			place := stream(seed, "heldout", i).IntN((r.Len-samples)/hop + 1)
			crops = append(crops, Crop{Corpus: c, Recording: i, Start: place * hop})
		}
	}
	if len(crops) == 0 {
		return nil, fmt.Errorf("%w: corpus %s: no recording is as long as a crop of %g s", audio.ErrInvalid, c.Name, seconds)
	}
	return crops, nil
}

// keep draws n of a corpus's crops, in their order, and forgets the recordings of all others.
func (c *Corpus) keep(crops []Crop, n int, seed uint64) []Crop {
	chosen := distinct(stream(seed, "heldout recordings"), n, len(crops))
	slices.Sort(chosen)
	recordings, kept := make([]Recording, n), make([]Crop, n)
	for i, at := range chosen {
		recordings[i] = c.Recordings[crops[at].Recording]
		kept[i] = Crop{Corpus: c, Recording: i, Start: crops[at].Start}
	}
	c.Recordings = recordings
	return kept
}

// Loss is a model's masked-prediction loss on held-out audio, in nats a frame summed over codebooks, and squared error.
type Loss struct {
	CE        float64   `json:"ce"`        // summed over codebooks
	Codebooks []float64 `json:"codebooks"` // by codebook
	CQT       float64   `json:"cqt_mse"`
	Total     float64   `json:"total"` // CE + CQT, unweighted, so that recipes can be compared
}

// MaskedLoss measures a model on held-out audio: mean over masked frames, without dropout or noise. It needs no labels.
func (h *Heldout) MaskedLoss(m *Model) (Loss, error) {
	loss := Loss{Codebooks: make([]float64, h.books)}
	frames := 0.0
	for _, b := range h.batches {
		_, p, err := m.forward(b, false, 0, 1)
		if err != nil {
			return Loss{}, err
		}
		n := float64(p.Frames)
		for q, v := range p.Codebooks {
			loss.Codebooks[q] += v * n
		}
		loss.CQT += p.CQT * n
		frames += n
	}
	for q := range loss.Codebooks {
		loss.Codebooks[q] /= frames
		loss.CE += loss.Codebooks[q]
	}
	loss.CQT /= frames
	loss.Total = loss.CE + loss.CQT
	return loss, nil
}

// Unigram is how often each code stands in a corpus, by codebook: what a model knows that has learnt nothing but the
// frequencies. A model's skill is its cross-entropy below that of its own culture's Unigram.
type Unigram [][]float64

// CountUnigram counts all frames of a corpus and adds one to every entry.
func CountUnigram(t *Teacher, targets *Targets) (Unigram, error) {
	books, entries := t.Codebooks()
	u := make(Unigram, books)
	for q := range u {
		u[q] = make([]float64, entries)
		for i := range u[q] {
			u[q][i] = 1
		}
		total := float64(entries)
		for r := range targets.frames {
			codes, err := targets.Codes(r, q, 0, targets.Frames(r))
			if err != nil {
				return nil, err
			}
			for _, c := range codes {
				u[q][c]++
			}
			total += float64(len(codes))
		}
		for i := range u[q] {
			u[q][i] /= total
		}
	}
	return u, nil
}

// UnigramCE is the cross-entropy of the held-out masked frames under u, in nats summed over codebooks.
func (h *Heldout) UnigramCE(u Unigram) float64 {
	sum, frames := 0.0, 0
	for _, b := range h.batches {
		for q, codes := range b.codes {
			for _, c := range codes {
				sum -= math.Log(u[q][c])
			}
		}
		frames += len(b.rows)
	}
	return sum / float64(frames)
}
