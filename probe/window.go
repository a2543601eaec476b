package probe

import (
	"context"
	"fmt"
	"math"

	"syncretic/adapt/audio"
)

// Extractor is an encoder as far as probing is concerned.
type Extractor interface {
	// Features returns the hidden states of mono samples at 24 kHz as [layers][dim], each the mean over time. It must be
	// safe for concurrent use and must not keep samples.
	Features(samples []float32) ([][]float32, error)
}

// shortest is the length, in s, below which a last window is dropped, as in MARBLE, unless it is the only one.
const shortest = 1.0

// pool collects the features of an item's windows.
type pool struct {
	layers, dim int
	values      []float32 // [rows][layers][dim]
}

// rows is the number of windows, or 1 after the mean was taken.
func (p *pool) rows() int { return len(p.values) / (p.layers * p.dim) }

// mean replaces the windows by their mean, in which each weighs the same.
func (p *pool) mean() {
	size := p.layers * p.dim
	windows := p.rows()
	out := make([]float32, size)
	for j := range out {
		var sum float64
		for w := range windows {
			sum += float64(p.values[w*size+j])
		}
		out[j] = float32(sum / float64(windows))
	}
	p.values = out
}

// unreadable marks the error of a file, as opposed to a crop that is not in it or an encoder that fails.
type unreadable struct{ error }

func (u unreadable) Unwrap() error { return u.error }

// extract runs the encoder over the windows of one item, each while it holds one of the slots.
func extract(ctx context.Context, item Item, ex Extractor, opts ExtractOptions, slots chan struct{}) (*pool, error) {
	f, err := audio.Options{Resampling: opts.Resampling}.Open(item.Path)
	if err != nil {
		return nil, unreadable{err}
	}
	defer f.Close()
	start, n, err := item.Range(f.Frames)
	if err != nil {
		return nil, err
	}
	end, size := start+n, n
	if opts.Window > 0 {
		size = min(size, int(math.Round(opts.Window*audio.SampleRate)))
	}
	samples := make([]float32, size)
	out := new(pool)
	for at := start; at < end; at += size {
		n := min(size, end-at)
		if at > start && float64(n) < shortest*audio.SampleRate {
			break
		}
		if err := f.ReadAt(samples[:n], at); err != nil {
			return nil, unreadable{err}
		}
		features, err := encode(ctx, ex, samples[:n], slots)
		if err != nil {
			return nil, err
		}
		if err := out.add(features); err != nil {
			return nil, fmt.Errorf("window at sample %d: %w", at, err)
		}
	}
	if opts.Pool != PoolWindows {
		out.mean()
	}
	return out, nil
}

func encode(ctx context.Context, ex Extractor, samples []float32, slots chan struct{}) ([][]float32, error) {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-slots }()
	if err := ctx.Err(); err != nil { // select is free to choose where both can be
		return nil, err
	}
	return ex.Features(samples)
}

// add checks the features of one window and adds them.
func (p *pool) add(features [][]float32) error {
	if len(features) == 0 || len(features[0]) == 0 {
		return fmt.Errorf("%w: the encoder returned no features", ErrInvalid)
	}
	if p.values == nil {
		p.layers, p.dim = len(features), len(features[0])
	}
	if len(features) != p.layers {
		return fmt.Errorf("%w: features of %d layers, want %d", ErrInvalid, len(features), p.layers)
	}
	for l, row := range features {
		if len(row) != p.dim {
			return fmt.Errorf("%w: layer %d has %d features, want %d", ErrInvalid, l, len(row), p.dim)
		}
		if d, ok := allFinite(row); !ok {
			return fmt.Errorf("%w: layer %d, feature %d is %v", ErrInvalid, l, d, row[d])
		}
		p.values = append(p.values, row...)
	}
	return nil
}
