package kmeans

import (
	"context"
	"runtime"
	"sync"
)

// fitting is the state of a fit: the residual left by the codebooks so far, and what the current one makes of it.
type fitting struct {
	n, dim   int
	residual []float32 // [n][dim]
	norms    []float64 // [n]: |residual|²
	codes    []int32   // [n]
	distance []float32 // [n]: squared, to the frame's own centre
}

func newFitting(frames []float32, dim int) *fitting {
	n := len(frames) / dim
	f := &fitting{n: n, dim: dim, residual: make([]float32, len(frames)), norms: make([]float64, n), codes: make([]int32, n), distance: make([]float32, n)}
	copy(f.residual, frames)
	return f
}

// lloyd moves centres by the given number of steps and returns where they come to lie. The argument is not changed.
func (f *fitting) lloyd(ctx context.Context, centres []float32, size, steps int) ([]float32, error) {
	for range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		book := plainCodebook(centres, size, f.dim)
		f.assign(&book)
		counts := f.count(size)
		f.fillEmpty(counts)
		centres = f.means(counts, centres)
	}
	return centres, ctx.Err()
}

// assign sets every frame's code and distance.
func (f *fitting) assign(book *codebook) {
	eachBlock(f.n, func(w *worker, lo, hi int) {
		book.score(w, f.residual[lo*f.dim:hi*f.dim])
		for i := lo; i < hi; i++ {
			s := w.scores[(i-lo)*book.size : (i-lo+1)*book.size]
			j := best(s)
			f.codes[i] = int32(j)
			f.distance[i] = squaredDistance(f.norms[i], s[j])
		}
	})
}

// squaredDistance is |x|² − 2·score, not below 0.
func squaredDistance(norm float64, score float32) float32 {
	return float32(max(0, norm-2*float64(score)))
}

func squares(x []float32) float64 {
	var a, b float64
	for ; len(x) >= 2; x = x[2:] {
		a += float64(x[0]) * float64(x[0])
		b += float64(x[1]) * float64(x[1])
	}
	if len(x) == 1 {
		a += float64(x[0]) * float64(x[0])
	}
	return a + b
}

func (f *fitting) count(size int) []int {
	counts := make([]int, size)
	for _, c := range f.codes {
		counts[c]++
	}
	return counts
}

// fillEmpty gives each centre without frames, lowest first, the frame that is furthest from its own centre and not alone
// there. When every frame lies on its centre there is nothing to give and the centre stays where it was.
func (f *fitting) fillEmpty(counts []int) {
	for j, c := range counts {
		if c > 0 {
			continue
		}
		at := -1
		for i, d := range f.distance {
			if d > 0 && counts[f.codes[i]] > 1 && (at < 0 || d > f.distance[at]) {
				at = i
			}
		}
		if at < 0 {
			return
		}
		counts[f.codes[at]]--
		counts[j] = 1
		f.codes[at], f.distance[at] = int32(j), 0
	}
}

// means returns each centre's mean frame, summed in float64 in the order of the frames; a centre without frames keeps its
// old place. Workers take columns, so that no sum is divided between them.
func (f *fitting) means(counts []int, old []float32) []float32 {
	const columns = 16 // one cache line of float32
	dim := f.dim
	out := make([]float32, len(old))
	sums := make([]float64, len(old))
	parts := min(runtime.GOMAXPROCS(0), (dim+columns-1)/columns)
	var wg sync.WaitGroup
	for p := range parts {
		lo, hi := dim*p/parts, dim*(p+1)/parts
		wg.Go(func() {
			for i, c := range f.codes {
				sum := sums[int(c)*dim+lo : int(c)*dim+hi]
				for d, v := range f.residual[i*dim+lo : i*dim+hi] {
					sum[d] += float64(v)
				}
			}
			for j, n := range counts {
				for d := j*dim + lo; d < j*dim+hi; d++ {
					if out[d] = old[d]; n > 0 {
						out[d] = float32(sums[d] / float64(n))
					}
				}
			}
		})
	}
	wg.Wait()
	return out
}

// subtract replaces the residual by what book leaves of it.
func (f *fitting) subtract(book *codebook) {
	eachBlock(f.n, func(w *worker, lo, hi int) {
		book.quantize(w, f.residual[lo*f.dim:hi*f.dim], f.codes[lo:hi])
	})
}

// centre moves the residual's mean frame to 0 and returns what was subtracted.
func (f *fitting) centre() []float32 {
	clear(f.codes)
	mean := f.means([]int{f.n}, make([]float32, f.dim))
	eachBlock(f.n, func(_ *worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			row := f.residual[i*f.dim : (i+1)*f.dim]
			for d, m := range mean {
				row[d] -= m
			}
		}
	})
	return mean
}

// measure sets the norms and returns their sum.
func (f *fitting) measure() float64 {
	sums := make([]float64, f.n/rowBlock+1)
	eachBlock(f.n, func(_ *worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			f.norms[i] = squares(f.residual[i*f.dim : (i+1)*f.dim])
			sums[lo/rowBlock] += f.norms[i]
		}
	})
	return total(sums)
}

func total(sums []float64) float64 {
	var t float64
	for _, s := range sums {
		t += s
	}
	return t
}
