package vec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// numbers includes what arithmetic has to carry through: both zeros, subnormals, the largest, infinities, NaN.
func numbers(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 2))
	special := []float32{0, float32(math.Copysign(0, -1)), 1e-45, -1e-40, math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
		if r.IntN(4) == 0 {
			x[i] = special[r.IntN(len(special))]
		}
	}
	return x
}

func same(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b }

// lengths are all tails of all kernels, and some that fill them several times.
func lengths() []int {
	var n []int
	for i := range 71 {
		n = append(n, i)
	}
	return append(n, 127, 128, 129, 1001, 2055)
}

// cut is x from an element on that is not aligned to a vector, with elements around it that nothing may change.
func cut(x []float32, shift, n int) []float32 { return x[shift : shift+n : shift+n] }

// operation is an element-wise kernel and what one element of its result is.
type operation struct {
	name string
	run  func(dst, x, y []float32)
	want func(d, x, y float32) float32
}

// round is where each step is rounded. Both operands are exact in float64, and for one sum, product or quotient rounding twice
// is rounding once (53 ≥ 2·24 + 2 bits).
func round(x float64) float32 { return float32(x) }

func operations() []operation {
	const c = float32(0.3)
	zero := func(keep bool, x float32) float32 {
		if keep {
			return x
		}
		return 0
	}
	const bound = 0x3f000000 // 0.5
	agrees := func(x, majority float32) bool {
		s := float32(-1)
		if majority >= 0 {
			s = 1
		}
		return x*s > 0
	}
	return []operation{
		{"Sub", func(d, x, _ []float32) { Sub(d, x) }, func(d, x, _ float32) float32 { return round(float64(d) - float64(x)) }},
		{"Add", func(d, x, _ []float32) { Add(d, x) }, func(d, x, _ float32) float32 { return round(float64(d) + float64(x)) }},
		{"Scale", func(d, _, _ []float32) { Scale(d, c) }, func(d, _, _ float32) float32 { return round(float64(d) * float64(c)) }},
		{"Divide", func(d, x, _ []float32) { Divide(d, x) }, func(d, x, _ float32) float32 {
			if x == 0 {
				return d
			}
			return round(float64(d) / float64(x))
		}},
		{"DivideBy", func(d, _, _ []float32) { DivideBy(d, c) }, func(d, _, _ float32) float32 { return round(float64(d) / float64(c)) }},
		{"AddScaled", func(d, x, _ []float32) { AddScaled(d, c, x) }, func(d, x, _ float32) float32 {
			return round(float64(d) + float64(round(float64(c)*float64(x))))
		}},
		{"AddSquare", func(d, x, _ []float32) { AddSquare(d, x) }, func(d, x, _ float32) float32 {
			return round(float64(d) + float64(round(float64(x)*float64(x))))
		}},
		{"KeepWhere", func(d, x, _ []float32) { KeepWhere(d, x, bound) }, func(d, x, _ float32) float32 { return zero(!(math.Abs(float64(x)) <= 0.5), d) }},
		{"KeepWhere none", func(d, x, _ []float32) { KeepWhere(d, x, math.MaxUint32) }, func(_, _, _ float32) float32 { return 0 }},
		{"AddScaledDifference", func(d, x, y []float32) { AddScaledDifference(d, c, x, y) }, func(d, x, y float32) float32 {
			return round(float64(d) + float64(round(float64(c)*float64(round(float64(x)-float64(y))))))
		}},
		{"AddAgreeing", func(d, x, y []float32) { AddAgreeing(d, nil, x, y, c) }, func(d, x, y float32) float32 {
			if agrees(x, y) {
				return round(float64(d) + float64(x))
			}
			return d
		}},
		{"AddAgreeing, sum beside a divisor", func(d, x, y []float32) { AddAgreeing(d, make([]float32, len(d)), x, y, c) }, func(d, x, y float32) float32 {
			if agrees(x, y) {
				return round(float64(d) + float64(x))
			}
			return d
		}},
		{"AddAgreeing, divisor", func(d, x, y []float32) { AddAgreeing(make([]float32, len(d)), d, x, y, c) }, func(d, x, y float32) float32 {
			if agrees(x, y) {
				return round(float64(d) + float64(c))
			}
			return d
		}},
		{"KeepAbove", func(d, _, _ []float32) { KeepAbove(d, bound) }, func(d, _, _ float32) float32 { return zero(!(math.Abs(float64(d)) <= 0.5), d) }},
		{"KeepAbove all", func(d, _, _ []float32) { KeepAbove(d, math.MaxUint32) }, func(_, _, _ float32) float32 { return 0 }},
		{"ClearAbove", func(d, _, _ []float32) { ClearAbove(d, bound) }, func(d, _, _ float32) float32 { return zero(math.Abs(float64(d)) <= 0.5, d) }},
		{"ClearAbove none", func(d, _, _ []float32) { ClearAbove(d, math.MaxUint32) }, func(d, _, _ float32) float32 { return d }},
	}
}

