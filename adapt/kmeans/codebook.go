package kmeans

import (
	"runtime"
	"sync"
	"sync/atomic"

	"syncretic/adapt/gemm"
)

// codebook is one stage, prepared for distances. With a shift, distances are formed between frames minus the shift and
// centres minus the shift, so that an offset common to all does not cost the digits in which they differ.
type codebook struct {
	size, dim int
	centres   []float32 // [size][dim]
	shift     []float32 // [dim]: the mean of the centres; nil for none
	moved     []float32 // [size][dim]: centres − shift; centres itself without a shift
	half      []float32 // [size]: ½|moved|²
}

// newCodebook prepares centres for frames that may have a large common offset.
func newCodebook(centres []float32, size, dim int) codebook {
	sum := make([]float64, dim)
	for i, v := range centres {
		sum[i%dim] += float64(v)
	}
	shift := make([]float32, dim)
	for d := range shift {
		shift[d] = float32(sum[d] / float64(size))
	}
	moved := make([]float32, len(centres))
	for i, v := range centres {
		moved[i] = v - shift[i%dim]
	}
	c := plainCodebook(moved, size, dim)
	c.centres, c.shift = centres, shift
	return c
}

// plainCodebook prepares centres for frames whose mean is near 0.
func plainCodebook(centres []float32, size, dim int) codebook {
	c := codebook{size: size, dim: dim, centres: centres, moved: centres, half: make([]float32, size)}
	for j := range size {
		c.half[j] = float32(squares(centres[j*dim:(j+1)*dim]) / 2)
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

// score returns the rows of r minus the shift, in w.x or r itself, and fills w.scores. The squared distance of row x to
// centre j is |x|² − 2·scores[row][j].
func (c *codebook) score(w *worker, r []float32) []float32 {
	rows, x := len(r)/c.dim, r
	if c.shift != nil {
		w.x = sized(w.x, len(r))
		x = w.x
		for i := 0; i < len(r); i += c.dim {
			src, dst := r[i:i+c.dim], x[i:i+c.dim]
			for d, m := range c.shift {
				dst[d] = src[d] - m
			}
		}
	}
	w.scores = sized(w.scores, rows*c.size)
	gemm.MultiplySerial(false, true, rows, c.size, c.dim, x, c.dim, c.moved, c.dim, false, w.scores, c.size)
	for i := range rows {
		s := w.scores[i*c.size : (i+1)*c.size]
		for j, h := range c.half {
			s[j] -= h
		}
	}
	return x
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

// quantize replaces the rows of r by their residuals and writes their codes.
func (c *codebook) quantize(w *worker, r []float32, codes []int32) {
	rows := c.score(w, r)
	for i := range codes {
		j := best(w.scores[i*c.size : (i+1)*c.size])
		codes[i] = int32(j)
		centre, x, dst := c.moved[j*c.dim:(j+1)*c.dim], rows[i*c.dim:(i+1)*c.dim], r[i*c.dim:(i+1)*c.dim]
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
