package elem

import (
	"math"
	"testing"
)

// TestNaNAtEveryPlace puts a NaN at each place of slices of each length: it comes
// out there, and in functions of the whole slice everywhere. Its bits, which
// damaged files and the maximum of Go set at will, make no difference.
func TestNaNAtEveryPlace(t *testing.T) {
	patterns := []uint32{0x7fc00000, 0xffc00000, 0x7fc00001, 0x7fffffff, 0xffd91043}
	for name, f := range map[string]struct {
		f     func(x, ones []float32)
		whole bool
	}{
		"GELU":      {func(x, _ []float32) { GELU(x, x) }, false},
		"GELUGrad":  {func(x, ones []float32) { GELUGrad(ones, x); copy(x, ones) }, false},
		"Add":       {func(x, ones []float32) { Add(ones, x); copy(x, ones) }, false},
		"AddScaled": {func(x, ones []float32) { AddScaled(x, ones, 0.5) }, false},
		"Normalise": {func(x, ones []float32) { Normalise(x, x, ones, ones, 0.1, 1.3) }, false},
		"columns":   {func(x, ones []float32) { NormaliseColumns(x, x, ones, ones, ones) }, false},
		"rows":      {func(x, ones []float32) { DotRows(ones, x, ones, x, 1, len(x)); copy(x, ones) }, false},
		"ELU":       {func(x, _ []float32) { ELU(x, x) }, false},
		"Sigmoid":   {func(x, _ []float32) { Sigmoid(x) }, false},
		"Tanh":      {func(x, _ []float32) { Tanh(x) }, false},
		"Softmax":   {func(x, _ []float32) { Softmax(x, 0.7) }, true},
		"softmax'":  {func(x, ones []float32) { SoftmaxGrad(ones, x, 0.7); copy(x, ones) }, true},
		"Dot":       {func(x, ones []float32) { fill(x, Dot(ones, x)) }, true},
		"Moments":   {func(x, _ []float32) { mean, scale := Moments(x, 1e-5); fill(x, mean); x[0] = scale }, true},
		"AddProduct": {func(x, ones []float32) {
			var y [5]float32
			AddProduct(y[:1], x, len(x), ones)
			fill(x, y[0])
		}, true},
	} {
		for _, n := range lengths {
			for place := range n {
				x, ones := draw(n, 1, 1), make([]float32, n)
				fill(ones, 1)
				x[place] = math.Float32frombits(patterns[place%len(patterns)])
				f.f(x, ones)
				for i, v := range x {
					if isNaN := v != v; isNaN != (f.whole || i == place) {
						t.Fatalf("%s: NaN at %d of %d: element %d is %v", name, place, n, i, v)
					}
				}
			}
		}
	}
}

// TestInfinities: limits are taken where there are any.
func TestInfinities(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, n := range lengths {
		for place := range n {
			x := make([]float32, n)
			fill(x, 2)
			x[place] = inf
			GELU(x, x)
			if x[place] != inf {
				t.Fatalf("GELU(Inf) at %d of %d is %v", place, n, x[place])
			}
			fill(x, 2)
			x[place] = -inf
			logSum, top := Softmax(x, 1)
			if n == 1 { // no other element to be compared with
				continue
			}
			share := 1 / float32(n-1)
			for i, v := range x {
				if i == place && v != 0 || i != place && math.Abs(float64(v-share)) > sumTolerance {
					t.Fatalf("softmax with -Inf at %d of %d: element %d is %v, want 0 there and %v elsewhere", place, n, i, v, share)
				}
			}
			if want := 2 + math.Log(float64(n-1)); top != 2 || math.Abs(logSum-want) > sumTolerance*want {
				t.Fatalf("softmax with -Inf at %d of %d: log-sum and top %v %v, want %v 2", place, n, logSum, top, want)
			}
		}
	}
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}
