package adapt

import (
	"context"
	"fmt"
	"slices"

	"syncretic/adapt/audio"
	"syncretic/adapt/mert"
)

// batch is what one forward pass sees: audio, what is masked, and what stands behind the mask.
type batch struct {
	clips    int
	samples  []float32 // [clips][n]
	extra    []float32 // [clips*frames][bins], for encoders that take the spectrum as input
	mask     []bool    // [clips*frames]
	rows     []int     // the masked rows
	codes    [][]int32 // [codebook][len(rows)]
	spectrum []float32 // [len(rows)][bins]

	unread []audio.Skipped // the files of crops that others replaced
}

// loader turns crops into batches.
type loader struct {
	encoder *mert.Encoder
	teacher *Teacher
	targets map[*Corpus]*Targets
	obj     Objective
	samples int
	redraw  func(c *Corpus, slot, attempt int) Crop // nil where a crop that cannot be read is an error
	blank   bool                                    // all codes 0, and so the spectra that are not computed of the crop: for timing
}

// load reads a batch's audio and targets. Which frames are masked and what noise is mixed in is drawn from the stream of
// (seed, place).
func (l *loader) load(crops []Crop, seed uint64, purpose string, place ...int) (*batch, error) {
	frames := l.encoder.Frames(l.samples)
	bins := l.teacher.Bins()
	b := &batch{clips: len(crops), samples: make([]float32, len(crops)*l.samples)}
	b.mask = maskSpans(stream(seed, purpose+" mask", place...), l.obj, len(crops), frames)
	b.rows = masked(b.mask)
	books, _ := l.teacher.Codebooks()
	b.codes = make([][]int32, books)
	for q := range b.codes {
		b.codes[q] = make([]int32, 0, len(b.rows))
	}
	b.spectrum = make([]float32, 0, len(b.rows)*bins)
	spectrum := make([]float32, frames*bins)
	for c, crop := range crops {
		crop, err := l.read(b, c, crop)
		if err != nil {
			return nil, err
		}
		targets := l.targets[crop.Corpus]
		first := crop.Start / l.teacher.Hop()
		switch {
		case l.teacher.crop:
			spectrum = l.teacher.Spectrum(b.samples[c*l.samples : (c+1)*l.samples])
		case !l.blank:
			if err := targets.Spectrum(crop.Recording, first, spectrum); err != nil {
				return nil, err
			}
		}
		mask := b.mask[c*frames : (c+1)*frames]
		for f, on := range mask {
			if on {
				b.spectrum = append(b.spectrum, spectrum[f*bins:(f+1)*bins]...)
			}
		}
		for q := range b.codes {
			if l.blank {
				b.codes[q] = b.codes[q][:len(b.rows)]
				continue
			}
			codes, err := targets.Codes(crop.Recording, q, first, frames)
			if err != nil {
				return nil, err
			}
			for f, on := range mask {
				if on {
					b.codes[q] = append(b.codes[q], codes[f])
				}
			}
		}
	}
	return b, l.addExtra(b)
}

// addExtra computes the spectrum that some encoders take as a further input, from the crop alone, as inference does.
func (l *loader) addExtra(b *batch) error {
	if !l.encoder.Config().FeatureExtractorCQT {
		return nil
	}
	rows := make([][]float32, b.clips)
	err := parallel(context.Background(), b.clips, func(c int) (err error) {
		rows[c], err = l.encoder.Extra(b.samples[c*l.samples : (c+1)*l.samples])
		return err
	})
	if err != nil {
		return err
	}
	b.extra = slices.Concat(rows...)
	return nil
}

// check refuses combinations of encoder, teacher and recipe that cannot work, before anything is computed.
func (l *loader) check() error {
	cfg := l.encoder.Config()
	if hop := cfg.Hop(); hop != l.teacher.Hop() {
		return fmt.Errorf("%w: the encoder has a frame every %d samples, the teacher every %d", ErrConfig, hop, l.teacher.Hop())
	}
	if l.encoder.Frames(l.samples) < 2 {
		return fmt.Errorf("%w: batch.seconds: %.3f s give fewer than 2 frames", ErrConfig, float64(l.samples)/audio.SampleRate)
	}
	if cfg.FeatureExtractorCQT && l.obj.MixtureProb > 0 {
		return fmt.Errorf("%w: objective.mixture_prob must be 0 for an encoder with a spectrum input (feature_extractor_cqt)", ErrConfig)
	}
	return nil
}
