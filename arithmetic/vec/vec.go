// Package vec holds the element-wise kernels of package arithmetic: float32 slices in, float32 slices out, one element
// at a time. Each result is rounded to nearest even after every operation: products and sums are never fused, so that
// all machines give the same bits. Slices of different lengths are a mistake of the caller and panic.
package vec

// Sub computes dst[i] −= x[i].
func Sub(dst, x []float32) {
	mustMatch(dst, x)
	x = x[:len(dst)]
	for i := range dst {
		dst[i] -= x[i]
	}
}

// Scale computes dst[i] ·= lambda.
func Scale(dst []float32, lambda float32) {
	for i := range dst {
		dst[i] *= lambda
	}
}

// AddScaled computes dst[i] += lambda·x[i]. The product is rounded before it is added.
func AddScaled(dst []float32, lambda float32, x []float32) {
	mustMatch(dst, x)
	x = x[:len(dst)]
	for i := range dst {
		dst[i] += float32(lambda * x[i])
	}
}

// AddScaledDifference computes dst[i] += lambda·(x[i] − y[i]), each step rounded: what Sub and then AddScaled give.
func AddScaledDifference(dst []float32, lambda float32, x, y []float32) {
	mustMatch(dst, x)
	mustMatch(dst, y)
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] += float32(lambda * float32(x[i]-y[i]))
	}
}

func mustMatch(a, b []float32) {
	if len(a) != len(b) {
		panic("vec: slices of different lengths")
	}
}
