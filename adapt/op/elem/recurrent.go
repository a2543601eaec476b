package elem

// ELU writes x to dst where x is positive, and e^x − 1 elsewhere, within 2e-7 of
// the value. dst may be x.
func ELU(dst, x []float32) {
	if len(x) > 0 {
		elu(dst[:len(x)], x)
	}
}

// Sigmoid replaces x by 1/(1 + e^−x), within 2e-7.
func Sigmoid(x []float32) {
	if len(x) > 0 {
		logistic(x, 1, 1, 0)
	}
}

// Tanh replaces x by tanh x = 2/(1 + e^−2x) − 1, within 3e-7: unlike ELU, not
// relative to the value.
func Tanh(x []float32) {
	if len(x) > 0 {
		logistic(x, 2, 2, -1)
	}
}

// AddProduct adds W·x to dst: dst[i] += Σ_k w[i·ld + k]·x[k].
func AddProduct(dst, w []float32, ld int, x []float32) {
	if len(x) > 0 && extent(len(dst), ld, len(x), w) {
		addProduct(dst, w, ld, x)
	}
}
