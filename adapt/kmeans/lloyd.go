package kmeans

import (
	"context"
	"runtime"
	"sync"
)

// fitting holds the frames that are worked on at once: the residual left by the codebooks so far, and what the current one makes of it.
type fitting struct {
	n, dim   int
	residual []float32 // [n][dim]
	norms    []float64 // [n]: |residual|²
	codes    []int32   // [n]
	distance []float32 // [n]: squared, to the frame's own centre
}

func newFitting(n, dim int) *fitting {
	return &fitting{n: n, dim: dim, residual: make([]float32, n*dim), norms: make([]float64, n), codes: make([]int32, n), distance: make([]float32, n)}
}

// resize makes it one of n frames, at most as many as it was made for.
func (f *fitting) resize(n int) {
	f.n, f.residual, f.norms, f.codes, f.distance = n, f.residual[:n*f.dim], f.norms[:n], f.codes[:n], f.distance[:n]
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
		at := f.furthest(counts)
		if at < 0 {
			return
		}
		counts[f.codes[at]]--
		counts[j] = 1
		f.codes[at], f.distance[at] = int32(j), 0
	}
}

// furthest is the frame that is furthest from its own centre and not alone there, the lowest among equals; -1 when there is none off
// its centre.
func (f *fitting) furthest(counts []int) int {
	at := -1
	for i, d := range f.distance {
		if d > 0 && counts[f.codes[i]] > 1 && (at < 0 || d > f.distance[at]) {
			at = i
		}
	}
	return at
}

// means returns each centre's mean frame; a centre without frames keeps its old place.
func (f *fitting) means(counts []int, old []float32) []float32 {
	out := make([]float32, len(old))
	sums := make([]float64, len(old))
	f.sum(sums)
	for j, n := range counts {
		for d := j * f.dim; d < (j+1)*f.dim; d++ {
			if out[d] = old[d]; n > 0 {
				out[d] = float32(sums[d] / float64(n))
			}
		}
	}
	return out
}

// sum adds each frame to its centre's sum, [centres][dim], in the order of the frames. Workers take columns, so that no sum is divided
// between them.
func (f *fitting) sum(sums []float64) {
	const columns = 16 // one cache line of float32
	dim := f.dim
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
		})
	}
	wg.Wait()
}

// subtract replaces the residual by what book leaves of it.
func (f *fitting) subtract(book *codebook) {
	eachBlock(f.n, func(w *worker, lo, hi int) {
		book.quantize(w, f.residual[lo*f.dim:hi*f.dim], f.codes[lo:hi])
	})
}

// shift subtracts a frame from every frame.
func (f *fitting) shift(by []float32) {
	eachBlock(f.n, func(_ *worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			row := f.residual[i*f.dim : (i+1)*f.dim]
			for d, m := range by {
				row[d] -= m
			}
		}
	})
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
