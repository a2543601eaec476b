package gemm

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// serialWork is the number of multiplications below which another goroutine
// costs more than it saves.
const serialWork = 1 << 18

// workersFor returns on how many goroutines to run that many multiplications.
func workersFor(work int) int { return max(1, min(runtime.GOMAXPROCS(0), work/serialWork)) }

// schedule cuts C into strips of rows, and those into chunks of columns. Each goroutine has strips of its own, whose rows of
// A it copies once; when done with them it helps with the chunks of others. So one that starts late, or loses its core for a
// while, does not hold up the rest.
type schedule struct {
	height, strips int // rows of a strip
	panels, chunks int // panels of B in a chunk
}

// newSchedule cuts C for that many goroutines: strips and chunks fit into the caches, and there are a few for each
// goroutine. No cut changes a sum.
func (kn *Kernel) newSchedule(m, n, workers int) schedule {
	panels := (n + kn.cols - 1) / kn.cols
	s := schedule{height: kn.mc, panels: max(1, kn.nc/kn.cols)}
	for {
		s.strips = (m + s.height - 1) / s.height
		s.height = roundUp((m+s.strips-1)/s.strips, kn.rows)
		s.strips = (m + s.height - 1) / s.height
		s.chunks = (panels + s.panels - 1) / s.panels
		s.panels = (panels + s.chunks - 1) / s.chunks
		s.chunks = (panels + s.panels - 1) / s.panels
		switch {
		case workers == 1 || s.strips*s.chunks >= 4*workers:
			return s
		case s.panels > 4:
			s.panels = (s.panels + 1) / 2
		case s.height > 4*kn.rows:
			s.height = roundUp(s.height/2, kn.rows)
		default:
			return s
		}
	}
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// run calls work for every chunk of every strip, on up to that many goroutines, of which the caller is one. Each has the
// work of its own that state returns, and calls done at its end.
func (s schedule) run(workers int, state func() (work func(strip, chunk int), done func())) {
	workers = min(workers, s.strips*s.chunks)
	next := make([]atomic.Int32, s.strips)
	var pending sync.WaitGroup // for chunks, not goroutines: one that starts too late finds none
	pending.Add(s.strips * s.chunks)
	walk := func(first int) {
		work, done := state()
		defer done()
		for i := range s.strips {
			strip := (first + i) % s.strips
			for chunk := int(next[strip].Add(1)) - 1; chunk < s.chunks; chunk = int(next[strip].Add(1)) - 1 {
				work(strip, chunk)
				pending.Done()
			}
		}
	}
	for w := 1; w < workers; w++ {
		go walk(w * s.strips / workers)
	}
	walk(0)
	pending.Wait()
}

// share calls f(0) to f(n-1) on up to that many goroutines.
func share(n, workers int, f func(i int)) {
	s := schedule{strips: 1, chunks: n}
	s.run(workers, func() (func(strip, chunk int), func()) {
		return func(_, chunk int) { f(chunk) }, func() {}
	})
}
