// Package kmeans turns frames of features into tokens by residual k-means: a stack of codebooks, each fitted on what
// the ones before it leave over. It is the token teacher where no EnCodec weights are at hand.
//
// [Fit] learns a [Quantizer] from frames in memory, [FitFrom] from any number of [Frames] by mini-batches, in bounded memory;
// [Quantizer.Encode] gives the tokens of more frames. A Quantizer is kept as tensors: [Quantizer.Source] and [Load].
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
	Iterations int    `yaml:"iterations" json:"iterations"` // passes over the frames a codebook; always run to the end
	Batch      int    `yaml:"batch" json:"batch"`           // frames in memory and in one step; 0 is DefaultBatch
	Seed       uint64 `yaml:"seed" json:"seed"`
}

// DefaultBatch is the number of frames in a step: 85 MiB of MERT's 336 bins, and 64 frames a centre in a codebook of 1024.
const DefaultBatch = 1 << 16

// Validate reports the first field out of range, as an error that wraps [ErrConfig].
func (c Config) Validate() error {
	for _, f := range []struct {
		name          string
		got, min, max int
	}{{"codebooks", c.Codebooks, 1, 1 << 10}, {"size", c.Size, 1, 1 << 20}, {"iterations", c.Iterations, 1, 1 << 20}, {"batch", c.batch(), c.Size, 1 << 24}} {
		if f.got < f.min || f.got > f.max {
			return fmt.Errorf("%w: %s %d, want %d to %d", ErrConfig, f.name, f.got, f.min, f.max)
		}
	}
	return nil
}

func (c Config) batch() int {
	if c.Batch == 0 {
		return max(DefaultBatch, c.Size)
	}
	return c.Batch
}

// Fit learns cfg.Codebooks codebooks from frames in memory, [n][dim]; see [FitFrom].
func Fit(ctx context.Context, frames []float32, dim int, cfg Config) (*Quantizer, error) {
	src, err := table(frames, dim)
	if err != nil {
		return nil, err
	}
	return FitFrom(ctx, src, dim, cfg)
}

// FitFrom learns cfg.Codebooks codebooks from frames of dim values. Each starts from greedy k-means++ seeds (Arthur and Vassilvitskii
// 2007; of 2+⌊ln Size⌋ candidates drawn by squared distance the one that lowers the sum most is kept).
//
// Up to cfg.Batch frames are read into memory, and each codebook takes cfg.Iterations of Lloyd's steps over all of them. A centre that
// loses all its frames is moved to the frame furthest from its own centre, the lowest index among equals.
//
// More frames are taken by mini-batches (Sculley 2010): a step reads the next cfg.Batch frames, spread over the whole table, and moves
// each centre towards the mean of those nearest to it, by their share in all that it has been moved by. Unlike Sculley's, a centre keeps
// only a tenth of that weight from one pass to the next, so that where it lay at first is forgotten; the error is then that of Lloyd's
// steps over all frames, or less. The seeds are drawn from the first step's frames, and a centre that got no frame in a whole pass is
// moved to the one furthest from its own in the pass's last step.
//
// Memory: (4·dim + 60) bytes for each of the batch's frames, and a few MiB. Errors are those of src, ctx's, or wrap [ErrInvalid] (fewer
// frames than Size, a value that is not finite or beyond ±1e15) or [ErrConfig].
func FitFrom(ctx context.Context, src Frames, dim int, cfg Config) (*Quantizer, error) {
	return fit(ctx, src, dim, cfg, nil)
}

// fit is FitFrom that takes the first codebook's seeds, [Size][dim], from the caller unless they are nil.
func fit(ctx context.Context, src Frames, dim int, cfg Config, first []float32) (*Quantizer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := src.Len()
	switch {
	case dim < 1:
		return nil, fmt.Errorf("%w: frames of %d values, want at least 1", ErrInvalid, dim)
	case n < cfg.Size:
		return nil, fmt.Errorf("%w: %d frames for codebooks of %d, want at least as many", ErrInvalid, n, cfg.Size)
	}
	if n <= cfg.batch() {
		return fitWhole(ctx, src, dim, cfg, first)
	}
	return fitBatches(ctx, src, dim, cfg)
}

// seeded is the source of a codebook's seeds.
func (c Config) seeded(book int) *rand.Rand { return rand.New(rand.NewPCG(c.Seed, uint64(book))) }

// fitWhole reads all frames and fits by Lloyd's steps.
func fitWhole(ctx context.Context, src Frames, dim int, cfg Config, first []float32) (*Quantizer, error) {
	f := newFitting(src.Len(), dim)
	if err := readFrames(src, f.residual, dim, 0); err != nil {
		return nil, err
	}
	sums := make([]float64, dim) // all codes are 0 as yet
	f.sum(sums)
	mean := divided(sums, f.n)
	f.shift(mean) // the first codebook is fitted around the mean, for the digits' sake, and then moved back
	total := f.measure()
	books := make([]codebook, cfg.Codebooks)
	left := make([]float64, cfg.Codebooks)
	for q := range books {
		var centres []float32
		if q == 0 && first != nil {
			centres = moved(first, mean, -1)
		} else {
			centres = f.seeds(cfg.Size, cfg.seeded(q))
		}
		centres, err := f.lloyd(ctx, centres, cfg.Size, cfg.Iterations)
		if err != nil {
			return nil, fmt.Errorf("fit codebook %d: %w", q, err)
		}
		if q == 0 {
			centres = moved(centres, mean, 1)
			if err := readFrames(src, f.residual, dim, 0); err != nil {
				return nil, err
			}
		}
		books[q] = newCodebook(centres, cfg.Size, dim)
		f.subtract(&books[q])
		left[q] = f.measure()
	}
	return newQuantizer(books, shares(left, total))
}

// divided is a mean.
func divided(sums []float64, n int) []float32 {
	out := make([]float32, len(sums))
	for d, s := range sums {
		out[d] = float32(s / float64(n))
	}
	return out
}

// shares are parts of a total, 0 when there is nothing to have a share in.
func shares(parts []float64, total float64) []float32 {
	out := make([]float32, len(parts))
	for i, p := range parts {
		if total > 0 {
			out[i] = float32(p / total)
		}
	}
	return out
}

// moved returns the centres plus sign times the offset.
func moved(centres, offset []float32, sign float32) []float32 {
	out := make([]float32, len(centres))
	for i, v := range centres {
		out[i] = v + sign*offset[i%len(offset)]
	}
	return out
}
