package op

import (
	"fmt"

	"syncretic/adapt/gemm"
	"syncretic/adapt/op/elem"
)

// Activation is the function an operator applies to its result.
type Activation int

// The activations.
const (
	None Activation = iota
	GELU            // x·Φ(x), the erf form
	ReLU            // max(x, 0)
)

// activation applies act to an operator's result and remembers what its
// derivative needs.
type activation struct {
	act  Activation
	pre  []float32 // GELU's argument, kept for backward
	post []float32 // ReLU's result
}

// result returns where act(y) goes, y's own memory where backward does not need y. y [rows][cols] has no values yet.
func (a *activation) result(y []float32, keep bool) []float32 {
	switch a.act {
	case None:
	case GELU:
		if keep {
			a.pre = y
			return make([]float32, len(y))
		}
	case ReLU:
		if keep {
			a.post = y
		}
	default:
		panic(fmt.Sprintf("op: activation %d is not known", a.act))
	}
	return y
}

// finish returns the function that applies act to finished parts of the product y, whose rows have cols elements.
func (a *activation) finish(out, y []float32, cols int) gemm.Finish {
	if a.act == None {
		return nil
	}
	return func(row, rows, col, n int) {
		for at := row*cols + col; at < (row+rows)*cols; at += cols {
			a.apply(out[at:at+n], y[at:at+n])
		}
	}
}

// apply writes act(y) to out, which may be y.
func (a *activation) apply(out, y []float32) {
	switch a.act {
	case GELU:
		elem.GELU(out, y)
	case ReLU:
		for i, v := range y {
			out[i] = max(v, 0)
		}
	}
}

// forward returns act(y) of an operator that has computed y [rows][cols] whole.
func (a *activation) forward(y []float32, rows, cols int, keep bool) []float32 {
	out := a.result(y, keep)
	if a.act != None {
		parallelRows(rows, cols, func(lo, hi int) { a.apply(out[lo*cols:hi*cols], y[lo*cols:hi*cols]) })
	}
	return out
}

// backward multiplies g by the derivative of act, in place.
func (a *activation) backward(g []float32, rows, cols int) {
	switch a.act {
	case GELU:
		parallelRows(rows, cols, func(lo, hi int) { elem.GELUGrad(g[lo*cols:hi*cols], a.pre[lo*cols:hi*cols]) })
		a.pre = nil
	case ReLU:
		parallelRows(rows, cols, func(lo, hi int) {
			for i := lo * cols; i < hi*cols; i++ {
				if a.post[i] <= 0 {
					g[i] = 0
				}
			}
		})
		a.post = nil
	}
}
