package elem

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// lengths cover every tail, every unrolled loop and the loops between.
var lengths = []int{1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 63, 64, 100, 374}

func draw(n int, seed uint64, spread float64) []float32 {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(spread * r.NormFloat64())
	}
	return x
}

func clone(x []float32) []float32 { return append([]float32(nil), x...) }

func cdf(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

const (
	// geluTolerance is the accuracy that GELU promises, absolute and relative.
	geluTolerance = 1e-6
	// expTolerance is two units in the last place of a float32.
	expTolerance = 2.4e-7
	// sumTolerance is for sums of up to 374 terms, relative to the sum of magnitudes.
	sumTolerance = 1e-6
)

func TestGELUAgainstErfc(t *testing.T) {
	n := 160001
	x := make([]float32, n)
	ones := make([]float32, n)
	for i := range x {
		x[i], ones[i] = float32(i-n/2)/8000, 1
	}
	for name, f := range map[string]func(dst, x []float32){"dispatched": GELU, "portable": geluGo} {
		y := make([]float32, n)
		f(y, x)
		for i, v := range x {
			want := float64(v) * cdf(float64(v))
			if d := math.Abs(float64(y[i]) - want); d > geluTolerance || (math.Abs(float64(v)) < 5 && d > geluTolerance*math.Abs(want)) {
				t.Fatalf("%s: gelu(%v) = %v, want %v", name, v, y[i], want)
			}
		}
	}
	for name, f := range map[string]func(g, x []float32){"dispatched": GELUGrad, "portable": geluGradGo} {
		g := clone(ones)
		f(g, x)
		for i, v := range x {
			w := float64(v)
			want := cdf(w) + w*math.Exp(-w*w/2)/math.Sqrt(2*math.Pi)
			if math.Abs(float64(g[i])-want) > geluTolerance {
				t.Fatalf("%s: gelu'(%v) = %v, want %v", name, v, g[i], want)
			}
		}
	}
}

func TestGELUNearZeroAndSpecialValues(t *testing.T) {
	x := []float32{0, 1e-30, -1e-30, 1e-8, -1e-8, 1e-4, float32(math.NaN()), 30, -30}
	y := make([]float32, len(x))
	GELU(y, x)
	for i, want := range []float64{0, 0.5e-30, -0.5e-30, 0.5e-8, -0.5e-8, 1e-4 * cdf(1e-4), math.NaN(), 30, 0} {
		if math.IsNaN(want) {
			if y[i] == y[i] {
				t.Errorf("gelu(NaN) = %v", y[i])
			}
		} else if math.Abs(float64(y[i])-want) > geluTolerance*math.Abs(want) {
			t.Errorf("gelu(%v) = %v, want %v", x[i], y[i], want)
		}
	}
}

func TestExponentials(t *testing.T) {
	for name, f := range map[string]func(x []float32, top, scale float32) float32{"dispatched": expSum, "portable": expSumGo} {
		x := make([]float32, 86001)
		for i := range x {
			x[i] = -float32(i) / 1000
		}
		y := clone(x)
		f(y, 0, 1)
		for i, v := range x {
			want := math.Exp(float64(v))
			if math.Abs(float64(y[i])/want-1) > expTolerance {
				t.Fatalf("%s: exp(%v) = %v, want %v", name, v, y[i], want)
			}
		}
		far := []float32{-88, -1e30, float32(math.Inf(-1)), float32(math.NaN())}
		f(far, 0, 1)
		if far[0] != 0 || far[1] != 0 || far[2] != 0 || far[3] == far[3] {
			t.Errorf("%s: exp of -88, -1e30, -Inf, NaN = %v, want 0 0 0 NaN", name, far)
		}
	}
}

func TestSoftmax(t *testing.T) {
	for _, n := range lengths {
		x := draw(n, 1, 3)
		p := clone(x)
		logSum, top := Softmax(p, 0.5)
		var sum float64
		want := float64(math.Inf(-1))
		for _, v := range x {
			sum += math.Exp(0.5 * float64(v))
			want = max(want, float64(v))
		}
		if float64(top) != want || math.Abs(logSum-math.Log(sum)) > 1e-6*(1+math.Abs(math.Log(sum))) {
			t.Errorf("n = %d: log-sum and top %v %v, want %v %v", n, logSum, top, math.Log(sum), want)
		}
		for i, v := range x {
			if w := math.Exp(0.5*float64(v)) / sum; math.Abs(float64(p[i])-w) > sumTolerance {
				t.Fatalf("n = %d: p[%d] = %v, want %v", n, i, p[i], w)
			}
		}
	}
	x := []float32{1, float32(math.NaN()), 3, 2, 2, 2, 2, 2, 2}
	Softmax(x, 1)
	if x[0] == x[0] {
		t.Errorf("softmax of a row with NaN = %v, want NaN", x)
	}
}

// TestPlaceDoesNotMatter cuts a slice at every place: the elements stay the same bits.
func TestPlaceDoesNotMatter(t *testing.T) {
	x := draw(67, 2, 2)
	for name, f := range map[string]func(x []float32){
		"GELU":      func(x []float32) { GELU(x, x) },
		"GELUGrad":  func(x []float32) { GELUGrad(x, x) },
		"AddScaled": func(x []float32) { AddScaled(x, x, 0.3) },
		"Normalise": func(x []float32) { Normalise(x, x, x, x, 0.1, 1.7) },
		"columns":   func(x []float32) { NormaliseColumnsGrad(x, x, x, x, x, x) },
		"expSum":    func(x []float32) { expSum(x, 9, 0.7) },
	} {
		whole := clone(x)
		f(whole)
		for cut := 1; cut < len(x); cut++ {
			parts := clone(x)
			f(parts[:cut])
			f(parts[cut:])
			for i := range x {
				if parts[i] != whole[i] {
					t.Fatalf("%s cut at %d: element %d is %v, whole %v", name, cut, i, parts[i], whole[i])
				}
			}
		}
	}
}

// TestAgainstPortable runs every function beside its portable version, and checks
// that nothing is written beyond the slice.
func TestAgainstPortable(t *testing.T) {
	type call func(s [][]float32) []float32
	const rows = 5
	none := func(f func(s [][]float32)) call {
		return func(s [][]float32) []float32 { f(s); return nil }
	}
	for _, c := range []struct {
		name    string
		fast    call
		slow    call
		columns bool
	}{
		{"add", none(func(s [][]float32) { add(s[0], s[1]) }), none(func(s [][]float32) { addGo(s[0], s[1]) }), false},
		{"addScaled", none(func(s [][]float32) { addScaled(s[0], s[1], 0.7) }), none(func(s [][]float32) { addScaledGo(s[0], s[1], 0.7) }), false},
		{"scale", none(func(s [][]float32) { scaleBy(s[0], 0.7) }), none(func(s [][]float32) { scaleByGo(s[0], 0.7) }), false},
		{"sum", func(s [][]float32) []float32 { return []float32{sum(s[0])} }, func(s [][]float32) []float32 { return []float32{sumGo(s[0])} }, false},
		{"sumSquares", func(s [][]float32) []float32 { return []float32{sumSquares(s[0], 0.5)} }, func(s [][]float32) []float32 { return []float32{sumSquaresGo(s[0], 0.5)} }, false},
		{"dot", func(s [][]float32) []float32 { return []float32{dot(s[0], s[1])} }, func(s [][]float32) []float32 { return []float32{dotGo(s[0], s[1])} }, false},
		{"largest", func(s [][]float32) []float32 { return []float32{largest(s[0])} }, func(s [][]float32) []float32 { return []float32{largestGo(s[0])} }, false},
		{"softmaxGrad", none(func(s [][]float32) { softmaxGrad(s[0], s[1], 0.2, 0.7) }), none(func(s [][]float32) { softmaxGradGo(s[0], s[1], 0.2, 0.7) }), false},
		{"normalise", none(func(s [][]float32) { normalise(s[0], s[1], s[2], s[3], 0.1, 1.3) }), none(func(s [][]float32) { normaliseGo(s[0], s[1], s[2], s[3], 0.1, 1.3) }), false},
		{"normaliseGrad", none(func(s [][]float32) { normaliseGrad(s[0], s[1], 0.1, 1.3, 0.2, 0.3) }), none(func(s [][]float32) { normaliseGradGo(s[0], s[1], 0.1, 1.3, 0.2, 0.3) }), false},
		{"normaliseSums", func(s [][]float32) []float32 {
			a, b := normaliseSums(s[0], s[1], s[2], s[3], s[4], 0.1, 1.3)
			return []float32{a, b}
		}, func(s [][]float32) []float32 {
			a, b := normaliseSumsGo(s[0], s[1], s[2], s[3], s[4], 0.1, 1.3)
			return []float32{a, b}
		}, false},
		{"normaliseColumns", none(func(s [][]float32) { normaliseColumns(s[0], s[1], s[2], s[3], s[4]) }), none(func(s [][]float32) { normaliseColumnsGo(s[0], s[1], s[2], s[3], s[4]) }), false},
		{"normaliseColumnsGrad", none(func(s [][]float32) { normaliseColumnsGrad(s[0], s[1], s[2], s[3], s[4], s[5]) }), none(func(s [][]float32) { normaliseColumnsGradGo(s[0], s[1], s[2], s[3], s[4], s[5]) }), false},
		{"sumRows", none(func(s [][]float32) { SumRows(s[0], s[6], rows, len(s[0])+3) }), none(func(s [][]float32) { sumRowsGo(s[0], s[6], rows, len(s[0])+3) }), true},
		{"squareRows", none(func(s [][]float32) { SquareRows(s[0], s[6], s[1], rows, len(s[0])+3) }), none(func(s [][]float32) { squareRowsGo(s[0], s[6], s[1], rows, len(s[0])+3) }), true},
		{"dotRows", none(func(s [][]float32) { DotRows(s[0], s[6], s[7], s[1], rows, len(s[0])+3) }), none(func(s [][]float32) { dotRowsGo(s[0], s[6], s[7], s[1], rows, len(s[0])+3) }), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range lengths {
				fast, slow := operands(n, rows), operands(n, rows)
				a, b := c.fast(fast), c.slow(slow)
				same(t, fmt.Sprintf("n = %d, result", n), a, b, n)
				for i := range fast {
					same(t, fmt.Sprintf("n = %d, slice %d with its guard", n, i), fast[i][:cap(fast[i])], slow[i][:cap(slow[i])], 1)
				}
			}
		})
	}
}

