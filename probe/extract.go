package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"syncretic/adapt/audio"
	"syncretic/checkpoint"
)

// ExtractOptions say which items Extract reads and how.
type ExtractOptions struct {
	Splits     []string              // nil for all
	Window     float64               // s; 0 gives an item to the encoder whole
	Resampling audio.Resampling      // of files that are not at 24 kHz; "" is audio.Kaiser
	Pool       Pool                  // rows of the result: windows or items; "" is PoolItems
	SkipBad    bool                  // leave out items whose file cannot be read, and name them, instead of failing
	InFlight   int                   // windows that are encoded at once; 0 for GOMAXPROCS
	Progress   func(done, total int) // items; called in order, one call at a time; nil for none

	// Encoder names all that decides what the encoder makes of samples: the SHA-256 of its weights and of its configuration, whether it
	// normalises each window. It goes into Features.Origin; with a Cache it must not be empty.
	Encoder map[string]string
	// Cache is a folder that keeps features from one run to the next, "" for none: see Extract.
	Cache string
	DType checkpoint.DType // of values in a cache: checkpoint.F32, "" for the same, or checkpoint.F16, which halves it
	Model string           // the encoder's name, for people who look into the cache
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

// check returns an error wrapping ErrConfig, or the options with defaults put in.
func (o ExtractOptions) check() (ExtractOptions, error) {
	o.Pool, o.DType = cmp.Or(o.Pool, PoolItems), cmp.Or(o.DType, checkpoint.F32)
	if o.InFlight <= 0 {
		o.InFlight = runtime.GOMAXPROCS(0)
	}
	var err error
	switch {
	case !(o.Window == 0 || o.Window >= shortest) || math.IsInf(o.Window, 0):
		err = fmt.Errorf("window of %v s, want 0 (the whole item) or at least %v", o.Window, shortest)
	case o.Pool != PoolWindows && o.Pool != PoolItems:
		err = fmt.Errorf("pool is %q, want %s or %s", o.Pool, PoolWindows, PoolItems)
	case o.DType != checkpoint.F32 && o.DType != checkpoint.F16:
		err = fmt.Errorf("dtype of features is %s, want %s or %s", o.DType, checkpoint.F32, checkpoint.F16)
	case o.DType == checkpoint.F16 && o.Cache == "":
		err = errors.New("dtype F16 is of the files of a cache, and there is none")
	case o.Cache != "" && len(o.Encoder) == 0:
		err = errors.New("a cache needs the encoder's identity")
	}
	if err != nil {
		return o, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return o, nil
}

// Extract computes the features of the items of the chosen splits: each item, or as much of it as its Limit allows, is cut into windows
// of Window seconds without overlap, and the encoder runs on each. A last window shorter than 1 s is dropped unless it is the only one.
// A row of the result is a window or, with PoolItems, the mean over an item's windows.
//
// Items run in parallel on GOMAXPROCS goroutines, each of which holds one window; InFlight of them are encoded at once. The result does
// not depend on either number. Errors name the item: audio that cannot be read, a crop that leaves the file, an encoder's error, features
// that are not finite or whose shape differs from the first item's (these wrap ErrInvalid); a cancelled ctx ends the work with its error.
// With SkipBad the items of a file that cannot be read are in Features.Skipped instead; a crop that a file does not have is an error all
// the same, and so is a dataset of which nothing is left.
//
// With a Cache, features are read from where they were computed before by the same encoder, from the same recordings, in the same way
// (Origin lists the parts), and what is missing is computed and kept there: memory then holds a few items, however many there are. The
// folder Cache/KEY has a file for every few items, written at once when they are done, while the next are encoded. After an
// interruption, also by a kill, no finished file is computed again. Several processes, on several machines where they share the folder
// and its locks, share the work: each item is computed once, and all return when all is done. A file whose bytes are not
// those that were written is computed again and named in Features.Spoilt. Close the features after use.
func Extract(ctx context.Context, ds *Dataset, ex Extractor, opts ExtractOptions) (*Features, error) {
	opts, err := opts.check()
	if err != nil {
		return nil, err
	}
	for _, split := range opts.Splits {
		if len(ds.Indices(split)) == 0 {
			return nil, fmt.Errorf("%w: dataset %q has no items in split %q", ErrInvalid, ds.Name, split)
		}
	}
	items := ds.chosen(opts.Splits)
	origin, err := originOf(ds, items, opts)
	if err != nil {
		return nil, err
	}
	slots := make(chan struct{}, opts.InFlight)
	compute := func(ctx context.Context, i int) (*pool, error) {
		return extract(ctx, ds.Items[i], ex, opts, slots)
	}
	if opts.Cache != "" {
		return fromCache(ctx, ds, items, origin, opts, compute)
	}
	return inMemory(ctx, ds, items, origin, opts, compute)
}

// skips tells whether an item with this error is left out.
func (o ExtractOptions) skips(err error) bool {
	return o.SkipBad && errors.As(err, new(unreadable)) && errors.Is(err, audio.ErrInvalid)
}

// inMemory computes all features and holds them.
func inMemory(ctx context.Context, ds *Dataset, items []int, origin Origin, opts ExtractOptions, compute func(context.Context, int) (*pool, error)) (*Features, error) {
	out := &Features{Origin: origin, Computed: len(items)}
	pools, bad := make([]*pool, len(items)), make([]error, len(items))
	err := each(ctx, len(items), opts.Progress, func(i int) (err error) {
		pools[i], err = compute(ctx, items[i])
		if opts.skips(err) {
			bad[i], err = err, nil
		}
		return ds.named(items[i], err)
	})
	if err != nil {
		return nil, err
	}
	for i, p := range pools {
		if bad[i] != nil {
			out.leaveOut(ds, items[i], bad[i].Error())
			continue
		}
		if err := out.sameShape(ds, items[i], p.layers, p.dim); err != nil {
			return nil, err
		}
		for range p.rows() {
			out.Items = append(out.Items, items[i])
		}
		out.Values = append(out.Values, p.values...)
		pools[i] = nil
	}
	return out, out.someLeft(ds)
}

// named says which item an error is about.
func (ds *Dataset) named(item int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("dataset %q: item %s: %w", ds.Name, ds.Items[item].ID, err)
}

// leaveOut names an item that cannot be read.
func (f *Features) leaveOut(ds *Dataset, item int, reason string) {
	f.Skipped = append(f.Skipped, SkippedItem{Item: item, Skipped: audio.Skipped{Path: ds.Items[item].Path, Reason: reason}})
}

// someLeft refuses features of nothing.
func (f *Features) someLeft(ds *Dataset) error {
	if len(f.Items) == 0 && len(f.Skipped) > 0 {
		return fmt.Errorf("%w: dataset %q: none of %d items can be read; the first: %s", ErrInvalid, ds.Name, len(f.Skipped), f.Skipped[0].Reason)
	}
	return nil
}

// sameShape takes the shape over from the first item, and holds all others to it.
func (f *Features) sameShape(ds *Dataset, item, layers, dim int) error {
	if f.Layers == 0 {
		f.Layers, f.Dim = layers, dim
	}
	if layers != f.Layers || dim != f.Dim {
		return fmt.Errorf("%w: dataset %q: item %s: features are [%d][%d], the first item's [%d][%d]", ErrInvalid,
			ds.Name, ds.Items[item].ID, layers, dim, f.Layers, f.Dim)
	}
	return nil
}
