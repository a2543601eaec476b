// Package vec holds the kernels of package arithmetic: float32 slices in, float32 slices or sums out.
//
// Element-wise results are rounded to nearest even after every operation: products and sums are never fused. Sums over a slice
// are float64 in sixteen partial sums p, where p[j] takes the elements whose index leaves the rest j by 16, in order; they are
// joined as a tree: p[j] += p[j+8], then p[j+4], p[j+2], p[j+1]. Products of two float32 are exact in float64. So all machines give
// the same bits, but for which NaN a NaN is: the AVX2 kernels (kernels_amd64.s, written by gen) and the portable Go that does the
// elements they leave over, and everything where the processor or the build (tag purego) has no AVX2. Slices of different lengths
// are a mistake of the caller and panic.
package vec

//go:generate sh -c "cd gen && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg vec"

// Sub computes dst[i] −= x[i].
func Sub(dst, x []float32) {
	mustMatch(dst, x)
	i := fastSub(dst, x)
	x = x[:len(dst)]
	for ; i < len(dst); i++ {
		dst[i] -= x[i]
	}
}

// Add computes dst[i] += x[i].
func Add(dst, x []float32) {
	mustMatch(dst, x)
	i := fastAdd(dst, x)
	x = x[:len(dst)]
	for ; i < len(dst); i++ {
		dst[i] += x[i]
	}
}

// Scale computes dst[i] ·= c.
func Scale(dst []float32, c float32) {
	for i := fastScale(dst, c); i < len(dst); i++ {
		dst[i] *= c
	}
}

// Divide computes dst[i] /= x[i], and leaves dst[i] where x[i] is 0.
func Divide(dst, x []float32) {
	mustMatch(dst, x)
	i := fastDivide(dst, x)
	x = x[:len(dst)]
	for ; i < len(dst); i++ {
		if x[i] != 0 {
			dst[i] /= x[i]
		}
	}
}

// DivideBy computes dst[i] /= c.
func DivideBy(dst []float32, c float32) {
	for i := fastDivideBy(dst, c); i < len(dst); i++ {
		dst[i] /= c
	}
}

// AddScaled computes dst[i] += c·x[i]. The product is rounded before it is added.
func AddScaled(dst []float32, c float32, x []float32) {
	mustMatch(dst, x)
	i := fastAddScaled(dst, c, x)
	x = x[:len(dst)]
	for ; i < len(dst); i++ {
		dst[i] += float32(c * x[i])
	}
}

// AddSquare computes dst[i] += x[i]². The square is rounded before it is added.
func AddSquare(dst, x []float32) {
	mustMatch(dst, x)
	i := fastAddSquare(dst, x)
	x = x[:len(dst)]
	for ; i < len(dst); i++ {
		dst[i] += float32(x[i] * x[i])
	}
}

// AddScaledDifference computes dst[i] += c·(x[i] − y[i]), each step rounded: what Sub and then AddScaled give.
func AddScaledDifference(dst []float32, c float32, x, y []float32) {
	mustMatch(dst, x)
	mustMatch(dst, y)
	i := fastAddScaledDifference(dst, c, x, y)
	x, y = x[:len(dst)], y[:len(dst)]
	for ; i < len(dst); i++ {
		dst[i] += float32(c * float32(x[i]-y[i]))
	}
}

// AddAgreeing adds up, element by element, what has the sign of the majority: where x[i] > 0 and majority[i] ≥ 0, or x[i] < 0 and
// not majority[i] ≥ 0, sum[i] += x[i] and, unless divisor is nil, divisor[i] += w. Nothing else changes: an x[i] of 0 or NaN takes
// no part. A majority of 0 is positive, and one of NaN negative, as in mergekit's election by sum.
func AddAgreeing(sum, divisor, x, majority []float32, w float32) {
	mustMatch(sum, x)
	mustMatch(sum, majority)
	if divisor != nil {
		mustMatch(sum, divisor)
	}
	for i := fastAddAgreeing(sum, divisor, x, majority, w); i < len(x); i++ {
		if v := x[i]; v > 0 && majority[i] >= 0 || v < 0 && !(majority[i] >= 0) {
			sum[i] += v
			if divisor != nil {
				divisor[i] += w
			}
		}
	}
}

func mustMatch(a, b []float32) {
	if len(a) != len(b) {
		panic("vec: slices of different lengths")
	}
}
