package elem

import (
	"math"
	"testing"
)

const (
	eluTolerance      = 2e-7 // relative, as ELU promises
	logisticTolerance = 3e-7 // absolute
)

// steps covers [-100, 100], and every power of two down to the smallest normal number.
func steps() []float32 {
	var x []float32
	for i := -100000; i <= 100000; i++ {
		x = append(x, float32(i)/1000)
	}
	for e := -126; e < 7; e++ {
		x = append(x, float32(math.Ldexp(1, e)), -float32(math.Ldexp(1, e)))
	}
	return x
}

func TestELU(t *testing.T) {
	x := steps()
	for name, f := range map[string]func(dst, x []float32){"dispatched": ELU, "portable": eluGo} {
		y := make([]float32, len(x))
		f(y, x)
		for i, v := range x {
			want := float64(v)
			if v < 0 {
				want = math.Expm1(float64(v))
			}
			if !(math.Abs(float64(y[i])-want) <= eluTolerance*math.Abs(want)) {
				t.Fatalf("%s: elu(%v) = %v, want %v", name, v, y[i], want)
			}
		}
	}
}

func TestLogistics(t *testing.T) {
	for name, f := range map[string]func(x []float32, slope, top, bottom float32){"dispatched": logistic, "portable": logisticGo} {
		s, h := steps(), steps()
		f(s, 1, 1, 0)
		f(h, 2, 2, -1)
		for i, v := range steps() {
			if want := 1 / (1 + math.Exp(-float64(v))); !(math.Abs(float64(s[i])-want) <= logisticTolerance) {
				t.Fatalf("%s: sigmoid(%v) = %v, want %v", name, v, s[i], want)
			}
			if want := math.Tanh(float64(v)); !(math.Abs(float64(h[i])-want) <= logisticTolerance) {
				t.Fatalf("%s: tanh(%v) = %v, want %v", name, v, h[i], want)
			}
		}
	}
	one, two := []float32{0.5, -3}, []float32{0.5, -3}
	Sigmoid(one)
	Tanh(two)
	if math.Abs(float64(one[0])-0.62245933) > logisticTolerance || math.Abs(float64(two[1])+0.99505475) > logisticTolerance {
		t.Errorf("Sigmoid(0.5) = %v, Tanh(-3) = %v", one[0], two[1])
	}
}

func TestRecurrentSpecialValues(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, f := range map[string]func(x []float32){
		"elu":      func(x []float32) { ELU(x, x) },
		"elu go":   func(x []float32) { eluGo(x, x) },
		"tanh":     Tanh,
		"tanh go":  func(x []float32) { logisticGo(x, 2, 2, -1) },
		"sigmoid":  func(x []float32) { Sigmoid(x); logisticInverse(x) },
		"sigmoid2": func(x []float32) { logisticGo(x, 1, 1, 0); logisticInverse(x) },
	} {
		x := []float32{nan, -nan, -inf, 0, inf}
		f(x)
		if x[0] == x[0] || x[1] == x[1] || x[2] != -1 || x[3] != 0 || x[4] < 1 {
			t.Errorf("%s: NaN NaN -Inf 0 Inf become %v", name, x)
		}
	}
}

// logisticInverse maps [0, 1] to [-1, 1], so that one expectation fits all.
func logisticInverse(x []float32) {
	for i, v := range x {
		x[i] = 2*v - 1
	}
}

// TestPlaceDoesNotMatterToCurves: an element's value is the same wherever it stands in a slice.
func TestPlaceDoesNotMatterToCurves(t *testing.T) {
	x := draw(374, 5, 2)
	for name, f := range map[string]func(x []float32){"elu": func(x []float32) { ELU(x, x) }, "sigmoid": Sigmoid, "tanh": Tanh} {
		whole := clone(x)
		f(whole)
		for _, n := range lengths {
			part := clone(x[374-n:])
			f(part)
			for i := range part {
				if part[i] != whole[374-n+i] {
					t.Fatalf("%s: element %d of the last %d is %v, of all %v", name, i, n, part[i], whole[374-n+i])
				}
			}
		}
	}
}

func TestAddProduct(t *testing.T) {
	for _, n := range lengths {
		for rows := range 10 {
			ld := n + 3
			w, x, start := draw(rows*ld+n, 1, 1), draw(n, 2, 1), draw(rows, 3, 1)
			for name, f := range map[string]func(dst, w []float32, ld int, x []float32){"dispatched": AddProduct, "portable": addProductGo} {
				got := clone(start)
				f(got, w, ld, x)
				for i := range got {
					want, size := float64(start[i]), 1.0
					for k, v := range x {
						want += float64(w[i*ld+k]) * float64(v)
						size += math.Abs(float64(w[i*ld+k]) * float64(v))
					}
					if math.Abs(float64(got[i])-want) > sumTolerance*size {
						t.Fatalf("%s: row %d of %d by %d is %v, want %v", name, i, rows, n, got[i], want)
					}
				}
			}
		}
	}
}

func BenchmarkELU(b *testing.B) {
	x := draw(1<<14, 1, 1)
	y := clone(x)
	b.SetBytes(4 << 14)
	for b.Loop() {
		ELU(y, x)
	}
}

func BenchmarkAddProduct(b *testing.B) {
	w, x, y := draw(2048*512, 1, 1), draw(512, 2, 1), make([]float32, 2048)
	b.SetBytes(4 << 20)
	for b.Loop() {
		AddProduct(y, w, 512, x)
	}
}
