//go:build !(amd64 || arm64) || purego

package elem

func gelu(dst, x []float32) { geluGo(dst, x) }

func geluGrad(g, x []float32) { geluGradGo(g, x) }

func largest(x []float32) float32 { return largestGo(x) }

func expSum(x []float32, top, scale float32) float32 { return expSumGo(x, top, scale) }

func softmaxGrad(d, p []float32, m, scale float32) { softmaxGradGo(d, p, m, scale) }

func add(dst, x []float32) { addGo(dst, x) }

func addScaled(dst, x []float32, s float32) { addScaledGo(dst, x, s) }

func scaleBy(x []float32, s float32) { scaleByGo(x, s) }

func sum(x []float32) float32 { return sumGo(x) }

func sumSquares(x []float32, mean float32) float32 { return sumSquaresGo(x, mean) }

func dot(a, b []float32) float32 { return dotGo(a, b) }

func normalise(dst, x, w, b []float32, mean, scale float32) { normaliseGo(dst, x, w, b, mean, scale) }

func normaliseSums(g, x, w, dw, db []float32, mean, scale float32) (s, q float32) {
	return normaliseSumsGo(g, x, w, dw, db, mean, scale)
}

func normaliseGrad(g, x []float32, mean, scale, m, q float32) {
	normaliseGradGo(g, x, mean, scale, m, q)
}

func sumRows(dst, x []float32, rows, ld int) { sumRowsGo(dst, x, rows, ld) }

func squareRows(dst, x, mean []float32, rows, ld int) { squareRowsGo(dst, x, mean, rows, ld) }

func dotRows(dst, g, x, mean []float32, rows, ld int) { dotRowsGo(dst, g, x, mean, rows, ld) }

func normaliseColumns(dst, x, mean, gain, b []float32) { normaliseColumnsGo(dst, x, mean, gain, b) }

func normaliseColumnsGrad(g, x, mean, gain, m, q []float32) {
	normaliseColumnsGradGo(g, x, mean, gain, m, q)
}

func filter(y []float32, ldy int, x []float32, stride int, w []float32, ldw, taps, rows int) {
	filterGo(y, ldy, x, stride, w, ldw, taps, rows)
}

func filterGrad(dw []float32, ldw int, g []float32, ldg int, x []float32, stride, rows int) {
	filterGradGo(dw, ldw, g, ldg, x, stride, rows)
}

func elu(dst, x []float32) { eluGo(dst, x) }

func logistic(x []float32, slope, top, bottom float32) { logisticGo(x, slope, top, bottom) }

func addProduct(dst, w []float32, ld int, x []float32) { addProductGo(dst, w, ld, x) }

func drop(dst, x []float32, scale float32, threshold uint32, state uint64) {
	dropGo(dst, x, scale, threshold, state)
}

// useSIMD reports that there are no kernels.
func useSIMD() bool { return false }
