package op

import (
	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/gemm"
)

type qkv struct {
	x    mat.Tensor
	w, b [3]mat.Tensor
	y    *mat.Dense[float32]
}

// QKV returns the queries, keys and values of x side by side: x [rows][C],
// weights [C][C], biases [C] or nil -> [rows][3C], which Attention takes.
func QKV(x, wq, bq, wk, bk, wv, bv mat.Tensor) mat.Tensor {
	f := &qkv{x: x, w: [3]mat.Tensor{wq, wk, wv}, b: [3]mat.Tensor{bq, bk, bv}}
	_, c := dims(x)
	for i, name := range [3]string{"wq", "wk", "wv"} {
		mustShape("QKV", name, f.w[i], c, c)
		if f.b[i] != nil {
			mustSize("QKV", "b"+name[1:], f.b[i], c)
		}
	}
	return run(f)
}

func (l *qkv) Operands() []mat.Tensor {
	return operands(l.x, l.w[0], l.w[1], l.w[2], l.b[0], l.b[1], l.b[2])
}

func (l *qkv) Forward() (mat.Tensor, error) {
	rows, c := dims(l.x)
	y := output(rows*3*c, requiresGrad(l.Operands()...))
	w, release := packed(l.w[0], 3, func(i int, p *gemm.Packed) { p.Set(true, c, c, values(l.w[i]), c) })
	defer release()
	for i := range w {
		w[i].Multiply(rows, values(l.x), c, bias(l.b[i]), y[i*c:], 3*c, nil)
	}
	l.y = Tensor(rows, 3*c, y)
	return l.y, nil
}

func (l *qkv) Backward(gy mat.Tensor) error {
	rows, c := dims(l.x)
	g := values(gy)
	for i := range l.w {
		addGrad(l.w[i], func(dst []float32, accumulate bool) {
			gemm.Multiply(true, false, c, c, rows, g[i*c:], 3*c, values(l.x), c, accumulate, dst, c)
		})
		addGrad(l.b[i], func(dst []float32, _ bool) { columnSums(dst, g[i*c:], rows, 3*c, c) })
	}
	if l.x.RequiresGrad() {
		gx := make([]float32, rows*c)
		for i := range l.w {
			gemm.Multiply(false, false, rows, c, c, g[i*c:], 3*c, values(l.w[i]), c, i > 0, gx, c)
		}
		give(l.x, gx)
	}
	l.y.ZeroGrad()
	return nil
}
