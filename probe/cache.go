package probe

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"syncretic/checkpoint"
)

// shardItems is the number of items of a shard: few, for those under way are held in memory, and lost to a kill.
const shardItems = 8

// patience is how long a process that has nothing left to do waits before it looks again at what others compute.
const patience = 100 * time.Millisecond

// filling is a set of features in a cache while it is brought together.
type filling struct {
	dir     string // of this key
	key     string
	ds      *Dataset
	items   []int // of the dataset
	opts    ExtractOptions
	compute func(ctx context.Context, item int) (*pool, error)

	mu       sync.Mutex
	shards   []*shard // nil while one is missing
	spoilt   []string
	computed int // items
	done     int // items, for Progress
}

// fromCache reads features from a cache, after computing what it lacks.
func fromCache(ctx context.Context, ds *Dataset, items []int, origin Origin, opts ExtractOptions, compute func(context.Context, int) (*pool, error)) (_ *Features, err error) {
	f := &filling{key: origin.Key(), ds: ds, items: items, opts: opts, compute: compute}
	f.dir = filepath.Join(opts.Cache, f.key)
	f.shards = make([]*shard, (len(items)+shardItems-1)/shardItems)
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if err := describe(f.dir, entryInfo{Origin: origin, Dataset: ds.Name, Model: opts.Model}); err != nil {
		return nil, err
	}
	if err := f.fill(ctx); err != nil {
		return nil, err
	}
	return f.features(origin)
}

func (f *filling) close() {
	for _, s := range f.shards {
		if s != nil {
			s.model.Close()
		}
	}
}

// path is that of a shard.
func (f *filling) path(k int) string { return filepath.Join(f.dir, fmt.Sprintf("%05d.safetensors", k)) }

// span returns the items [from, to) of a shard, as indices into f.items.
func (f *filling) span(k int) (from, to int) {
	return k * shardItems, min((k+1)*shardItems, len(f.items))
}

// open opens a shard.
func (f *filling) open(k int) (*shard, error) {
	from, to := f.span(k)
	return openShard(f.path(k), shardInfo{Key: f.key, Shard: k, DType: f.opts.DType, Items: make([]shardItem, to-from)})
}

// adopt takes an open shard over. An item that it lacks is an error unless such may be left out.
func (f *filling) adopt(k int, s *shard) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shards[k] = s
	for i, item := range s.Items {
		if item.Skipped != "" && !f.opts.SkipBad {
			return f.ds.named(f.items[k*shardItems+i], fmt.Errorf("%w: %s", ErrInvalid, item.Skipped))
		}
		if s.Layers > 0 && item.Rows == 0 && item.Skipped == "" {
			return fmt.Errorf("%w: %s: item %d has no rows", ErrInvalid, f.path(k), i)
		}
	}
	return nil
}

// report tells Progress of n more items.
func (f *filling) report(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range n {
		if f.done++; f.opts.Progress != nil {
			f.opts.Progress(f.done, len(f.items))
		}
	}
}

// fill opens what is there, and computes what is missing and no other process has claimed; then it waits for the others. What a
// process that died had claimed is free again.
func (f *filling) fill(ctx context.Context) error {
	for {
		if err := f.look(ctx); err != nil {
			return err
		}
		var todo []int
		for k, s := range f.shards {
			if s == nil {
				todo = append(todo, k)
			}
		}
		if len(todo) == 0 {
			return freeLocks(f.dir, true)
		}
		began := f.computed
		if err := f.pass(ctx, todo); err != nil {
			return err
		}
		if f.computed > began {
			continue // others have had time, too
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(patience):
		}
	}
}

// look opens the shards that have appeared.
func (f *filling) look(ctx context.Context) error {
	return each(ctx, len(f.shards), nil, func(k int) error {
		if f.shards[k] != nil {
			return nil
		}
		s, err := f.open(k)
		switch {
		case missing(err) || spoilt(err): // whoever claims it sees to it
			return nil
		case err != nil:
			return err
		}
		f.report(len(s.Items))
		return f.adopt(k, s)
	})
}

// claim takes a shard for this process. It is nil where another has it, or made it meanwhile.
func (f *filling) claim(k int) (_ *building, err error) {
	release, err := checkpoint.LockFile(filepath.Join(f.dir, fmt.Sprintf("%05d.lock", k)))
	if errors.Is(err, checkpoint.ErrLocked) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := f.open(k)
	switch {
	case err == nil:
		f.report(len(s.Items))
		return nil, errors.Join(f.adopt(k, s), release())
	case spoilt(err):
		f.mu.Lock()
		f.spoilt = append(f.spoilt, err.Error())
		f.mu.Unlock()
	case !missing(err):
		return nil, errors.Join(err, release())
	}
	from, to := f.span(k)
	return &building{k: k, from: from, left: to - from, pools: make([]*pool, to-from), bad: make([]error, to-from), release: release}, nil
}

// building is a shard whose items are being computed.
type building struct {
	k, from int
	next    int // item to hand out
	left    int // items that are not done
	pools   []*pool
	bad     []error // why an item is left out
	release func() error
}

// write stores a shard whose items are all done.
func (f *filling) write(ctx context.Context, b *building) error {
	info := shardInfo{Key: f.key, Shard: b.k, DType: f.opts.DType}
	var raw []byte
	shape := Features{}
	for i, p := range b.pools {
		at := f.items[b.from+i]
		item := f.ds.Items[at]
		entry := shardItem{ID: item.ID, Start: item.Start, End: item.End}
		if b.bad[i] != nil {
			entry.Skipped = b.bad[i].Error()
			info.Items = append(info.Items, entry)
			continue
		}
		if err := shape.sameShape(f.ds, at, p.layers, p.dim); err != nil {
			return err
		}
		var beyond int
		if raw, beyond = appendValues(raw, p.values, f.opts.DType); beyond >= 0 {
			return fmt.Errorf("%w: dataset %q: item %s: the feature %v is beyond %s: keep features as F32", ErrInvalid, f.ds.Name, item.ID, p.values[beyond], f.opts.DType)
		}
		entry.Rows = p.rows()
		info.Items = append(info.Items, entry)
		b.pools[i] = nil
	}
	info.Layers, info.Dim = shape.Layers, shape.Dim
	if err := writeShard(ctx, f.path(b.k), info, raw); err != nil {
		return err
	}
	s, err := f.open(b.k)
	if err != nil {
		return err
	}
	return f.adopt(b.k, s)
}

// features joins the shards.
func (f *filling) features(origin Origin) (*Features, error) {
	out := &Features{Origin: origin, Computed: f.computed, Spoilt: f.spoilt}
	for k, s := range f.shards {
		from, _ := f.span(k)
		for i, item := range s.Items {
			at := f.items[from+i]
			if item.Skipped != "" {
				out.leaveOut(f.ds, at, item.Skipped)
				continue
			}
			if err := out.sameShape(f.ds, at, s.Layers, s.Dim); err != nil {
				return nil, err
			}
			for range item.Rows {
				out.Items = append(out.Items, at)
			}
		}
	}
	if err := out.someLeft(f.ds); err != nil {
		return nil, err
	}
	out.Rows = newCached(f.shards, out.Layers, out.Dim)
	return out, nil
}
