package optim

import (
	"math"
	"math/rand/v2"
	"testing"
)

// specials are values at which float32 arithmetic has rules of its own: zeros, the
// smallest and largest numbers without and with all their bits, and no numbers.
var specials = [...]float32{0, float32(math.Copysign(0, -1)), 1, -1, math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 1e-40, -1e-39,
	0x1p-126, -0x1p-126, 1e-20, math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}

// numbers returns n values of magnitudes far apart, a quarter of them special.
func numbers(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		if r.IntN(4) == 0 {
			x[i] = specials[r.IntN(len(specials))]
		} else {
			x[i] = float32(r.NormFloat64() * math.Exp(20*r.NormFloat64()))
		}
	}
	return x
}

// sameBits reports whether two slices are equal bit for bit, but for which NaN a NaN is.
func sameBits(a, b []float32) bool {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) && !(a[i] != a[i] && b[i] != b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

// definition is the update of one element with every operation in float64 and
// rounded by itself: the one rounding that float32 makes, since float64 has more
// than twice its bits.
func (u *update) definition(p, g, m, v float32) (p1, g1, m1, v1 float32) {
	type f = float64
	round := func(x f) f { return f(float32(x)) }
	scaled := round(f(u.scale) * f(g))
	first := round(round(f(u.beta1)*f(m)) + round(f(u.other1)*scaled))
	second := round(round(f(u.beta2)*f(v)) + round(f(u.other2)*round(scaled*scaled)))
	below := round(round(round(math.Sqrt(second))*f(u.root)) + f(u.eps))
	after := round(round(f(p)*f(u.keep)) - round(round(f(u.size)*first)/below))
	if u.clear {
		g = 0
	}
	return float32(after), g, float32(first), float32(second)
}

// settings are updates of early and late steps of both variants, and numbers that
// no training has.
func settings() []update {
	pytorch := NewAdamW(AdamWConfig{Beta2: 0.98, Eps: 1e-6, WeightDecay: 0.01}, nil)
	fairseq := NewAdamW(AdamWConfig{Variant: Fairseq, WeightDecay: 0.1}, nil)
	us := []update{
		pytorch.update(1e-4, group{1, 0.01}, 1),
		pytorch.update(5e-4, group{0.1, 0}, 1000),
		fairseq.update(1e-3, group{1, 0.1}, 3),
		{keep: 0.5, size: math.MaxFloat32, root: 1e-40, beta1: -1, beta2: 2, other1: 1e-38, other2: 1e38},
	}
	for i := range us {
		us[i].scale = []float32{1, 0.3, 1e-30}[i%3]
		clearing := us[i]
		clearing.clear = true
		us = append(us, clearing)
	}
	return us
}

// The update, by kernels where the processor has them and in Go alone, is its
// definition bit for bit, at every length and alignment, and touches no neighbour.
func TestUpdateIsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for setting, u := range settings() {
		for n := range 70 {
			from := n % 7
			end := from + n
			var before, want [4][]float32 // value, gradient, first and second moment
			for k := range before {
				before[k] = numbers(r, end+9)
				want[k] = append([]float32(nil), before[k]...)
			}
			for i := from; i < end; i++ {
				want[0][i], want[1][i], want[2][i], want[3][i] = u.definition(before[0][i], before[1][i], before[2][i], before[3][i])
			}
			for name, apply := range map[string]func(value, grad, m, v []float32){"apply": u.apply, "applyGo": u.applyGo} {
				var got [4][]float32
				for k := range got {
					got[k] = append([]float32(nil), before[k]...)
				}
				apply(got[0][from:end], got[1][from:end], got[2][from:end], got[3][from:end])
				for k, what := range []string{"value", "gradient", "first moment", "second moment"} {
					if !sameBits(got[k], want[k]) {
						t.Fatalf("%s, setting %d, %d elements: %s\n%g, want\n%g", name, setting, n, what, got[k], want[k])
					}
				}
			}
		}
	}
}

// TestDefinitionTellsFusedProducts guards the test above: among its numbers are
// some whose update has other bits when a product is not rounded before its sum.
func TestDefinitionTellsFusedProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	u := settings()[0]
	differ := 0
	for range 1000 {
		g, m := float32(r.NormFloat64()), float32(r.NormFloat64())
		fused := float32(math.FMA(float64(u.beta1), float64(m), float64(u.other1*g)))
		if _, _, first, _ := u.definition(0, g, m, 0); first != fused {
			differ++
		}
	}
	if differ < 100 {
		t.Errorf("%d of 1000 first moments differ when a product is fused, want at least 100", differ)
	}
}

func TestScaleBy(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 100 {
		x := numbers(r, n+5)
		want := append([]float32(nil), x...)
		for i := 2; i < 2+n; i++ {
			want[i] *= 0.3
		}
		scaleBy(x[2:2+n], 0.3)
		if !sameBits(x, want) {
			t.Fatalf("%d elements: %g, want %g", n, x, want)
		}
	}
}

// lanes is Σ x² in the order that sumOfSquares promises.
func lanes(x []float32) float64 {
	var p [16]float64
	for i, v := range x {
		p[i%16] += float64(v) * float64(v)
	}
	for j := range 8 {
		p[j] += p[j+8]
	}
	for j := range 4 {
		p[j] += p[j+4]
	}
	return p[0] + p[2] + (p[1] + p[3])
}

// Sums of squares have one order, by kernels and in Go alone.
func TestSumOfSquaresOrder(t *testing.T) {
	same := func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b }
	r := rand.New(rand.NewPCG(7, 8))
	other := 0
	for n := range 300 {
		for _, special := range []bool{false, true} {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(r.NormFloat64() * math.Exp(4*r.NormFloat64()))
			}
			if special {
				x = numbers(r, n+1)[1:]
			}
			want := lanes(x)
			if got := sumOfSquares(x); !same(got, want) {
				t.Fatalf("%d elements: %v, want %v", n, got, want)
			}
			var p partial
			squaresGo(&p, x)
			if got := p.join(); !same(got, want) {
				t.Fatalf("%d elements in Go: %v, want %v", n, got, want)
			}
			straight := 0.0
			for _, v := range x {
				straight += float64(v) * float64(v)
			}
			if !same(straight, want) {
				other++
			}
		}
	}
	if other < 100 {
		t.Errorf("%d sums differ in another order, want at least 100: the numbers do not tell orders apart", other)
	}
}
