package op

import (
	"fmt"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op/elem"
)

type add struct {
	a, b mat.Tensor
	y    *mat.Dense[float32]
}

// Add returns a + b, both [rows][cols].
func Add(a, b mat.Tensor) mat.Tensor {
	rows, cols := dims(a)
	mustShape("Add", "b", b, rows, cols)
	return run(&add{a: a, b: b})
}

func (l *add) Operands() []mat.Tensor { return []mat.Tensor{l.a, l.b} }

func (l *add) Forward() (mat.Tensor, error) {
	rows, cols := dims(l.a)
	a, b, y := values(l.a), values(l.b), output(rows*cols, requiresGrad(l.a, l.b))
	parallelRows(rows, cols, func(lo, hi int) {
		copy(y[lo*cols:hi*cols], a[lo*cols:hi*cols])
		elem.Add(y[lo*cols:hi*cols], b[lo*cols:hi*cols])
	})
	l.y = Tensor(rows, cols, y)
	return l.y, nil
}

func (l *add) Backward(gy mat.Tensor) error {
	g := values(gy)
	if l.a.RequiresGrad() && l.b.RequiresGrad() {
		l.b.AccGrad(gy) // cloned
		give(l.a, g)
	} else if l.a.RequiresGrad() {
		give(l.a, g)
	} else if l.b.RequiresGrad() {
		give(l.b, g)
	}
	l.y.ZeroGrad()
	return nil
}

type maskRows struct {
	x, emb mat.Tensor
	mask   []bool
	y      *mat.Dense[float32]
}

// MaskRows replaces the rows of x where mask is set by emb: x [rows][C], emb [C],
// mask [rows] -> [rows][C].
func MaskRows(x, emb mat.Tensor, mask []bool) mat.Tensor {
	rows, c := dims(x)
	mustSize("MaskRows", "emb", emb, c)
	if len(mask) != rows {
		panic(fmt.Sprintf("op: MaskRows: mask has %d elements, want %d", len(mask), rows))
	}
	return run(&maskRows{x: x, emb: emb, mask: mask})
}

func (l *maskRows) Operands() []mat.Tensor { return []mat.Tensor{l.x, l.emb} }

func (l *maskRows) Forward() (mat.Tensor, error) {
	rows, c := dims(l.x)
	x, emb, y := values(l.x), values(l.emb), output(rows*c, requiresGrad(l.x, l.emb))
	for r, masked := range l.mask {
		if masked {
			copy(y[r*c:(r+1)*c], emb)
		} else {
			copy(y[r*c:(r+1)*c], x[r*c:])
		}
	}
	l.y = Tensor(rows, c, y)
	return l.y, nil
}

func (l *maskRows) Backward(gy mat.Tensor) error {
	_, c := dims(l.x)
	g := values(gy)
	addGrad(l.emb, func(dst []float32, _ bool) {
		for r, masked := range l.mask {
			if masked {
				elem.Add(dst, g[r*c:(r+1)*c])
			}
		}
	})
	if l.x.RequiresGrad() {
		for r, masked := range l.mask {
			if masked {
				clear(g[r*c : (r+1)*c])
			}
		}
		give(l.x, g)
	}
	l.y.ZeroGrad()
	return nil
}

type scaleGrad struct {
	x mat.Tensor
	s float32
	y *mat.Dense[float32]
}

// ScaleGrad returns x, and multiplies its gradient by s.
func ScaleGrad(x mat.Tensor, s float32) mat.Tensor {
	return run(&scaleGrad{x: x, s: s})
}

func (l *scaleGrad) Operands() []mat.Tensor { return []mat.Tensor{l.x} }

func (l *scaleGrad) Forward() (mat.Tensor, error) {
	rows, cols := dims(l.x)
	l.y = Tensor(rows, cols, values(l.x))
	return l.y, nil
}

func (l *scaleGrad) Backward(gy mat.Tensor) error {
	rows, cols := dims(l.x)
	g := values(gy)
	parallelRows(rows, cols, func(lo, hi int) { elem.Scale(g[lo*cols:hi*cols], l.s) })
	give(l.x, g)
	l.y.ZeroGrad()
	return nil
}

type concat struct {
	a, b mat.Tensor
	y    *mat.Dense[float32]
}

// Concat puts the columns of b beside those of a: [rows][A], [rows][B] ->
// [rows][A+B].
func Concat(a, b mat.Tensor) mat.Tensor {
	rows, _ := dims(a)
	_, cb := dims(b)
	mustShape("Concat", "b", b, rows, cb)
	return run(&concat{a: a, b: b})
}

func (l *concat) Operands() []mat.Tensor { return []mat.Tensor{l.a, l.b} }

func (l *concat) Forward() (mat.Tensor, error) {
	rows, ca := dims(l.a)
	_, cb := dims(l.b)
	a, b, c := values(l.a), values(l.b), ca+cb
	y := output(rows*c, requiresGrad(l.Operands()...))
	for r := range rows {
		copy(y[r*c:r*c+ca], a[r*ca:])
		copy(y[r*c+ca:(r+1)*c], b[r*cb:])
	}
	l.y = Tensor(rows, c, y)
	return l.y, nil
}

func (l *concat) Backward(gy mat.Tensor) error {
	rows, ca := dims(l.a)
	_, cb := dims(l.b)
	g, c := values(gy), ca+cb
	split := func(t mat.Tensor, at, width int) {
		if !t.RequiresGrad() {
			return
		}
		d := make([]float32, rows*width)
		for r := range rows {
			copy(d[r*width:(r+1)*width], g[r*c+at:])
		}
		give(t, d)
	}
	split(l.a, 0, ca)
	split(l.b, ca, cb)
	l.y.ZeroGrad()
	return nil
}