// TestElementwise holds every kernel to its definition, at every length and from places that are not aligned, and checks that the
// elements around stay as they are.
func TestElementwise(t *testing.T) {
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			for _, n := range lengths() {
				shift := n % 5
				d, x, y := numbers(1, n+16), numbers(2, n+16), numbers(3, n+16)
				got := slices.Clone(d)
				op.run(cut(got, shift, n), cut(x, shift+1, n), cut(y, shift+2, n))
				for i := range got {
					want := d[i]
					if at := i - shift; at >= 0 && at < n {
						want = op.want(d[i], x[i+1], y[i+2])
					}
					if !same(got[i], want) {
						t.Fatalf("%d elements, %d: %x of %v, %v and %v, want %x", n, i-shift, math.Float32bits(got[i]), d[i], x[i+1], y[i+2], math.Float32bits(want))
					}
				}
			}
		})
	}
}

// TestKernelsArePortable runs each function on random pieces of a slice beside the same on single elements, which no kernel
// takes: the portable code gives the same bits.
func TestKernelsArePortable(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, op := range operations() {
		for range 20 {
			n := r.IntN(3000)
			d, x, y := numbers(r.Uint64(), n), numbers(r.Uint64(), n), numbers(r.Uint64(), n)
			fast, slow := slices.Clone(d), slices.Clone(d)
			for lo := 0; lo < n; {
				hi := min(n, lo+1+r.IntN(n))
				op.run(fast[lo:hi], x[lo:hi], y[lo:hi])
				lo = hi
			}
			for i := range n {
				op.run(slow[i:i+1], x[i:i+1], y[i:i+1])
				if !same(fast[i], slow[i]) {
					t.Fatalf("%s: element %d of %d is %x, portable %x", op.name, i, n, math.Float32bits(fast[i]), math.Float32bits(slow[i]))
				}
			}
		}
	}
}

// A −0 stays where nothing agrees; NaN and infinities vote as mergekit's do.
func TestAddAgreeingByHand(t *testing.T) {
	nan, inf, minus := float32(math.NaN()), float32(math.Inf(1)), float32(math.Copysign(0, -1))
	for _, c := range []struct {
		sum, x, majority, want float32
		agrees                 bool
	}{
		{1, 2, 3, 3, true},
		{1, 2, -3, 1, false},
		{1, -2, -3, -1, true},
		{1, -2, 3, 1, false},
		{1, 2, 0, 3, true},
		{1, 2, minus, 3, true},
		{1, -2, 0, 1, false},
		{1, -2, nan, -1, true},
		{1, 2, nan, 1, false},
		{minus, 0, 1, minus, false},
		{minus, minus, -1, minus, false},
		{minus, 2, -1, minus, false},
		{1, nan, 1, 1, false},
		{1, inf, inf, inf, true},
	} {
		for _, n := range []int{1, 16} { // portable code, kernel
			sum, divisor := slices.Repeat([]float32{c.sum}, n), slices.Repeat([]float32{minus}, n)
			AddAgreeing(sum, divisor, slices.Repeat([]float32{c.x}, n), slices.Repeat([]float32{c.majority}, n), 0.5)
			want := minus
			if c.agrees {
				want = 0.5
			}
			for i := range n {
				if !same(sum[i], c.want) || !same(divisor[i], want) {
					t.Errorf("%+v, %d elements: sum %v, divisor %v, want %v", c, n, sum[i], divisor[i], want)
				}
			}
		}
	}
}

func TestLengthsMustMatch(t *testing.T) {
	for name, f := range map[string]func(a, b []float32){
		"Sub": Sub, "Add": Add, "Divide": Divide,
		"AddScaled":           func(a, b []float32) { AddScaled(a, 1, b) },
		"AddScaledDifference": func(a, b []float32) { AddScaledDifference(a, 1, a, b) },
		"Compare":             func(a, b []float32) { Compare(a, b) },
		"Dot":                 func(a, b []float32) { Dot(a, b) },
		"AddAgreeing, sum":    func(a, b []float32) { AddAgreeing(b, nil, a, a, 1) },
		"AddAgreeing, vector": func(a, b []float32) { AddAgreeing(a, nil, b, a, 1) },
		"AddAgreeing, sign":   func(a, b []float32) { AddAgreeing(a, nil, a, b, 1) },
		"AddAgreeing, weight": func(a, b []float32) { AddAgreeing(a, b, a, a, 1) },
		"Merge, base":         func(a, b []float32) { Merge(a, b, 1, []Term{TermF32(a, 1)}, false) },
		"Merge, term":         func(a, b []float32) { Merge(a, a, 1, []Term{TermF32(b, 1)}, false) },
		"KeepBits":            func(a, _ []float32) { KeepBits(a, make([]uint64, 1), 63) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s took slices of different lengths", name)
				}
			}()
			f(make([]float32, 66), make([]float32, 67))
		}()
	}
}
