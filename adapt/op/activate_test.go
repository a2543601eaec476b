package op

import (
	"fmt"
	"math"
	"testing"

	"github.com/nlpodyssey/spago/ag"
)

// TestActivateIsLinearWithIdentity: in value and in gradient, and its input stays as it was.
func TestActivateIsLinearWithIdentity(t *testing.T) {
	const rows, cols = 3, 4
	data := []float32{-3, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 3, 5, -7, 2}
	identity := make([]float32, cols*cols)
	for i := range cols {
		identity[i*cols+i] = 1
	}
	for _, act := range []Activation{None, GELU, ReLU} {
		t.Run(fmt.Sprint(act), func(t *testing.T) {
			a, b := Param(rows, cols, append([]float32(nil), data...)), Param(rows, cols, append([]float32(nil), data...))
			got, want := Activate(a, act), Linear(b, Tensor(cols, cols, identity), nil, act)
			if err := ag.Backward(MeanSquare(got)); err != nil {
				t.Fatal(err)
			}
			if err := ag.Backward(MeanSquare(want)); err != nil {
				t.Fatal(err)
			}
			for i := range data {
				if values(a)[i] != data[i] {
					t.Fatalf("element %d of the input changed", i)
				}
				for what, pair := range map[string][2]float32{
					"value": {values(got)[i], values(want)[i]}, "gradient": {values(a.Grad())[i], values(b.Grad())[i]},
				} {
					if math.Abs(float64(pair[0]-pair[1])) > 1e-6 {
						t.Errorf("%s %d: %g, want %g", what, i, pair[0], pair[1])
					}
				}
			}
		})
	}
}
