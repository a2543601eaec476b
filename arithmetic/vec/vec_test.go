package vec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// numbers includes what arithmetic has to carry through: zeros, subnormals, infinities, NaN.
func numbers(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 2))
	special := []float32{0, float32(math.Copysign(0, -1)), 1e-45, -1e-40, math.MaxFloat32, float32(math.Inf(1)), float32(math.NaN())}
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
		if i%5 == 0 {
			x[i] = special[r.IntN(len(special))]
		}
	}
	return x
}

func same(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b }

// Each operation is the rounded float64 one: both operands are exact there, and for one sum or product so is
// rounding twice (53 ≥ 2·24 + 2 bits).
func TestKernels(t *testing.T) {
	round := func(x float64) float32 { return float32(x) }
	for _, n := range []int{0, 1, 7, 64, 1001} {
		x, y := numbers(1, n), numbers(2, n)
		const lambda = float32(0.3)
		for name, c := range map[string]struct {
			run  func(dst []float32)
			want func(a, b float32) float32
		}{
			"Sub": {func(d []float32) { Sub(d, y) }, func(a, b float32) float32 { return round(float64(a) - float64(b)) }},
			"AddScaledDifference": {func(d []float32) { AddScaledDifference(d, lambda, y, x) }, func(a, b float32) float32 {
				return round(float64(a) + float64(round(float64(lambda)*float64(round(float64(b)-float64(a))))))
			}},
			"Scale":     {func(d []float32) { Scale(d, lambda) }, func(a, _ float32) float32 { return round(float64(a) * float64(lambda)) }},
			"AddScaled": {func(d []float32) { AddScaled(d, lambda, y) }, func(a, b float32) float32 { return round(float64(a) + float64(round(float64(lambda)*float64(b)))) }},
		} {
			got := append([]float32(nil), x...)
			c.run(got)
			for i := range got {
				if want := c.want(x[i], y[i]); !same(got[i], want) {
					t.Fatalf("%s of %d: element %d is %v, want %v", name, n, i, got[i], want)
				}
			}
		}
	}
}

func TestSums(t *testing.T) {
	a, b := []float32{1, -2, 0, 1e-45, 3e38}, []float32{2, 3, 5, 1e-45, -3e38}
	p := Compare(a, b)
	tiny, huge := float64(a[3])*float64(b[3]), float64(a[4])*float64(b[4])
	if want := (Pair{Dot: 2 - 6 + tiny + huge, Both: 4, Opposites: 2}); p != want {
		t.Errorf("Compare = %+v, want %+v", p, want)
	}
	p.Add(Pair{1, 2, 3})
	if p.Both != 6 || p.Opposites != 5 {
		t.Errorf("after Add: %+v", p)
	}
	if s := Square([]float32{3, -4}); s != 25 {
		t.Errorf("Square = %v, want 25", s)
	}
	if s := Square([]float32{float32(math.Inf(1))}); !math.IsInf(s, 1) {
		t.Errorf("Square of infinity = %v", s)
	}
}

func TestLengthsMustMatch(t *testing.T) {
	for name, f := range map[string]func(a, b []float32){
		"Sub": Sub, "AddScaled": func(a, b []float32) { AddScaled(a, 1, b) }, "AddScaledDifference": func(a, b []float32) { AddScaledDifference(a, 1, a, b) }, "Compare": func(a, b []float32) { Compare(a, b) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s took slices of different lengths", name)
				}
			}()
			f(make([]float32, 2), make([]float32, 3))
		}()
	}
}

func BenchmarkAddScaled(b *testing.B) {
	x, y := numbers(1, 1<<14), numbers(2, 1<<14)
	b.SetBytes(int64(4 * len(x)))
	for b.Loop() {
		AddScaled(x, 0, y)
	}
}

func BenchmarkCompare(b *testing.B) {
	x, y := numbers(1, 1<<14), numbers(2, 1<<14)
	b.SetBytes(int64(4 * len(x)))
	for b.Loop() {
		Compare(x, y)
	}
}
