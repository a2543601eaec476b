package op

import (
	"fmt"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op/elem"
)

// Drop sets an operator's dropout: each element becomes 0 with probability P, the
// others are divided by 1−P. Whether element i is dropped depends on (Seed, i)
// alone, so that nothing is stored and forward and backward agree. The zero value
// drops nothing.
type Drop struct {
	P    float32 // in [0, 1)
	Seed uint64
}

// validate panics where P is not a probability below 1.
func (d Drop) validate(operator string) {
	if !(d.P >= 0 && d.P < 1) {
		panic(fmt.Sprintf("op: %s: dropout probability %v, want one in [0, 1)", operator, d.P))
	}
}

// apply writes x with elements dropped to dst, which may be x; index is that of the first.
func (d Drop) apply(dst, x []float32, index int) { elem.Drop(dst, x, d.P, d.Seed, index) }

type dropout struct {
	x    mat.Tensor
	drop Drop
	y    *mat.Dense[float32]
}

// Dropout drops elements of x as drop says. With P = 0 it returns x itself.
func Dropout(x mat.Tensor, drop Drop) mat.Tensor {
	drop.validate("Dropout")
	if drop.P == 0 {
		return x
	}
	return run(&dropout{x: x, drop: drop})
}

func (l *dropout) Operands() []mat.Tensor { return []mat.Tensor{l.x} }

func (l *dropout) Forward() (mat.Tensor, error) {
	rows, cols := dims(l.x)
	x, y := values(l.x), make([]float32, rows*cols)
	parallelRows(rows, cols, func(lo, hi int) {
		l.drop.apply(y[lo*cols:hi*cols], x[lo*cols:hi*cols], lo*cols)
	})
	l.y = Tensor(rows, cols, y)
	return l.y, nil
}

func (l *dropout) Backward(gy mat.Tensor) error {
	rows, cols := dims(l.x)
	g := values(gy)
	parallelRows(rows, cols, func(lo, hi int) { l.drop.apply(g[lo*cols:hi*cols], g[lo*cols:hi*cols], lo*cols) })
	give(l.x, g)
	l.y.ZeroGrad()
	return nil
}
