package optim

import (
	"fmt"
	"math"
)

// ClipGradNorm limits the global L2 norm of the gradients to max and returns the
// norm before clipping:
//
//	norm = sqrt(Σ g²) over all parameters,   g := g · min(1, max / (norm + 1e-6))
//
// as torch.nn.utils.clip_grad_norm_ does; unlike there, the sum is in float64,
// over fixed blocks in the order of params. A gradient that holds NaN or ±Inf
// makes the returned norm NaN or +Inf, and then no gradient is changed: the
// caller decides whether to skip the step. With max 0 or +Inf the norm is only
// measured. Without any gradient the norm is 0. A negative or NaN max panics.
func ClipGradNorm(params []Param, max float64) (norm float64) {
	if !(max >= 0) {
		panic(fmt.Sprintf("optim: ClipGradNorm: max is %v, want 0 or more", max))
	}
	blocks := gradBlocks(params)
	sums := make([]float64, len(blocks))
	parallel(len(blocks), func(i int) { sums[i] = sumOfSquares(blocks[i].grad) })
	var total float64
	for _, s := range sums {
		total += s
	}
	norm = math.Sqrt(total)
	if math.IsNaN(norm) || math.IsInf(norm, 0) || max == 0 {
		return norm
	}
	factor := max / (norm + 1e-6)
	if factor >= 1 {
		return norm
	}
	parallel(len(blocks), func(i int) {
		f := float32(factor)
		g := blocks[i].grad
		for j := range g {
			g[j] *= f
		}
	})
	return norm
}

// sumOfSquares returns Σ x², as four interleaved sums so that additions overlap.
// No float32 square overflows a float64, so Inf comes only from an Inf in x.
func sumOfSquares(x []float32) float64 {
	var s0, s1, s2, s3 float64
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d := float64(x[0]), float64(x[1]), float64(x[2]), float64(x[3])
		s0 += float64(a * a)
		s1 += float64(b * b)
		s2 += float64(c * c)
		s3 += float64(d * d)
	}
	for _, v := range x {
		s0 += float64(float64(v) * float64(v))
	}
	return (s0 + s1) + (s2 + s3)
}
