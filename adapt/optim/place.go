package optim

import (
	"fmt"

	"github.com/nlpodyssey/spago/mat"
)

// PlaceGrad makes memory the gradient of p from here on, instead of the one it has: a caller who lays the gradients of
// many parameters side by side can treat them as one vector. What memory holds is the gradient's value. A length other
// than the parameter's panics.
func PlaceGrad(p Param, memory []float32) {
	if n := p.Value.Size(); n != len(memory) {
		panic(fmt.Sprintf("optim: PlaceGrad: parameter %q has %d elements, its gradient %d", p.Name, n, len(memory)))
	}
	p.Value.ZeroGrad() // spago's: forgets the gradient
	shape := p.Value.Shape()
	p.Value.AccGrad(placed{mat.NewDense[float32](mat.WithShape(shape...), mat.WithBacking(memory))})
}

// placed is a matrix that gives itself away where spago asks for a copy of the first gradient.
type placed struct{ *mat.Dense[float32] }

// Clone returns the matrix itself.
func (p placed) Clone() mat.Matrix { return p.Dense }
