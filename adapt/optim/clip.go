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
	mustLimit("ClipGradNorm", max)
	blocks := gradBlocks(params)
	norm = gradNorm(blocks)
	if factor := clipFactor(norm, max); factor != 1 {
		parallel(len(blocks), func(i int) { scaleBy(blocks[i].grad, factor) })
	}
	return norm
}

// mustLimit panics where max is no limit of a norm: a caller's bug.
func mustLimit(function string, max float64) {
	if !(max >= 0) {
		panic(fmt.Sprintf("optim: %s: max is %v, want 0 or more", function, max))
	}
}

// gradNorm returns the L2 norm of the gradients of all blocks.
func gradNorm(blocks []block) float64 {
	sums := make([]float64, len(blocks))
	parallel(len(blocks), func(i int) { sums[i] = sumOfSquares(blocks[i].grad) })
	var total float64
	for _, s := range sums {
		total += s
	}
	return math.Sqrt(total)
}

// clipFactor returns what limits gradients of a norm to max: 1 where they stay as
// they are.
func clipFactor(norm, max float64) float32 {
	factor := max / (norm + 1e-6)
	if max == 0 || math.IsInf(norm, 0) || !(factor < 1) { // nor where norm is NaN
		return 1
	}
	return float32(factor)
}

// scaleBy multiplies x by s.
func scaleBy(x []float32, s float32) {
	for i := fastScale(x, s); i < len(x); i++ {
		x[i] *= s
	}
}

// partial are the sixteen sums that a sum of squares consists of: p[j] takes, in
// order, the elements whose index leaves the rest j by 16.
type partial [16]float64

// join adds them as a tree: p[j] += p[j+8], then p[j+4], p[j+2], p[j+1].
func (p *partial) join() float64 {
	for half := len(p) / 2; half > 0; half /= 2 {
		for j := range half {
			p[j] += p[j+half]
		}
	}
	return p[0]
}

// sumOfSquares returns Σ x² in float64. No float32 square overflows a float64, so
// Inf comes only from an Inf in x.
func sumOfSquares(x []float32) float64 {
	var p partial
	n := fastSquares(&p, x) // a multiple of 16
	squaresGo(&p, x[n:])
	return p.join()
}

// squaresGo adds the squares of x, which are exact, to their partial sums.
func squaresGo(p *partial, x []float32) {
	for ; len(x) >= len(p); x = x[len(p):] {
		for j, v := range x[:len(p)] {
			p[j] += float64(float64(v) * float64(v))
		}
	}
	for j, v := range x {
		p[j] += float64(float64(v) * float64(v))
	}
}
