package method

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// blockElements is how many elements are worked on at a time: 32 KiB of float32, so that the blocks of several inputs stay in
// cache from the first operation on them to the last.
const blockElements = 1 << 13

// work lends blocks to one computation; they are kept for the next.
type work struct {
	blocks [][]float32
	used   int
	lists  [][]float32
}

var pool = sync.Pool{New: func() any { return new(work) }}

func borrow() *work { return pool.Get().(*work) }

func (w *work) giveBack() {
	w.reset()
	pool.Put(w)
}

func (w *work) reset() { w.used = 0 }

// block lends n elements, with whatever is in them, until reset.
func (w *work) block(n int) []float32 {
	if w.used == len(w.blocks) {
		w.blocks = append(w.blocks, make([]float32, blockElements))
	}
	w.used++
	return w.blocks[w.used-1][:n]
}

// list lends a list of n blocks to be. There is one.
func (w *work) list(n int) [][]float32 {
	w.lists = slices.Grow(w.lists[:0], n)[:n]
	return w.lists
}

// chunkElements is the length of one partial result of a pass. It is part of the result: partial results are joined in order,
// so that sums do not depend on how many workers share the chunks.
const chunkElements = 1 << 18

// chunk is a range of elements of a pass.
type chunk struct{ index, lo, hi int }

// overChunks calls f for the chunks of n elements on all cores, each of size elements but the last. It returns the first
// error by chunk. interrupt may be nil.
func overChunks(n, size int, interrupt func() error, f func(c chunk, w *work) error) error {
	count := (n + size - 1) / size
	var next, stop atomic.Int64
	var wg sync.WaitGroup
	failed := make([]error, count)
	for range min(runtime.GOMAXPROCS(0), count) {
		wg.Go(func() {
			w := borrow()
			defer w.giveBack()
			for stop.Load() == 0 {
				i := int(next.Add(1)) - 1
				if i >= count {
					return
				}
				var err error
				if interrupt != nil {
					err = interrupt()
				}
				if err == nil {
					err = f(chunk{i, i * size, min(n, (i+1)*size)}, w)
				}
				if err != nil {
					failed[i] = err
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

// scan makes a pass over the task: f sees each block of a chunk and adds to the chunk's part; the parts come back in order.
func scan[T any](t *Task, f func(part *T, offset, n int, w *work) error) ([]T, error) {
	total := t.Elements()
	parts := make([]T, (total+chunkElements-1)/chunkElements)
	err := overChunks(total, chunkElements, t.Interrupt, func(c chunk, w *work) error {
		for lo := c.lo; lo < c.hi; lo += blockElements {
			w.reset()
			if err := f(&parts[c.index], lo, min(blockElements, c.hi-lo), w); err != nil {
				return err
			}
		}
		return nil
	})
	return parts, err
}
