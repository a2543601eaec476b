package elem

// SumRows adds to dst the rows of x, which has len(dst) columns and rows ld apart.
func SumRows(dst, x []float32, rows, ld int) {
	if extent(rows, ld, len(dst), x) {
		sumRows(dst, x, rows, ld)
	}
}

// SquareRows adds to dst the squares of the rows of x − mean.
func SquareRows(dst, x, mean []float32, rows, ld int) {
	if extent(rows, ld, len(dst), x) {
		squareRows(dst, x, mean[:len(dst)], rows, ld)
	}
}

// DotRows adds to dst the products of the rows of g and of x − mean.
func DotRows(dst, g, x, mean []float32, rows, ld int) {
	if extent(rows, ld, len(dst), x) && extent(rows, ld, len(dst), g) {
		dotRows(dst, g, x, mean[:len(dst)], rows, ld)
	}
}

// NormaliseColumns writes (x−mean)·gain + b to dst, all of one length.
func NormaliseColumns(dst, x, mean, gain, b []float32) {
	if n := len(x); n > 0 {
		normaliseColumns(dst[:n], x, mean[:n], gain[:n], b[:n])
	}
}

// NormaliseColumnsGrad replaces g by (g − m − (x−mean)·q)·gain.
func NormaliseColumnsGrad(g, x, mean, gain, m, q []float32) {
	if n := len(x); n > 0 {
		normaliseColumnsGrad(g[:n], x, mean[:n], gain[:n], m[:n], q[:n])
	}
}

// FilterWidth is the number of columns that Filter and FilterGrad work on.
const FilterWidth = 16

// FilterTaps is the number of taps that FilterGrad works on.
const FilterTaps = 5

// Filter convolves one channel with FilterWidth filters:
// y[row][o] = Σ_k w[k][o]·x[row·stride + k]. The rows of y are ldy apart, those
// of w ldw.
func Filter(y []float32, ldy int, x []float32, stride int, w []float32, ldw, taps, rows int) {
	if taps > 0 && extent(rows, ldy, FilterWidth, y) && extent(rows, stride, taps, x) && extent(taps, ldw, FilterWidth, w) {
		filter(y, ldy, x, stride, w, ldw, taps, rows)
	}
}

// FilterGrad adds Σ_row g[row][o]·x[row·stride + k] to dw[k][o] for FilterTaps taps.
func FilterGrad(dw []float32, ldw int, g []float32, ldg int, x []float32, stride, rows int) {
	if extent(rows, ldg, FilterWidth, g) && extent(rows, stride, FilterTaps, x) && extent(FilterTaps, ldw, FilterWidth, dw) {
		filterGrad(dw, ldw, g, ldg, x, stride, rows)
	}
}

// extent reports whether there is anything to do, and panics where x is shorter
// than the given rows and columns, which the kernels would read beyond.
func extent(rows, ld, cols int, x []float32) bool {
	if rows <= 0 || cols <= 0 {
		return false
	}
	_ = x[(rows-1)*ld+cols-1]
	return true
}
