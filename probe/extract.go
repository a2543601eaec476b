package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"syncretic/adapt/audio"
)

// Extractor is an encoder as far as probing is concerned.
type Extractor interface {
	// Features returns the hidden states of mono samples at 24 kHz as [layers][dim], each the mean over time. It must be
	// safe for concurrent use and must not keep samples.
	Features(samples []float32) ([][]float32, error)
}

// ExtractOptions say which items Extract reads and how.
type ExtractOptions struct {
	Splits     []string              // nil for all
	Window     float64               // s; 0 gives an item to the encoder whole
	Resampling audio.Resampling      // of files that are not at 24 kHz; "" is audio.Kaiser
	Pool       Pool                  // rows of the result: windows or items; "" is PoolItems
	SkipBad    bool                  // leave out items whose file cannot be read, and name them, instead of failing
	Progress   func(done, total int) // items; called in order, one call at a time; nil for none
}

// Pool says what a row of features is.
type Pool string

// The rows that features can have.
const (
	// PoolWindows is MARBLE's: windows are training items of their own, and at validation and test the logits of an item's windows
	// are averaged.
	PoolWindows Pool = "windows"
	// PoolItems is one row an item, the mean over its windows, each weighing the same.
	PoolItems Pool = "items"
)

// shortest is the length, in s, below which a last window is dropped, as in MARBLE, unless it is the only one.
const shortest = 1.0

// Extract computes the features of the items of the chosen splits: each item is cut into windows of Window seconds
// without overlap, and the encoder runs on each. A last window shorter than 1 s is dropped unless it is the only one. A row of the
// result is a window or, with PoolItems, the mean over an item's windows.
//
// Items run in parallel on GOMAXPROCS goroutines; each holds one window. The result does not depend on their number. Errors
// name the item: audio that cannot be read, a crop that leaves the file, an encoder's error, features that are not finite or
// whose shape differs from the first item's (these wrap ErrInvalid); a cancelled ctx ends the work with its error. With SkipBad the items
// of a file that cannot be read are in Features.Skipped instead; a crop that a file does not have is an error all the same, and so is a
// dataset of which nothing is left.
func Extract(ctx context.Context, ds *Dataset, ex Extractor, opts ExtractOptions) (*Features, error) {
	if !(opts.Window >= 0) || math.IsInf(opts.Window, 0) || opts.Window > 0 && opts.Window < shortest {
		return nil, fmt.Errorf("%w: window of %v s, want 0 (the whole item) or at least %v", ErrConfig, opts.Window, shortest)
	}
	if opts.Pool != "" && opts.Pool != PoolWindows && opts.Pool != PoolItems {
		return nil, fmt.Errorf("%w: pool is %q, want %s or %s", ErrConfig, opts.Pool, PoolWindows, PoolItems)
	}
	for _, split := range opts.Splits {
		if len(ds.Indices(split)) == 0 {
			return nil, fmt.Errorf("%w: dataset %q has no items in split %q", ErrInvalid, ds.Name, split)
		}
	}
	out := &Features{}
	for i, item := range ds.Items {
		if opts.Splits == nil || slices.Contains(opts.Splits, item.Split) {
			out.Items = append(out.Items, i)
		}
	}
	rows, bad := make([]*pool, len(out.Items)), make([]error, len(out.Items))
	err := each(ctx, len(out.Items), opts.Progress, func(i int) error {
		item := ds.Items[out.Items[i]]
		row, err := extract(ctx, item, ex, opts)
		if opts.SkipBad && errors.As(err, new(unreadable)) && errors.Is(err, audio.ErrInvalid) {
			bad[i] = err
			return nil
		}
		if err != nil {
			return fmt.Errorf("dataset %q: item %s: %w", ds.Name, item.ID, err)
		}
		rows[i] = row
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := out.leaveOut(ds, bad); err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(row *pool) bool { return row == nil })
	items := out.Items
	out.Items = nil
	for i, row := range rows {
		if i == 0 {
			out.Layers, out.Dim = row.layers, row.dim
		}
		if row.layers != out.Layers || row.dim != out.Dim {
			return nil, fmt.Errorf("%w: dataset %q: item %s: features are [%d][%d], the first item's [%d][%d]", ErrInvalid,
				ds.Name, ds.Items[items[i]].ID, row.layers, row.dim, out.Layers, out.Dim)
		}
		values := row.values
		if opts.Pool != PoolWindows {
			values = row.mean()
		}
		for range len(values) / (row.layers * row.dim) {
			out.Items = append(out.Items, items[i])
		}
		out.Values = append(out.Values, values...)
		rows[i] = nil
	}
	return out, nil
}

// pool collects the features of an item's windows.
type pool struct {
	layers, dim int
	values      []float32 // [windows][layers][dim]
}

// mean returns the mean over the windows as [layers][dim].
func (p *pool) mean() []float32 {
	size := p.layers * p.dim
	windows := len(p.values) / size
	out := make([]float32, size)
	for j := range out {
		var sum float64
		for w := range windows {
			sum += float64(p.values[w*size+j])
		}
		out[j] = float32(sum / float64(windows))
	}
	return out
}

// leaveOut moves the items with an error to Skipped.
func (f *Features) leaveOut(ds *Dataset, bad []error) error {
	var kept []int
	for i, item := range f.Items {
		if bad[i] == nil {
			kept = append(kept, item)
			continue
		}
		f.Skipped = append(f.Skipped, SkippedItem{Item: item, Skipped: audio.Skipped{Path: ds.Items[item].Path, Reason: bad[i].Error()}})
	}
	if len(kept) == 0 && len(bad) > 0 {
		return fmt.Errorf("%w: dataset %q: none of %d items can be read; the first: %w", ErrInvalid, ds.Name, len(bad), bad[0])
	}
	f.Items = kept
	return nil
}

// unreadable marks the error of a file, as opposed to a crop that is not in it or an encoder that fails.
type unreadable struct{ error }

func (u unreadable) Unwrap() error { return u.error }

// extract runs the encoder over the windows of one item.
func extract(ctx context.Context, item Item, ex Extractor, opts ExtractOptions) (*pool, error) {
	f, err := audio.Options{Resampling: opts.Resampling}.Open(item.Path)
	if err != nil {
		return nil, unreadable{err}
	}
	defer f.Close()
	start, n, err := audio.Entry{Path: item.Path, Start: item.Start, End: item.End}.Range(f.Frames)
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
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := f.ReadAt(samples[:n], at); err != nil {
			return nil, unreadable{err}
		}
		features, err := ex.Features(samples[:n])
		if err != nil {
			return nil, err
		}
		if err := out.add(features); err != nil {
			return nil, fmt.Errorf("window at sample %d: %w", at, err)
		}
	}
	return out, nil
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

// each calls f(i) for i in [0, n) on GOMAXPROCS goroutines until one fails or ctx ends. Of several errors it returns that of
// the lowest i, and prefers any to those that a cancellation causes.
func each(ctx context.Context, n int, progress func(done, total int), f func(i int) error) error {
	var (
		mu     sync.Mutex
		done   int
		failed = n
		first  error
		next   atomic.Int64
		stop   atomic.Bool
		wg     sync.WaitGroup
	)
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if stop.Load() || ctx.Err() != nil {
					return
				}
				err := f(i)
				mu.Lock()
				switch {
				case err != nil:
					stop.Store(true)
					if i < failed && !errors.Is(err, context.Canceled) {
						failed, first = i, err
					}
				default:
					if done++; progress != nil {
						progress(done, n)
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if first != nil {
		return first
	}
	return ctx.Err()
}
