package op

import (
	"fmt"

	"github.com/nlpodyssey/spago/mat"
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

// apply drops elements of x, the first of which has the given index.
func (d Drop) apply(x []float32, index int) {
	threshold := uint32(float64(d.P) * (1 << 32))
	scale := 1 / (1 - d.P)
	for i := range x {
		n := uint64(index + i)
		bits := uint32(mix(d.Seed+(n>>1)*0x9e3779b97f4a7c15) >> (n & 1 * 32))
		if bits < threshold {
			x[i] = 0
		} else {
			x[i] *= scale
		}
	}
}

// mix is a bijection of the 64-bit integers whose output bits all depend on all
// input bits (SplitMix64's finaliser, Steele, Lea and Flood 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

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
		copy(y[lo*cols:hi*cols], x[lo*cols:hi*cols])
		l.drop.apply(y[lo*cols:hi*cols], lo*cols)
	})
	l.y = Tensor(rows, cols, y)
	return l.y, nil
}

func (l *dropout) Backward(gy mat.Tensor) error {
	rows, cols := dims(l.x)
	g := values(gy)
	parallelRows(rows, cols, func(lo, hi int) { l.drop.apply(g[lo*cols:hi*cols], lo*cols) })
	give(l.x, g)
	l.y.ZeroGrad()
	return nil
}
