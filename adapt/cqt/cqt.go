// Package cqt computes constant-Q magnitudes of mono audio: the spectrogram MERT learns to reconstruct.
//
// Make a [Transform] once with [New], from [MERT] or a [Config] of your own, and call [Transform.Magnitudes] for each
// clip, from as many goroutines as there are cores.
//
// The definition is that of nnAudio's CQT1992v2 (Cheuk et al., "nnAudio", IEEE Access 2020), whose values are met to
// single precision. For bin k of K, with B bins an octave and rate r (Hz):
//
//	Q   = 1 / (2^(1/B) − 1)
//	f_k = FMin·2^(k/B)                              Hz
//	l_k = ⌈Q·r/f_k⌉, at most MaxWindow              samples
//	w_k[j] = ½ − ½·cos(2πj/l_k), j = 0..l_k−1       periodic Hann
//	C[t][k] = √l_k · | Σ_j x[Hop·t + n_k + j] · w_k[j]·exp(−2πi·f_k·(n_k+j)/r) | / Σ_j w_k[j],  n_k = −⌈l_k/2⌉
//
// Samples outside the clip are 0: frame t is centred on sample Hop·t and the first and last frames are smaller. The
// values are linear magnitudes, not logarithms: a sine of amplitude A at f_k, away from the edges, gives (A/2)·√l_k.
// librosa.cqt differs by about 1 % (fractional window lengths, multirate).
//
// Bins with short windows are a product of matrices; those with long ones, where they would cost most by far, come from one spectrum of
// the clip (see bands.go): some fifty times fewer operations than the sum above for [MERT].
package cqt

import (
	"errors"
	"fmt"
	"math"
)

// ErrConfig reports a [Config] that describes no transform.
var ErrConfig = errors.New("invalid cqt configuration")

// Config describes a transform.
type Config struct {
	SampleRate    int     `yaml:"sample_rate" json:"sample_rate"`         // Hz
	Hop           int     `yaml:"hop" json:"hop"`                         // samples between frames
	FMin          float64 `yaml:"fmin" json:"fmin"`                       // Hz, of bin 0
	Bins          int     `yaml:"bins" json:"bins"`                       // in all
	BinsPerOctave int     `yaml:"bins_per_octave" json:"bins_per_octave"` //
	// MaxWindow caps the window length, in samples; 0 means no cap. A capped bin has a wider band than constant Q
	// gives, costs less and sees less of the neighbouring frames. Unlike nnAudio, which has no cap.
	MaxWindow int `yaml:"max_window" json:"max_window"`
}

// MERT returns the transform that MERT-v1-95M was trained to reconstruct: 336 bins, 48 an octave, from 32.7 Hz (C1), 75
// frames a second at 24 kHz.
func MERT() Config {
	return Config{SampleRate: 24000, Hop: 320, FMin: 32.7, Bins: 336, BinsPerOctave: 48}
}

// maxKernel bounds the samples of all windows together, so that a slip in a configuration is an error and not an
// allocation of many GiB. MERT's windows hold 3.5 million.
const maxKernel = 1 << 28

// Validate reports the first field that makes no sense, as an error that wraps [ErrConfig]: all numbers but MaxWindow
// must be positive, the highest bin must stay below half the sample rate.
func (c Config) Validate() error {
	for _, f := range []struct {
		name string
		got  int
	}{{"sample_rate", c.SampleRate}, {"hop", c.Hop}, {"bins", c.Bins}, {"bins_per_octave", c.BinsPerOctave}} {
		if f.got <= 0 || f.got > 1<<24 {
			return fmt.Errorf("%w: %s %d, want 1 to %d", ErrConfig, f.name, f.got, 1<<24)
		}
	}
	if !(c.FMin > 0) || math.IsInf(c.FMin, 0) {
		return fmt.Errorf("%w: fmin %g Hz, want a positive number", ErrConfig, c.FMin)
	}
	if c.MaxWindow < 0 || c.MaxWindow == 1 {
		return fmt.Errorf("%w: max_window %d, want 0 (no cap) or at least 2", ErrConfig, c.MaxWindow)
	}
	if top := c.frequency(c.Bins - 1); !(top <= float64(c.SampleRate)/2) {
		return fmt.Errorf("%w: highest bin at %g Hz, want at most half the sample rate, %g Hz", ErrConfig, top, float64(c.SampleRate)/2)
	}
	total := 0.0
	for k := range c.Bins {
		total += c.length(k)
		if total > maxKernel {
			return fmt.Errorf("%w: the windows hold more than %d samples, want a higher fmin, fewer bins or a max_window", ErrConfig, maxKernel)
		}
	}
	return nil
}

// frequency is f_k in Hz.
func (c Config) frequency(k int) float64 {
	return c.FMin * math.Exp2(float64(k)/float64(c.BinsPerOctave))
}

// length is l_k in samples, as a float64 since an unchecked configuration may exceed int.
func (c Config) length(k int) float64 {
	q := 1 / (math.Exp2(1/float64(c.BinsPerOctave)) - 1)
	l := math.Ceil(q * float64(c.SampleRate) / c.frequency(k))
	if c.MaxWindow > 0 {
		l = min(l, float64(c.MaxWindow))
	}
	return max(l, 2)
}
