// Package elem is the arithmetic of adapt/op that works on one element or one
// row at a time: exponentials, GELU, softmax, sums and products of slices.
package elem

// GELU writes x·Φ(x) of every element of x to dst. dst may be x.
func GELU(dst, x []float32) {
	_ = dst[:len(x)]
	for i, v := range x {
		cdf, _ := normal(v)
		dst[i] = v * cdf
	}
}

// GELUGrad multiplies every element of g by the derivative of GELU at x.
func GELUGrad(g, x []float32) {
	_ = g[:len(x)]
	for i, v := range x {
		cdf, pdf := normal(v)
		g[i] *= cdf + v*pdf
	}
}

// Exp writes e^x of every element of x to dst. dst may be x.
func Exp(dst, x []float32) {
	_ = dst[:len(x)]
	for i, v := range x {
		dst[i] = exp(v)
	}
}

// Softmax replaces row by softmax(scale·row).
func Softmax(row []float32, scale float32) {
	if len(row) == 0 {
		return
	}
	top := row[0]
	for _, v := range row {
		top = max(top, v)
	}
	var sum float32
	for i, v := range row {
		e := exp((v - top) * scale)
		row[i] = e
		sum += e
	}
	Scale(row, 1/sum)
}

// SoftmaxGrad replaces d, the gradient of p = softmax(scale·x), by that of x:
// scale·p·(d − ⟨p, d⟩).
func SoftmaxGrad(d, p []float32, scale float32) {
	s := Dot(p, d)
	for i, v := range p {
		d[i] = v * (d[i] - s) * scale
	}
}

// Add adds x to dst.
func Add(dst, x []float32) {
	_ = dst[:len(x)]
	for i, v := range x {
		dst[i] += v
	}
}

// AddScaled adds s·x to dst.
func AddScaled(dst, x []float32, s float32) {
	_ = dst[:len(x)]
	for i, v := range x {
		dst[i] += s * v
	}
}

// Scale multiplies x by s.
func Scale(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}

// Dot returns ⟨a, b⟩.
func Dot(a, b []float32) float32 {
	var s float32
	for i, v := range a {
		s += v * b[i]
	}
	return s
}
