package probe

import (
	"context"
	"errors"
	"runtime"
	"sync"
)

// pass is one go through the shards that are missing: GOMAXPROCS goroutines compute items, of the next shard while the last of the one
// before are under way or it is written.
type pass struct {
	*filling
	todo []int // shards, in order

	mu      sync.Mutex
	freed   *sync.Cond // a shard was finished, or the pass stopped
	active  map[*building]bool
	current *building // that has items to hand out, or nil
	failed  int       // index into f.items of the first error
	err     error
	stopped bool
}

// pass claims and computes shards of todo until no more can be claimed.
func (f *filling) pass(ctx context.Context, todo []int) error {
	p := &pass{filling: f, todo: todo, active: map[*building]bool{}}
	p.freed = sync.NewCond(&p.mu)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(todo)*shardItems) {
		wg.Go(func() {
			for {
				b, i := p.next(ctx)
				if b == nil {
					return
				}
				p.item(ctx, b, i)
			}
		})
	}
	wg.Wait()
	for b := range p.active { // after an error
		p.err = errors.Join(p.err, b.release())
	}
	if p.err != nil {
		return p.err
	}
	return ctx.Err()
}

// next returns an item to compute, after claiming a shard where needed; nil for none. So that memory holds few items, it waits while
// more shards are open than keep all goroutines busy.
func (p *pass) next(ctx context.Context) (*building, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.stopped || ctx.Err() != nil {
			return nil, 0
		}
		if b := p.current; b != nil && b.next < len(b.pools) {
			b.next++
			return b, b.next - 1
		}
		if len(p.todo) == 0 {
			return nil, 0
		}
		if len(p.active) >= 2+runtime.GOMAXPROCS(0)/shardItems {
			p.freed.Wait()
			continue
		}
		b, err := p.claim(p.todo[0])
		p.todo = p.todo[1:]
		if err != nil {
			p.fail(0, err)
			return nil, 0
		}
		if b != nil {
			p.current, p.active[b] = b, true
		}
	}
}

// fail notes an error; of several the one of the first item counts, and any more than those that a cancellation causes. The caller holds
// p.mu.
func (p *pass) fail(item int, err error) {
	p.stopped = true
	if p.err == nil || item < p.failed && !errors.Is(err, context.Canceled) || errors.Is(p.err, context.Canceled) {
		p.failed, p.err = item, err
	}
	p.freed.Broadcast()
}

// item computes one item, and writes the shard when it was the last.
func (p *pass) item(ctx context.Context, b *building, i int) {
	result, err := p.compute(ctx, p.items[b.from+i])
	var bad error
	if p.opts.skips(err) {
		bad, err = err, nil
	}
	p.mu.Lock()
	if err != nil {
		p.fail(b.from+i, p.ds.named(p.items[b.from+i], err))
		p.mu.Unlock()
		return
	}
	b.pools[i], b.bad[i] = result, bad
	b.left--
	last := b.left == 0
	p.mu.Unlock()
	p.report(1)
	if !last {
		return
	}
	err = p.write(ctx, b)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.active, b)
	if err = errors.Join(err, b.release()); err != nil {
		p.fail(b.from, err)
		return
	}
	p.computed += len(b.pools)
	p.freed.Broadcast()
}
