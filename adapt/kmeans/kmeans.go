// Package kmeans turns frames of features into tokens by residual k-means: a stack of codebooks, each fitted on what
// the ones before it leave over. It is the token teacher where no EnCodec weights are at hand.
//
// [Fit] learns a [Quantizer] from frames; [Quantizer.Encode] gives the tokens of more frames. A Quantizer is kept as
// tensors: [Quantizer.Source] and [Load].
//
// With r_0 = x, codebook q has centres c_q[0..Size) and
//
//	code_q = argmin_j |r_q − c_q[j]|²  (the lowest j among equals),   r_{q+1} = r_q − c_q[code_q]
//
// so x ≈ Σ_q c_q[code_q]. Frames are row-major [frames][dim]; codes are [codebook][frame]. Distances are formed in
// float32 by matrix multiplication, centres as float64 means in a fixed order of fixed blocks: the same frames,
// configuration and seed give the same bytes whatever runtime.GOMAXPROCS is.
package kmeans

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
)

// ErrInvalid reports frames or stored codebooks that cannot be used.
var ErrInvalid = errors.New("invalid k-means input")

// ErrConfig reports a [Config] that makes no sense.
var ErrConfig = errors.New("invalid k-means configuration")

// Config says how many codes to learn and how.
type Config struct {
	Codebooks  int    `yaml:"codebooks" json:"codebooks"`   // stages of residual quantisation
	Size       int    `yaml:"size" json:"size"`             // centres in each codebook
	Iterations int    `yaml:"iterations" json:"iterations"` // Lloyd steps a codebook; always run to the end
	Seed       uint64 `yaml:"seed" json:"seed"`
}

// Validate reports the first field out of range, as an error that wraps [ErrConfig].
func (c Config) Validate() error {
	for _, f := range []struct {
		name     string
		got, max int
	}{{"codebooks", c.Codebooks, 1 << 10}, {"size", c.Size, 1 << 20}, {"iterations", c.Iterations, 1 << 20}} {
		if f.got < 1 || f.got > f.max {
			return fmt.Errorf("%w: %s %d, want 1 to %d", ErrConfig, f.name, f.got, f.max)
		}
	}
	return nil
}

// Fit learns cfg.Codebooks codebooks from frames, [n][dim]. Each starts from greedy k-means++ seeds (Arthur and
// Vassilvitskii 2007; of 2+⌊ln Size⌋ candidates drawn by squared distance the one that lowers the sum most is kept) and
// takes cfg.Iterations Lloyd steps. A centre that loses all its frames is moved to the frame furthest from its own
// centre, the lowest index among equals.
//
// frames is not changed. Memory: one copy of frames, some 50 bytes a frame, and a few MiB. Errors wrap [ErrInvalid]
// (fewer frames than Size, a value that is not finite or beyond ±1e15, a length that is not a multiple of dim),
// [ErrConfig], or ctx's error when it ends first.
func Fit(ctx context.Context, frames []float32, dim int, cfg Config) (*Quantizer, error) {
	return fit(ctx, frames, dim, cfg, nil)
}

// fit is Fit that takes the first codebook's seeds, [Size][dim], from the caller unless they are nil.
func fit(ctx context.Context, frames []float32, dim int, cfg Config, first []float32) (*Quantizer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n, err := checkFrames(frames, dim)
	if err != nil {
		return nil, err
	}
	if n < cfg.Size {
		return nil, fmt.Errorf("%w: %d frames for codebooks of %d, want at least as many", ErrInvalid, n, cfg.Size)
	}
	f := newFitting(frames, dim)
	mean := f.centre() // the first codebook is fitted around the mean, for the digits' sake, and then moved back
	total := f.measure()
	books := make([]codebook, cfg.Codebooks)
	variance := make([]float32, cfg.Codebooks)
	for q := range books {
		var centres []float32
		if q == 0 && first != nil {
			centres = moved(first, mean, -1)
		} else {
			centres = f.seeds(cfg.Size, rand.New(rand.NewPCG(cfg.Seed, uint64(q))))
		}
		if centres, err = f.lloyd(ctx, centres, cfg.Size, cfg.Iterations); err != nil {
			return nil, fmt.Errorf("fit codebook %d: %w", q, err)
		}
		if q == 0 {
			centres = moved(centres, mean, 1)
			copy(f.residual, frames)
		}
		books[q] = newCodebook(centres, cfg.Size, dim)
		f.subtract(&books[q])
		if left := f.measure(); total > 0 {
			variance[q] = float32(left / total)
		}
	}
	return newQuantizer(books, variance)
}

// moved returns the centres plus sign times the offset.
func moved(centres, offset []float32, sign float32) []float32 {
	out := make([]float32, len(centres))
	for i, v := range centres {
		out[i] = v + sign*offset[i%len(offset)]
	}
	return out
}

// checkFrames returns the number of frames after looking at every value.
func checkFrames(frames []float32, dim int) (int, error) {
	if dim < 1 {
		return 0, fmt.Errorf("%w: frames of %d values, want at least 1", ErrInvalid, dim)
	}
	if len(frames)%dim != 0 {
		return 0, fmt.Errorf("%w: %d values are not a whole number of frames of %d", ErrInvalid, len(frames), dim)
	}
	for i, v := range frames {
		if !(v >= -maxValue && v <= maxValue) {
			return 0, fmt.Errorf("%w: frame %d, value %d is %g, want a finite number within ±%g", ErrInvalid, i/dim, i%dim, v, float64(maxValue))
		}
	}
	return len(frames) / dim, nil
}

// maxValue keeps squared distances inside float32.
const maxValue = 1e15
