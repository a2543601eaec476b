package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
)

// shape is the size of an operand.
type shape struct{ rows, cols int }

// check describes an operator for the tests that hold for every operator: f on
// tensors, the same in float64, and the shapes of the operands.
type check struct {
	name     string
	operands []shape
	f        func(x []mat.Tensor) mat.Tensor
	want     func(x [][]float64) []float64
	spread   float64 // standard deviation of the operands; 0 means 1
}

// operandsOf draws the operands of c.
func (c check) draw(seed uint64) [][]float32 {
	r := rand.New(rand.NewPCG(seed, 7))
	spread := c.spread
	if spread == 0 {
		spread = 1
	}
	xs := make([][]float32, len(c.operands))
	for i, s := range c.operands {
		xs[i] = make([]float32, s.rows*s.cols)
		for j := range xs[i] {
			xs[i][j] = float32(spread * r.NormFloat64())
		}
	}
	return xs
}

// tensors wraps copies of the operands; those in grad are parameters.
func (c check) tensors(xs [][]float32, grad func(i int) bool) []mat.Tensor {
	ts := make([]mat.Tensor, len(xs))
	for i, s := range c.operands {
		data := append([]float32(nil), xs[i]...)
		if grad(i) {
			ts[i] = Param(s.rows, s.cols, data)
		} else {
			ts[i] = Tensor(s.rows, s.cols, data)
		}
	}
	return ts
}

func widen(xs [][]float32) [][]float64 {
	ys := make([][]float64, len(xs))
	for i, x := range xs {
		ys[i] = make([]float64, len(x))
		for j, v := range x {
			ys[i][j] = float64(v)
		}
	}
	return ys
}

// seedFor draws the gradient of an output.
func seedFor(y mat.Tensor) *mat.Dense[float32] {
	rows, cols := dims(y)
	r := rand.New(rand.NewPCG(3, 4))
	g := make([]float32, rows*cols)
	for i := range g {
		g[i] = float32(r.NormFloat64())
	}
	return Tensor(rows, cols, g)
}

// backward runs f and its backward pass with the gradient of seedFor.
func backward(t *testing.T, f func([]mat.Tensor) mat.Tensor, ts []mat.Tensor) mat.Tensor {
	t.Helper()
	y := f(ts)
	y.AccGrad(seedFor(y))
	if err := ag.Backward(y); err != nil {
		t.Fatal(err)
	}
	return y
}

const (
	// valueTolerance bounds |got − want| relative to the largest |want|: float32
	// sums of up to a few hundred terms against float64.
	valueTolerance = 2e-6
	// gradTolerance is that of gradients, whose sums are longer.
	gradTolerance = 2e-5
	// step is the step of the central differences, in float64: their own error is
	// about step² = 1e-10 of the third derivative.
	step = 1e-5
)

func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	scale := 1e-3
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i, v := range want {
		if d := math.Abs(float64(got[i]) - v); !(d <= tolerance*scale) {
			t.Errorf("%s[%d] = %v, want %v (difference %.2g, allowed %.2g)", what, i, got[i], v, d, tolerance*scale)
			return
		}
	}
}

func TestOperators(t *testing.T) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			xs := c.draw(1)
			wide := widen(xs)
			ts := c.tensors(xs, func(int) bool { return true })
			y := backward(t, c.f, ts)
			near(t, "value", values(y), c.want(wide), valueTolerance)
			seed := values(seedFor(y))
			for i := range xs {
				want := make([]float64, len(xs[i]))
				for j, v := range wide[i] {
					wide[i][j] = v + step
					up := c.want(wide)
					wide[i][j] = v - step
					down := c.want(wide)
					wide[i][j] = v
					for k, s := range seed {
						want[j] += float64(s) * (up[k] - down[k]) / (2 * step)
					}
				}
				near(t, fmt.Sprintf("gradient of operand %d", i), mat.Data[float32](ts[i].Grad()), want, gradTolerance)
			}
		})
	}
}
