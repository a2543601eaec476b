package op

import (
	"math"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op/elem"
)

type layerMix struct {
	x, w   mat.Tensor
	layers int
	y      *mat.Dense[float32]
}

// LayerMix returns Σ_l softmax(w)_l·x_l: x [rows][layers*dim], w [layers] ->
// [rows][dim].
func LayerMix(x, w mat.Tensor, layers int) mat.Tensor {
	_, c := dims(x)
	mustDivide("LayerMix", "columns (layers)", c, layers)
	mustSize("LayerMix", "w", w, layers)
	return run(&layerMix{x: x, w: w, layers: layers})
}

func (l *layerMix) Operands() []mat.Tensor { return []mat.Tensor{l.x, l.w} }

// shares returns softmax(w).
func (l *layerMix) shares() []float64 {
	w := values(l.w)
	p := make([]float64, len(w))
	top, sum := math.Inf(-1), 0.0
	for _, v := range w {
		top = max(top, float64(v))
	}
	for i, v := range w {
		p[i] = math.Exp(float64(v) - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

func (l *layerMix) Forward() (mat.Tensor, error) {
	rows, c := dims(l.x)
	dim := c / l.layers
	x, p, y := values(l.x), l.shares(), make([]float32, rows*dim)
	parallelRows(rows, c, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			for i, share := range p {
				elem.AddScaled(y[r*dim:(r+1)*dim], x[r*c+i*dim:r*c+(i+1)*dim], float32(share))
			}
		}
	})
	l.y = Tensor(rows, dim, y)
	return l.y, nil
}

func (l *layerMix) Backward(gy mat.Tensor) error {
	rows, c := dims(l.x)
	dim := c / l.layers
	x, p, g := values(l.x), l.shares(), values(gy)
	addGrad(l.w, func(dst []float32, _ bool) {
		d := make([]float64, l.layers) // gradient of each share
		for r := range rows {
			for i := range d {
				d[i] += float64(elem.Dot(g[r*dim:(r+1)*dim], x[r*c+i*dim:r*c+(i+1)*dim]))
			}
		}
		var mean float64
		for i, v := range d {
			mean += p[i] * v
		}
		for i, v := range d {
			dst[i] += float32(p[i] * (v - mean))
		}
	})
	if l.x.RequiresGrad() {
		gx := make([]float32, rows*c)
		parallelRows(rows, c, func(lo, hi int) {
			for r := lo; r < hi; r++ {
				for i, share := range p {
					elem.AddScaled(gx[r*c+i*dim:r*c+(i+1)*dim], g[r*dim:(r+1)*dim], float32(share))
				}
			}
		})
		give(l.x, gx)
	}
	l.y.ZeroGrad()
	return nil
}
