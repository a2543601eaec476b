package optim

import (
	"slices"
	"testing"

	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"
)

func TestPlaceGrad(t *testing.T) {
	p := Param{Name: "w", Value: &nn.Param{Matrix: mat.NewDense[float32](mat.WithShape(2, 2), mat.WithBacking([]float32{1, 2, 3, 4}))}}
	p.Value.SetRequiresGrad(true)
	MakeGrads([]Param{p})
	memory := []float32{9, 1, 1, 1, 1, 9}
	PlaceGrad(p, memory[1:5])
	p.Value.AccGrad(mat.NewDense[float32](mat.WithShape(2, 2), mat.WithBacking([]float32{1, 2, 3, 4})))
	if want := []float32{9, 2, 3, 4, 5, 9}; !slices.Equal(memory, want) {
		t.Errorf("memory %v, want %v", memory, want)
	}
	ZeroGrad([]Param{p})
	if want := []float32{9, 0, 0, 0, 0, 9}; !slices.Equal(memory, want) {
		t.Errorf("after ZeroGrad: memory %v, want %v", memory, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("memory of another length: no panic")
		}
	}()
	PlaceGrad(p, memory)
}
