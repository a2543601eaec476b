package op

import (
	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/gemm"
)

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
	keep := requiresGrad(l.Operands()...)
	y := output(rows*out, keep)
	act := l.result(y, keep)
	w, release := packed(l.w, 1, func(_ int, p *gemm.Packed) { p.Set(true, out, in, values(l.w), in) })
	defer release()
	w[0].Multiply(rows, values(l.x), in, bias(l.b), y, out, l.finish(act, y, out))
	l.y = Tensor(rows, out, act)
	return l.y, nil
}

// bias returns the values of b, or nil where there is none.
func bias(b mat.Tensor) []float32 {
	if b == nil {
		return nil
	}
	return values(b)
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
