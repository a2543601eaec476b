package op

import (
	"runtime"
	"sync"
	"sync/atomic"

	"syncretic/adapt/op/elem"
)

const (
	// blockElements is the number of elements one goroutine takes at a time.
	blockElements = 1 << 13
	// serialCost is the number of elementary operations below which starting
	// goroutines costs more than it saves.
	serialCost = 1 << 15
)

// parallel calls f(i) once for each i in [0, n), on up to GOMAXPROCS goroutines.
// cost estimates the elementary operations of all calls together.
func parallel(n, cost int, f func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 || cost < serialCost {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			f(i)
		}
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

// parallelRows calls f(lo, hi) for runs of rows that cover [0, rows). The bounds
// depend on the shape alone.
func parallelRows(rows, cols int, f func(lo, hi int)) {
	step := max(1, blockElements/max(1, cols))
	n := (rows + step - 1) / step
	parallel(n, rows*cols, func(i int) { f(i*step, min(rows, (i+1)*step)) })
}

// columnSums adds to dst[j] the sum over rows of g[row][j], rows being ld apart.
func columnSums(dst, g []float32, rows, ld, cols int) {
	const width, height = 64, 128
	n := (cols + width - 1) / width
	parallel(n, rows*cols, func(i int) {
		lo, hi := i*width, min(cols, (i+1)*width)
		var buffer [width]float32
		sum := buffer[:hi-lo]
		for r := 0; r < rows; r += height {
			clear(sum)
			elem.SumRows(sum, g[r*ld+lo:], min(height, rows-r), ld)
			elem.Add(dst[lo:hi], sum)
		}
	})
}
