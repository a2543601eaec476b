package encodec

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"syncretic/adapt/gemm"
)

// feed reads a recording and convolves it, chunk by chunk, as far as the LSTM.
type feed struct {
	e      *Encoder
	src    Samples
	total  int
	held   rows      // samples
	rows   []float32 // of the front's last level, for a chunk
	spans  []span
	down   scratch
	pieces []scratch // one a worker
}

func newFeed(e *Encoder, src Samples, n int) *feed {
	return &feed{e: e, src: src, total: n, held: rows{width: 1}, pieces: make([]scratch, runtime.GOMAXPROCS(0))}
}

// fill computes c.x from the samples that c's frames depend on.
func (f *feed) fill(ctx context.Context, c *chunk) error {
	e := f.e
	levels := f.spansOf(c)
	samples, top := levels[0], levels[len(levels)-1]
	if err := f.read(ctx, samples.lo, samples.hi); err != nil {
		return err
	}
	width := e.front[len(e.front)-1].width()
	f.rows = sized(f.rows, (top.hi-top.lo)*width)
	// A piece makes as many rows as its share of the chunk; the samples of its look-back are convolved twice.
	size := max(1, pieceFrames*e.down.stride)
	parallel((top.hi-top.lo+size-1)/size, len(f.pieces), func(worker, i int) {
		lo := top.lo + i*size
		hi := min(lo+size, top.hi)
		e.front.run(f.rows[(lo-top.lo)*width:(hi-top.lo)*width], f.held, lo, hi, f.total, &f.pieces[worker])
	})
	e.down.compute(c.x[:c.count*e.cfg.width()], rows{f.rows, top.lo, width}, c.first, c.first+c.count, top.total, &f.down, gemm.Multiply)
	return nil
}

// pieceFrames is the number of frames that a goroutine convolves at a time: the widest matrix of a piece, the first
// convolution's output, then has 5120 rows, 640 KiB for encodec_24khz.
const pieceFrames = 16

// spansOf returns the rows of each level of the front that chunk c needs.
func (f *feed) spansOf(c *chunk) []span {
	total := f.total
	for _, s := range f.e.front {
		total = s.length(total)
	}
	lo, hi := f.e.down.needs(c.first, c.first+c.count, total)
	f.spans = f.e.front.spans(lo, hi, f.total, f.spans)
	return f.spans
}

// read makes f.held hold samples [lo, hi), reading on from where it stopped.
func (f *feed) read(ctx context.Context, lo, hi int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	end := f.held.first + len(f.held.data)
	drop := min(lo-f.held.first, len(f.held.data))
	kept := copy(f.held.data, f.held.data[drop:])
	f.held.first += drop
	if hi <= end {
		f.held.data = f.held.data[:kept]
		return nil
	}
	data := f.held.data[:kept]
	if need := kept + hi - end; cap(data) < need {
		data = append(make([]float32, 0, need+need/8), data...)
	}
	f.held.data = data[:kept+hi-end]
	fresh := f.held.data[kept:]
	if err := f.src.ReadAt(fresh, end); err != nil {
		return err
	}
	return finite(fresh, end)
}

// parallel calls f(worker, i) once for each i in [0, n), on up to the given number of goroutines, each its own worker.
func parallel(n, workers int, f func(worker, i int)) {
	var next atomic.Int64
	work := func(worker int) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			f(worker, i)
		}
	}
	var wg sync.WaitGroup
	for w := range min(workers, n) - 1 {
		wg.Go(func() { work(w + 1) })
	}
	work(0)
	wg.Wait()
}
