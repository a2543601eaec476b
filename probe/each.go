package probe

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
)

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
