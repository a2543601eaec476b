// Package elem is the arithmetic of adapt/op that works on one element, one row
// or one column at a time: GELU, softmax, dropout, normalisation, sums and products.
//
// Every function has an AVX2 and a NEON version, used where the CPU has it and
// package kernel allows it, and a portable one in Go (portable.go; build tag
// purego leaves out the others). AVX2 and NEON do the same operations in the same
// order and give the same bits; the portable version agrees with them within a
// few units in the last place. Within one version an element's
// result does not depend on its place in the slice, so cutting work at other
// bounds gives the same bits; a sum over a slice depends on its length alone.
//
// Slices given together have the length of the first, or more. NaN goes in and
// out; the vector maximum of Softmax may overlook one, its result is NaN all the same.
package elem

//go:generate sh -c "cd gen && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg elem"
//go:generate go run -C gen ./neon -declarations ../kernels_amd64.go -out ../kernels_arm64.s -stubs ../kernels_arm64.go

import "math"

// GELU writes x·Φ(x) of every element of x to dst, within 1e-6. dst may be x.
func GELU(dst, x []float32) {
	if len(x) > 0 {
		gelu(dst[:len(x)], x)
	}
}

// GELUGrad multiplies every element of g by GELU's derivative at x, Φ(x) + x·φ(x).
func GELUGrad(g, x []float32) {
	if len(x) > 0 {
		geluGrad(g[:len(x)], x)
	}
}

// Softmax replaces row by softmax(scale·row), scale > 0, and returns
// ln Σ e^(scale·row) and the largest element of row.
func Softmax(row []float32, scale float32) (logSum float64, top float32) {
	if len(row) == 0 {
		return math.Inf(-1), float32(math.Inf(-1))
	}
	top = largest(row)
	sum := expSum(row, top, scale)
	scaleBy(row, 1/sum)
	return math.Log(float64(sum)) + float64(top)*float64(scale), top
}

// SoftmaxGrad replaces d, the gradient of p = softmax(scale·x), by that of x:
// scale·p·(d − ⟨p, d⟩).
func SoftmaxGrad(d, p []float32, scale float32) {
	if len(d) > 0 {
		softmaxGrad(d, p[:len(d)], dot(p[:len(d)], d), scale)
	}
}

// Add adds x to dst.
func Add(dst, x []float32) {
	if len(x) > 0 {
		add(dst[:len(x)], x)
	}
}

// AddScaled adds s·x to dst.
func AddScaled(dst, x []float32, s float32) {
	if len(x) > 0 {
		addScaled(dst[:len(x)], x, s)
	}
}

// Scale multiplies x by s.
func Scale(x []float32, s float32) {
	if len(x) > 0 {
		scaleBy(x, s)
	}
}

// Dot returns ⟨a, b⟩.
func Dot(a, b []float32) float32 {
	if len(a) == 0 {
		return 0
	}
	return dot(a, b[:len(a)])
}

// Moments returns the mean of x and 1/√(variance + eps), with the population
// variance computed from the differences to the mean.
func Moments(x []float32, eps float32) (mean, scale float32) {
	if len(x) == 0 {
		return 0, 0
	}
	n := float64(len(x))
	mean = float32(float64(sum(x)) / n)
	variance := float64(sumSquares(x, mean)) / n
	return mean, float32(1 / math.Sqrt(variance+float64(eps)))
}

// Normalise writes (x−mean)·scale·w + b to dst.
func Normalise(dst, x, w, b []float32, mean, scale float32) {
	if n := len(x); n > 0 {
		normalise(dst[:n], x, w[:n], b[:n], mean, scale)
	}
}

// NormaliseGrad is the backward pass of Normalise for one row: it adds
// g·(x−mean)·scale to dw and g to db, and replaces g by the gradient of x, mean
// and scale being functions of x as Moments computes them.
func NormaliseGrad(g, x, w, dw, db []float32, mean, scale float32) {
	n := len(x)
	if n == 0 {
		return
	}
	s, q := normaliseSums(g[:n], x, w[:n], dw[:n], db[:n], mean, scale)
	normaliseGrad(g[:n], x, mean, scale, s/float32(n), q/float32(n))
}