// operands returns six slices of n elements and two of rows rows, with guards.
func operands(n, rows int) [][]float32 {
	var s [][]float32
	for i := range 8 {
		length := n
		if i >= 6 {
			length = rows * (n + 3)
		}
		x := draw(length+9, uint64(i)+5, 1)
		s = append(s, x[:length])
	}
	return s
}

func same(t *testing.T, what string, got, want []float32, terms int) {
	t.Helper()
	for i, v := range want {
		if math.Abs(float64(got[i]-v)) > sumTolerance*(5+math.Abs(float64(v))+float64(terms)) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, got[i], v)
		}
	}
}

func TestFilters(t *testing.T) {
	for _, rows := range []int{1, 2, 3, 4, 5, 9} {
		const taps, stride, ld = 5, 3, 21
		x, w, g := draw(rows*stride+taps, 1, 1), draw(taps*ld, 2, 1), draw(rows*ld, 3, 1)
		fast, slow := make([]float32, rows*ld), make([]float32, rows*ld)
		Filter(fast, ld, x, stride, w, ld, taps, rows)
		filterGo(slow, ld, x, stride, w, ld, taps, rows)
		same(t, "filter", fast, slow, taps)
		fast, slow = clone(w), clone(w)
		FilterGrad(fast, ld, g, ld, x, stride, rows)
		filterGradGo(slow, ld, g, ld, x, stride, rows)
		same(t, "gradient", fast, slow, rows)
	}
}

func BenchmarkGELU(b *testing.B) {
	x := draw(8192, 1, 1)
	y := make([]float32, len(x))
	b.SetBytes(int64(8 * len(x)))
	for b.Loop() {
		GELU(y, x)
	}
}

func BenchmarkSoftmax(b *testing.B) {
	x := draw(374, 1, 1)
	b.SetBytes(int64(8 * len(x)))
	for b.Loop() {
		Softmax(x, 0.125)
	}
}
