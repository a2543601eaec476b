package vec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// lanes is a sum in the order that the package comment promises.
func lanes(n int, term func(i int) float64) float64 {
	var p [16]float64
	for i := range n {
		p[i%16] += term(i)
	}
	for j := range 8 {
		p[j] += p[j+8]
	}
	for j := range 4 {
		p[j] += p[j+4]
	}
	return p[0] + p[2] + (p[1] + p[3])
}

func sameSum(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}

// TestSumsOfEveryLength holds the sums to their order bit for bit, with and without values that end it.
func TestSumsOfEveryLength(t *testing.T) {
	for _, n := range lengths() {
		for special := range 2 {
			a, b := numbers(1, n+3)[1:n+1], numbers(2, n+3)[2:n+2]
			if special == 0 {
				a, b = ordinary(1, n), ordinary(2, n)
			}
			dot := lanes(n, func(i int) float64 { return float64(a[i]) * float64(b[i]) })
			if got := Dot(a, b); !sameSum(got, dot) {
				t.Fatalf("Dot of %d elements is %v, want %v", n, got, dot)
			}
			if got, want := Square(a), lanes(n, func(i int) float64 { return float64(a[i]) * float64(a[i]) }); !sameSum(got, want) {
				t.Fatalf("Square of %d elements is %v, want %v", n, got, want)
			}
			if aa, ab, bb := Dots(a, b); !sameSum(aa, Square(a)) || !sameSum(ab, dot) || !sameSum(bb, Square(b)) {
				t.Fatalf("Dots of %d elements are %v, %v and %v, want %v, %v and %v", n, aa, ab, bb, Square(a), dot, Square(b))
			}
			if got, want := SumAbs(a), lanes(n, func(i int) float64 { return math.Abs(float64(a[i])) }); !sameSum(got, want) {
				t.Fatalf("SumAbs of %d elements is %v, want %v", n, got, want)
			}
			want := Pair{Dot: dot}
			for i := range a {
				if a[i] != 0 && b[i] != 0 {
					want.Both++
					if math.Signbit(float64(a[i])) != math.Signbit(float64(b[i])) {
						want.Opposites++
					}
				}
			}
			got := Compare(a, b)
			if !sameSum(got.Dot, want.Dot) || got.Both != want.Both || got.Opposites != want.Opposites {
				t.Fatalf("Compare of %d elements is %+v, want %+v", n, got, want)
			}
		}
	}
}

// ordinary has magnitudes far apart, so that another order of a sum gives other bits.
func ordinary(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 5))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64() * math.Exp(8*r.NormFloat64()))
	}
	return x
}

// TestOrderMatters guards the test above: its numbers tell orders apart.
func TestOrderMatters(t *testing.T) {
	a := ordinary(1, 1001)
	straight := 0.0
	for _, v := range a {
		straight += float64(v) * float64(v)
	}
	if straight == Square(a) {
		t.Errorf("both orders give %v", straight)
	}
	if math.Abs(straight/Square(a)-1) > 1e-13 {
		t.Errorf("Square is %v, want about %v", Square(a), straight)
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
	if s := SumAbs([]float32{3, -4}); s != 7 {
		t.Errorf("SumAbs = %v, want 7", s)
	}
	if s := Square([]float32{float32(math.Inf(1))}); !math.IsInf(s, 1) {
		t.Errorf("Square of infinity = %v", s)
	}
}
