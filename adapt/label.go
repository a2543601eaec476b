package adapt

import (
	"context"
	"math"
)

// Values of TeacherConfig.Spectrum.
const (
	SpectrumCached = "cached"
	SpectrumCrop   = "crop"
)

// croppedSpectrum tells whether the spectrum is that of the crop.
func (t TeacherConfig) croppedSpectrum() bool {
	return t.Spectrum == SpectrumCrop || t.Spectrum == "" && t.Tokens != ""
}

// storedSpectrum is how a run's settings say it. Beside k-means, which had no choice once, cached is the empty word.
func (t TeacherConfig) storedSpectrum() string {
	switch {
	case t.croppedSpectrum():
		return SpectrumCrop
	case t.Tokens != "":
		return SpectrumCached
	}
	return ""
}

// SpectrumFrom is SpectrumCached where the spectrum behind a mask is cut out of its recording's, SpectrumCrop where it is computed from
// the crop alone.
func (t *Teacher) SpectrumFrom() string {
	if t.crop {
		return SpectrumCrop
	}
	return SpectrumCached
}

// Spectrum is the normalised spectrum [frames][bins] of samples that stand alone, with silence before and after.
func (t *Teacher) Spectrum(samples []float32) []float32 {
	frames := t.transform.Magnitudes(samples)
	t.logarithm(frames)
	t.normalise(frames)
	return frames
}

// logarithm brings magnitudes to the logarithmic scale, if there is one.
func (t *Teacher) logarithm(frames []float32) {
	if t.cfg.LogFloor > 0 {
		for i, v := range frames {
			frames[i] = float32(math.Log(float64(v) + t.cfg.LogFloor))
		}
	}
}

// normalise takes mean and deviation of each bin out.
func (t *Teacher) normalise(frames []float32) {
	for i, v := range frames {
		b := i % len(t.mean)
		frames[i] = (v - t.mean[b]) / t.dev[b]
	}
}

// labelBlock is how many frames are read from a recording at once, about: 2 minutes.
const labelBlock = 9000

// label gives a recording's normalised spectrum [frames][bins] and the codes [codebook][frames] of the same frames, block by block,
// whatever its length; both hold until emit returns. Where the spectrum is that of the crop, it is nil, and of codes that come from files no
// audio is read.
func (t *Teacher) label(ctx context.Context, r Recording, emit func(first int, spectrum []float32, codes [][]int32) error) error {
	total := t.frames(r)
	if t.tokens != nil && t.crop {
		for first := 0; first < total; first += labelBlock {
			codes, err := t.tokens.read(r, first, min(labelBlock, total-first))
			if err != nil {
				return err
			}
			if err := emit(first, nil, codes); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	var input []float32
	return t.magnitudes(r, func(first int, frames []float32) (err error) {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(frames)/t.Bins(), total-first)
		if n <= 0 { // the tokens end a frame before the spectrum
			return nil
		}
		frames = frames[:n*t.Bins()]
		var codes [][]int32
		if t.tokens != nil {
			codes, err = t.tokens.read(r, first, n)
			if err != nil {
				return err
			}
		} else {
			input = append(input[:0], frames...)
			for i, v := range input {
				input[i] = (v - t.all[0]) / t.all[1]
			}
			codes = t.codes.Encode(input)
		}
		if t.crop {
			return emit(first, nil, codes)
		}
		t.normalise(frames)
		return emit(first, frames, codes)
	})
}

// Label returns a recording's normalised spectrum [frames][bins], nil where the spectrum is that of the crop, and its codes
// [codebook][frame]. Both are in memory: an hour of audio is 363 MB of 336 bins.
func (t *Teacher) Label(r Recording) (spectrum []float32, codes [][]int32, err error) {
	codes = make([][]int32, t.cfg.Codebooks)
	err = t.label(context.Background(), r, func(_ int, frames []float32, part [][]int32) error {
		spectrum = append(spectrum, frames...)
		for q := range codes {
			codes[q] = append(codes[q], part[q]...)
		}
		return nil
	})
	return spectrum, codes, err
}
