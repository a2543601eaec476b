package op

import (
	"math"

	"github.com/nlpodyssey/spago/mat"
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
	x, w, b, y := values(l.x), values(l.w), values(l.b), make([]float32, rows*c)
	if requiresGrad(l.Operands()...) {
		l.stats = make([]float32, 2*rows)
	}
	parallelRows(rows, c, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			in, out := x[r*c:(r+1)*c], y[r*c:(r+1)*c]
			mean, scale := rowMoments(in, l.eps)
			for j, v := range in {
				out[j] = (v-mean)*scale*w[j] + b[j]
			}
			if l.stats != nil {
				l.stats[2*r], l.stats[2*r+1] = mean, scale
			}
		}
	})
	l.y = Tensor(rows, c, y)
	return l.y, nil
}

// rowMoments returns the mean of x and 1/√(var + eps).
func rowMoments(x []float32, eps float32) (mean, scale float32) {
	var s, q float64
	for _, v := range x {
		s += float64(v)
	}
	m := s / float64(len(x))
	for _, v := range x {
		d := float64(v) - m
		q += d * d
	}
	return float32(m), float32(1 / math.Sqrt(q/float64(len(x))+float64(eps)))
}

func (l *layerNorm) Backward(gy mat.Tensor) error {
	rows, c := dims(l.x)
	x, w, g := values(l.x), values(l.w), values(gy)
	addGrad(l.w, func(dst []float32, _ bool) {
		for r := range rows {
			mean, scale := l.stats[2*r], l.stats[2*r+1]
			for j, v := range x[r*c : (r+1)*c] {
				dst[j] += g[r*c+j] * (v - mean) * scale
			}
		}
	})
	addGrad(l.b, func(dst []float32, _ bool) { columnSums(dst, g, rows, c, c) })
	if l.x.RequiresGrad() {
		parallelRows(rows, c, func(lo, hi int) {
			for r := lo; r < hi; r++ {
				mean, scale := l.stats[2*r], l.stats[2*r+1]
				in, d := x[r*c:(r+1)*c], g[r*c:(r+1)*c]
				var s, q float64
				for j, v := range d {
					v *= w[j]
					d[j] = v
					s += float64(v)
					q += float64(v) * float64((in[j]-mean)*scale)
				}
				ms, mq := float32(s/float64(c)), float32(q/float64(c))
				for j, v := range d {
					d[j] = (v - ms - (in[j]-mean)*scale*mq) * scale
				}
			}
		})
		give(l.x, g)
	}
	l.stats = nil
	l.y.ZeroGrad()
	return nil
}
