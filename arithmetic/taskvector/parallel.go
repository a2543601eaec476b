package taskvector

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// each calls f for 0 to n-1 on all cores, each worker with scratch of its own, and returns the first error by number. After an
// error, no further call begins.
func each(n int, f func(i int, s *scratch) error) error {
	var next, stop atomic.Int64
	var wg sync.WaitGroup
	failed := make([]error, n)
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			s := new(scratch)
			for stop.Load() == 0 {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if failed[i] = f(i, s); failed[i] != nil {
					stop.Store(1)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// scratch is one reader's room for a block and what it is made from.
type scratch struct {
	block, part, values []float32
	octets, mask        []byte
	numbers             []float32 // bytes as they are read
	places              []int32
	halves              []byte // numbers of 16 bits
	left, right         []float32
}

// room is n elements of a buffer that grows as far as it must.
func room[T any](buffer *[]T, n int) []T {
	if cap(*buffer) < n {
		*buffer = make([]T, n)
	}
	return (*buffer)[:n]
}

// scratches lends scratch, so that reads in the steady state allocate nothing.
type scratches struct{ pool sync.Pool }

func (p *scratches) get() *scratch {
	if s, ok := p.pool.Get().(*scratch); ok {
		return s
	}
	return new(scratch)
}

func (p *scratches) put(s *scratch) { p.pool.Put(s) }
