package op

import (
	"fmt"

	"github.com/nlpodyssey/spago/mat"

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

// forward returns act(y), in y's own memory where backward does not need y.
func (a *activation) forward(y []float32, rows, cols int, keep bool) []float32 {
	switch a.act {
	case None:
	case GELU:
		out := y
		if keep {
			a.pre, out = y, make([]float32, len(y))
		}
		parallelRows(rows, cols, func(lo, hi int) { elem.GELU(out[lo*cols:hi*cols], y[lo*cols:hi*cols]) })
		return out
	case ReLU:
		parallelRows(rows, cols, func(lo, hi int) {
			for i := lo * cols; i < hi*cols; i++ {
				y[i] = max(y[i], 0)
			}
		})
		if keep {
			a.post = y
		}
	default:
		panic(fmt.Sprintf("op: activation %d is not known", a.act))
	}
	return y
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

type linear struct {
	activation
	x, w, b mat.Tensor
	y       *mat.Dense[float32]
}

// Linear returns act(x·wᵀ + b): x [rows][in], w [out][in], b [out] or nil ->
// [rows][out].
func Linear(x, w, b mat.Tensor, act Activation) mat.Tensor {
	_, in := dims(x)
	out, _ := dims(w)
	mustShape("Linear", "w", w, out, in)
	if b != nil {
		mustSize("Linear", "b", b, out)
	}
	return run(&linear{activation: activation{act: act}, x: x, w: w, b: b})
}

func (l *linear) Operands() []mat.Tensor { return operands(l.x, l.w, l.b) }

func (l *linear) Forward() (mat.Tensor, error) {
	rows, in := dims(l.x)
	out, _ := dims(l.w)
	y := make([]float32, rows*out)
	if l.b != nil {
		fillRows(y, values(l.b), rows, out)
	}
	gemm.Multiply(false, true, rows, out, in, values(l.x), in, values(l.w), in, l.b != nil, y, out)
	l.y = Tensor(rows, out, l.forward(y, rows, out, requiresGrad(l.Operands()...)))
	return l.y, nil
}

func (l *linear) Backward(gy mat.Tensor) error {
	rows, in := dims(l.x)
	out, _ := dims(l.w)
	g := values(gy)
	l.backward(g, rows, out)
	addGrad(l.w, func(dst []float32, accumulate bool) {
		gemm.Multiply(true, false, out, in, rows, g, out, values(l.x), in, accumulate, dst, in)
	})
	addGrad(l.b, func(dst []float32, _ bool) { columnSums(dst, g, rows, out, out) })
	if l.x.RequiresGrad() {
		gx := make([]float32, rows*in)
		gemm.Multiply(false, false, rows, in, out, g, out, values(l.w), in, false, gx, in)
		give(l.x, gx)
	}
	l.y.ZeroGrad()
	return nil
}

// fillRows copies b to every row of y [rows][cols].
func fillRows(y, b []float32, rows, cols int) {
	parallelRows(rows, cols, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			copy(y[r*cols:(r+1)*cols], b)
		}
	})
}
