package kmeans

import (
	"math"
	"math/rand/v2"
	"sort"
)

// seeds chooses size frames of the residual by greedy k-means++ and returns them, [size][dim].
func (f *fitting) seeds(size int, rng *rand.Rand) []float32 {
	candidates := 2 + int(math.Log(float64(size)))
	near := f.distance // squared distance of each frame to the nearest seed so far
	for i := range near {
		near[i] = float32(math.Inf(1))
	}
	trial := make([]float32, f.n*candidates) // [candidates][n]: near, were the candidate added
	cumulative := make([]float64, f.n)
	out := make([]float32, 0, size*f.dim)
	drawn := []int{rng.IntN(f.n)}
	for {
		kept := f.tryCandidates(drawn, near, trial)
		copy(near, trial[kept*f.n:(kept+1)*f.n])
		at := drawn[kept]
		out = append(out, f.residual[at*f.dim:(at+1)*f.dim]...)
		if len(out) == size*f.dim {
			return out
		}
		var sum float64
		for i, d := range near {
			sum += float64(d)
			cumulative[i] = sum
		}
		drawn = drawn[:0]
		for range candidates {
			drawn = append(drawn, draw(cumulative, rng))
		}
	}
}

// draw picks an index with the probability of its share in the sums; any index when all shares are 0.
func draw(cumulative []float64, rng *rand.Rand) int {
	n := len(cumulative)
	if cumulative[n-1] == 0 {
		return rng.IntN(n)
	}
	x := rng.Float64() * cumulative[n-1]
	return min(sort.Search(n, func(i int) bool { return cumulative[i] > x }), n-1)
}

// tryCandidates fills trial and returns the candidate with the smallest sum, the first among equals.
func (f *fitting) tryCandidates(drawn []int, near, trial []float32) int {
	k := len(drawn)
	centres := make([]float32, 0, k*f.dim)
	for _, i := range drawn {
		centres = append(centres, f.residual[i*f.dim:(i+1)*f.dim]...)
	}
	book := plainCodebook(centres, k, f.dim)
	blocks := f.n/rowBlock + 1
	sums := make([]float64, k*blocks)
	eachBlock(f.n, func(w *worker, lo, hi int) {
		book.score(w, f.residual[lo*f.dim:hi*f.dim])
		for i := lo; i < hi; i++ {
			for j, s := range w.scores[(i-lo)*k : (i-lo+1)*k] {
				d := min(near[i], squaredDistance(f.norms[i], s))
				if i == drawn[j] {
					d = 0 // exactly, where rounding would leave a chance to draw it again
				}
				trial[j*f.n+i] = d
				sums[j*blocks+lo/rowBlock] += float64(d)
			}
		}
	})
	kept, least := 0, math.Inf(1)
	for j := range k {
		if sum := total(sums[j*blocks : (j+1)*blocks]); sum < least {
			kept, least = j, sum
		}
	}
	return kept
}
