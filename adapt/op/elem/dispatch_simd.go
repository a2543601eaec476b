//go:build (amd64 || arm64) && !purego

package elem

import (
	"sync"

	"syncretic/adapt/kernel"
)

// useSIMD reports whether this process runs the kernels of kernels_amd64.s (AVX2)
// or kernels_arm64.s (NEON). It is asked before each of them: an atomic load.
func useSIMD() bool {
	simd.once.Do(askSIMD)
	return simd.use
}

// simd is the answer, sought at the first question.
var simd struct {
	once sync.Once
	use  bool
}

func askSIMD() { simd.use = kernel.Allowed(kernel.AVX2) || kernel.Allowed(kernel.NEON) }

// total adds the lanes of a reduction in a fixed order.
func total(t []float32) float32 {
	return ((t[0] + t[4]) + (t[2] + t[6])) + ((t[1] + t[5]) + (t[3] + t[7]))
}

func gelu(dst, x []float32) {
	if useSIMD() {
		geluSIMD(&dst[0], &x[0], len(x))
	} else {
		geluGo(dst, x)
	}
}

func geluGrad(g, x []float32) {
	if useSIMD() {
		geluGradSIMD(&g[0], &x[0], len(x))
	} else {
		geluGradGo(g, x)
	}
}

func largest(x []float32) float32 {
	if useSIMD() {
		var t [8]float32
		maxSIMD(&x[0], len(x), &t[0])
		return max(t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7])
	}
	return largestGo(x)
}

func expSum(x []float32, top, scale float32) float32 {
	if useSIMD() {
		var t [8]float32
		expSumSIMD(&x[0], len(x), top, scale, &t[0])
		return total(t[:])
	}
	return expSumGo(x, top, scale)
}

func softmaxGrad(d, p []float32, m, scale float32) {
	if useSIMD() {
		softmaxGradSIMD(&d[0], &p[0], len(p), m, scale)
	} else {
		softmaxGradGo(d, p, m, scale)
	}
}

func add(dst, x []float32) {
	if useSIMD() {
		addSIMD(&dst[0], &x[0], len(x))
	} else {
		addGo(dst, x)
	}
}

func addScaled(dst, x []float32, s float32) {
	if useSIMD() {
		addScaledSIMD(&dst[0], &x[0], len(x), s)
	} else {
		addScaledGo(dst, x, s)
	}
}

func scaleBy(x []float32, s float32) {
	if useSIMD() {
		scaleSIMD(&x[0], len(x), s)
	} else {
		scaleByGo(x, s)
	}
}

func sum(x []float32) float32 {
	if useSIMD() {
		var t [8]float32
		sumSIMD(&x[0], len(x), &t[0])
		return total(t[:])
	}
	return sumGo(x)
}

func sumSquares(x []float32, mean float32) float32 {
	if useSIMD() {
		var t [8]float32
		sumSquaresSIMD(&x[0], len(x), mean, &t[0])
		return total(t[:])
	}
	return sumSquaresGo(x, mean)
}

func dot(a, b []float32) float32 {
	if useSIMD() {
		var t [8]float32
		dotSIMD(&a[0], &b[0], len(a), &t[0])
		return total(t[:])
	}
	return dotGo(a, b)
}

func normalise(dst, x, w, b []float32, mean, scale float32) {
	if useSIMD() {
		normaliseSIMD(&dst[0], &x[0], &w[0], &b[0], len(x), mean, scale)
	} else {
		normaliseGo(dst, x, w, b, mean, scale)
	}
}

func normaliseSums(g, x, w, dw, db []float32, mean, scale float32) (s, q float32) {
	if useSIMD() {
		var t [16]float32
		normaliseSumsSIMD(&g[0], &x[0], &w[0], &dw[0], &db[0], len(x), mean, scale, &t[0])
		return total(t[:8]), total(t[8:])
	}
	return normaliseSumsGo(g, x, w, dw, db, mean, scale)
}

func normaliseGrad(g, x []float32, mean, scale, m, q float32) {
	if useSIMD() {
		normaliseGradSIMD(&g[0], &x[0], len(x), mean, scale, m, q)
	} else {
		normaliseGradGo(g, x, mean, scale, m, q)
	}
}

func sumRows(dst, x []float32, rows, ld int) {
	if useSIMD() {
		sumRowsSIMD(&dst[0], &x[0], rows, ld, len(dst))
	} else {
		sumRowsGo(dst, x, rows, ld)
	}
}

func squareRows(dst, x, mean []float32, rows, ld int) {
	if useSIMD() {
		squareRowsSIMD(&dst[0], &x[0], &mean[0], rows, ld, len(dst))
	} else {
		squareRowsGo(dst, x, mean, rows, ld)
	}
}

func dotRows(dst, g, x, mean []float32, rows, ld int) {
	if useSIMD() {
		dotRowsSIMD(&dst[0], &g[0], &x[0], &mean[0], rows, ld, len(dst))
	} else {
		dotRowsGo(dst, g, x, mean, rows, ld)
	}
}

func normaliseColumns(dst, x, mean, gain, b []float32) {
	if useSIMD() {
		normaliseColumnsSIMD(&dst[0], &x[0], &mean[0], &gain[0], &b[0], len(x))
	} else {
		normaliseColumnsGo(dst, x, mean, gain, b)
	}
}

func normaliseColumnsGrad(g, x, mean, gain, m, q []float32) {
	if useSIMD() {
		normaliseColumnsGradSIMD(&g[0], &x[0], &mean[0], &gain[0], &m[0], &q[0], len(x))
	} else {
		normaliseColumnsGradGo(g, x, mean, gain, m, q)
	}
}

func filter(y []float32, ldy int, x []float32, stride int, w []float32, ldw, taps, rows int) {
	if useSIMD() {
		filterSIMD(&y[0], ldy, &x[0], stride, &w[0], ldw, taps, rows)
	} else {
		filterGo(y, ldy, x, stride, w, ldw, taps, rows)
	}
}

func filterGrad(dw []float32, ldw int, g []float32, ldg int, x []float32, stride, rows int) {
	if useSIMD() {
		filterGradSIMD(&dw[0], ldw, &g[0], ldg, &x[0], stride, rows)
	} else {
		filterGradGo(dw, ldw, g, ldg, x, stride, rows)
	}
}

func elu(dst, x []float32) {
	if useSIMD() {
		eluSIMD(&dst[0], &x[0], len(x))
	} else {
		eluGo(dst, x)
	}
}

func logistic(x []float32, slope, top, bottom float32) {
	if useSIMD() {
		logisticSIMD(&x[0], len(x), -slope, top, bottom)
	} else {
		logisticGo(x, slope, top, bottom)
	}
}

func addProduct(dst, w []float32, ld int, x []float32) {
	if !useSIMD() {
		addProductGo(dst, w, ld, x)
		return
	}
	var t [32]float32
	i := 0
	for ; i+4 <= len(dst); i += 4 {
		dotFourSIMD(&w[i*ld], ld, &x[0], len(x), &t[0])
		for r := range 4 {
			dst[i+r] += total(t[8*r:])
		}
	}
	for ; i < len(dst); i++ {
		dst[i] += dot(x, w[i*ld:])
	}
}

func drop(dst, x []float32, scale float32, threshold uint32, state uint64) {
	if useSIMD() {
		dropSIMD(&dst[0], &x[0], len(x), scale, threshold, state)
	} else {
		dropGo(dst, x, scale, threshold, state)
	}
}
