package op

import (
	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op/elem"
)

type layerNorm struct {
	x, w, b mat.Tensor
	eps     float32
	stats   []float32 // mean and 1/deviation of every row
	y       *mat.Dense[float32]
}

// LayerNorm normalises every row of x to mean 0 and variance 1, then applies w
// and b: (x − mean)/√(var + eps)·w + b with the population variance. x
// [rows][C], w and b [C] -> [rows][C].
func LayerNorm(x, w, b mat.Tensor, eps float32) mat.Tensor {
	_, c := dims(x)
	mustSize("LayerNorm", "w", w, c)
	mustSize("LayerNorm", "b", b, c)
	return run(&layerNorm{x: x, w: w, b: b, eps: eps})
}

func (l *layerNorm) Operands() []mat.Tensor { return []mat.Tensor{l.x, l.w, l.b} }

func (l *layerNorm) Forward() (mat.Tensor, error) {
	rows, c := dims(l.x)
	keep := requiresGrad(l.Operands()...)
	x, w, b, y := values(l.x), values(l.w), values(l.b), output(rows*c, keep)
	if keep {
		l.stats = make([]float32, 2*rows)
	}
	parallelRows(rows, c, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			in := x[r*c : (r+1)*c]
			mean, scale := elem.Moments(in, l.eps)
			elem.Normalise(y[r*c:(r+1)*c], in, w, b, mean, scale)
			if l.stats != nil {
				l.stats[2*r], l.stats[2*r+1] = mean, scale
			}
		}
	})
	l.y = Tensor(rows, c, y)
	return l.y, nil
}

// normBlock is the number of rows whose contributions to a gradient are summed by
// themselves, so that the sum does not depend on the number of goroutines.
const normBlock = 64

func (l *layerNorm) Backward(gy mat.Tensor) error {
	rows, c := dims(l.x)
	x, w, g := values(l.x), values(l.w), values(gy)
	blocks := (rows + normBlock - 1) / normBlock
	sums := borrow(blocks * 2 * c) // gradients of w and b of every block
	defer sums.release()
	clear(sums.data)
	parallel(blocks, 4*rows*c, func(i int) {
		dw, db := sums.data[i*2*c:i*2*c+c], sums.data[i*2*c+c:(i+1)*2*c]
		for r := i * normBlock; r < min(rows, (i+1)*normBlock); r++ {
			elem.NormaliseGrad(g[r*c:(r+1)*c], x[r*c:(r+1)*c], w, dw, db, l.stats[2*r], l.stats[2*r+1])
		}
	})
	addGrad(l.w, func(dst []float32, _ bool) { elem.SumRows(dst, sums.data, blocks, 2*c) })
	addGrad(l.b, func(dst []float32, _ bool) { elem.SumRows(dst, sums.data[c:], blocks, 2*c) })
	if l.x.RequiresGrad() {
		give(l.x, g)
	}
	l.stats = nil
	l.y.ZeroGrad()
	return nil
}
