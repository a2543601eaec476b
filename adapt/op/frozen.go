package op

import (
	"sync"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/gemm"
)

// Frozen is a weight that does not change. The first operator that uses it keeps with it the form in which it multiplies,
// which takes the weight's memory again. It belongs to one operator: QKV keeps the form of all its weights with wq, PosConv
// with v. Where the values do change, a new Frozen has to be made.
type Frozen struct {
	*mat.Dense[float32]
	once sync.Once
	form []*gemm.Packed
	room []*gemm.Packed // of a form that is no longer true, for the next
}

// Freeze wraps data as a weight [rows][cols] that never changes, without a copy.
func Freeze(rows, cols int, data []float32) *Frozen {
	return &Frozen{Dense: Tensor(rows, cols, data)}
}

// Again is the weight after its values have changed, in the same memory; what f keeps serves for its form. f must not be used any more.
func (f *Frozen) Again() *Frozen { return &Frozen{Dense: f.Dense, room: append(f.form, f.room...)} }

// forms holds packed matrices between calls; it carries no values from one to the next.
var forms = sync.Pool{New: func() any { return new(gemm.Packed) }}

// packed returns n packed matrices, the forms of the weight w that pack makes of the i-th each. They belong to a Frozen w;
// otherwise they are borrowed, and release gives them back.
func packed(w mat.Tensor, n int, pack func(i int, p *gemm.Packed)) (form []*gemm.Packed, release func()) {
	if f, ok := w.(*Frozen); ok {
		f.once.Do(func() {
			for i := range n {
				p := new(gemm.Packed)
				if i < len(f.room) {
					p = f.room[i]
				}
				pack(i, p)
				f.form = append(f.form, p)
			}
			f.room = nil
		})
		return f.form, func() {}
	}
	for i := range n {
		p := forms.Get().(*gemm.Packed)
		pack(i, p)
		form = append(form, p)
	}
	return form, func() {
		for _, p := range form {
			forms.Put(p)
		}
	}
}
