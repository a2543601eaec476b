package op

import (
	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op/elem"
)

type addScaled struct {
	a, b mat.Tensor
	s    float32
	y    *mat.Dense[float32]
}

// AddScaled returns a + s·b, both [rows][cols]: a residual connection that weighs
// its input, as DeepNorm's does.
func AddScaled(a, b mat.Tensor, s float32) mat.Tensor {
	rows, cols := dims(a)
	mustShape("AddScaled", "b", b, rows, cols)
	return run(&addScaled{a: a, b: b, s: s})
}

func (l *addScaled) Operands() []mat.Tensor { return []mat.Tensor{l.a, l.b} }

func (l *addScaled) Forward() (mat.Tensor, error) {
	rows, cols := dims(l.a)
	a, b, y := values(l.a), values(l.b), make([]float32, rows*cols)
	parallelRows(rows, cols, func(lo, hi int) {
		copy(y[lo*cols:hi*cols], a[lo*cols:hi*cols])
		elem.AddScaled(y[lo*cols:hi*cols], b[lo*cols:hi*cols], l.s)
	})
	l.y = Tensor(rows, cols, y)
	return l.y, nil
}

func (l *addScaled) Backward(gy mat.Tensor) error {
	rows, cols := dims(l.a)
	g := values(gy)
	if l.b.RequiresGrad() {
		scaled := g // given away below unless a wants it
		if l.a.RequiresGrad() {
			scaled = make([]float32, len(g))
		}
		parallelRows(rows, cols, func(lo, hi int) {
			copy(scaled[lo*cols:hi*cols], g[lo*cols:hi*cols])
			elem.Scale(scaled[lo*cols:hi*cols], l.s)
		})
		give(l.b, scaled)
	}
	if l.a.RequiresGrad() {
		give(l.a, g)
	}
	l.y.ZeroGrad()
	return nil
}
