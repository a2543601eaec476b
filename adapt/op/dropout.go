package op

import (
	"fmt"
	"math"

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

// apply drops elements of x, the first of which has the given index. One number
// decides about two neighbours, an even index and the next.
func (d Drop) apply(x []float32, index int) {
	threshold := uint64(float64(d.P) * (1 << 32))
	scale, start := 1/(1-d.P), mix(d.Seed)
	random := func(pair int) uint64 { return mix(start + uint64(pair)*0x9e3779b97f4a7c15) }
	one := func(i int, bits uint64) {
		dropped := uint32((bits - threshold) >> 32) // all ones where bits < threshold
		x[i] = math.Float32frombits(math.Float32bits(x[i]*scale) &^ dropped)
	}
	i := 0
	if index&1 == 1 && len(x) > 0 {
		one(0, random(index>>1)>>32)
		i = 1
	}
	for ; i+1 < len(x); i += 2 {
		r := random((index + i) >> 1)
		one(i, r&math.MaxUint32)
		one(i+1, r>>32)
	}
	if i < len(x) {
		one(i, random((index+i)>>1)&math.MaxUint32)
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
