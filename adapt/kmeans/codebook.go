package kmeans

import (
	"runtime"
	"sync"
	"sync/atomic"

	"syncretic/adapt/gemm"
)

// codebook is one stage, prepared for distances: centres minus their mean, so that a common offset of frames and
// centres does not cost the digits in which they differ.
type codebook struct {
	size, dim int
	centres   []float32 // [size][dim]
	shift     []float32 // [dim]: the mean of the centres
	moved     []float32 // [size][dim]: centres − shift
	half      []float32 // [size]: ½|moved|²
}

func newCodebook(centres []float32, size, dim int) codebook {
	sum := make([]float64, dim)
	for i, v := range centres {
		sum[i%dim] += float64(v)
	}
	shift := make([]float32, dim)
	for d := range shift {
		shift[d] = float32(sum[d] / float64(size))
	}
	return shiftedCodebook(centres, shift, size, dim)
}

func shiftedCodebook(centres, shift []float32, size, dim int) codebook {
	c := codebook{size: size, dim: dim, centres: centres, shift: shift}
	c.moved = make([]float32, len(centres))
	c.half = make([]float32, size)
	for j := range size {
		var norm float64
		for d, m := range shift {
			v := centres[j*dim+d] - m
			c.moved[j*dim+d] = v
			norm += float64(v) * float64(v)
		}
		c.half[j] = float32(norm / 2)
	}
	return c
}

// rowBlock is the number of frames worked on at once. It is fixed, so that no sum depends on the number of workers.
const rowBlock = 512

// worker holds the buffers of one goroutine.
type worker struct {
	x      []float32 // [rows][dim]: frames − shift
	scores []float32 // [rows][size]: x·c − ½|c|², the largest for the nearest centre
}

// eachBlock calls work for every block [lo, hi) of n rows, on up to GOMAXPROCS goroutines.
func eachBlock(n int, work func(w *worker, lo, hi int)) {
	blocks := (n + rowBlock - 1) / rowBlock
	var next atomic.Int64
	loop := func() {
		var w worker
		for {
			b := int(next.Add(1)) - 1
			if b >= blocks {
				return
			}
			work(&w, b*rowBlock, min(n, (b+1)*rowBlock))
		}
	}
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), blocks) - 1 {
		wg.Go(loop)
	}
	loop()
	wg.Wait()
}

// score fills w.x and w.scores for rows of r. Row i's squared distance to centre j is |x_i|² − 2·scores[i][j].
func (c *codebook) score(w *worker, r []float32) {
	rows := len(r) / c.dim
	w.x, w.scores = sized(w.x, len(r)), sized(w.scores, rows*c.size)
	for i := range rows {
		src, dst := r[i*c.dim:(i+1)*c.dim], w.x[i*c.dim:(i+1)*c.dim]
		for d, m := range c.shift {
			dst[d] = src[d] - m
		}
	}
	gemm.MultiplySerial(false, true, rows, c.size, c.dim, w.x, c.dim, c.moved, c.dim, false, w.scores, c.size)
	for i := range rows {
		s := w.scores[i*c.size : (i+1)*c.size]
		for j, h := range c.half {
			s[j] -= h
		}
	}
}

// best returns the index of the largest score, the lowest among equals.
func best(scores []float32) int {
	at := 0
	for j, v := range scores {
		if v > scores[at] {
			at = j
		}
	}
	return at
}

// quantize replaces rows of r by their residuals and writes their codes, given buffers. w.x is overwritten.
func (c *codebook) quantize(w *worker, r []float32, codes []int32) {
	c.score(w, r)
	for i := range codes {
		j := best(w.scores[i*c.size : (i+1)*c.size])
		codes[i] = int32(j)
		centre, x, dst := c.moved[j*c.dim:(j+1)*c.dim], w.x[i*c.dim:(i+1)*c.dim], r[i*c.dim:(i+1)*c.dim]
		for d, m := range centre {
			dst[d] = x[d] - m
		}
	}
}

func sized(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
