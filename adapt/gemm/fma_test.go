package gemm

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// fma returns x·y + z, rounded once. The product is exact in float64. The sum is rounded to odd there, with the error by
// Knuth's two-sum: so float32 rounds it as it would the exact sum, which it does not where float64 has rounded to
// nearest (Boldo and Melquiond, Emulation of FMA and correctly rounded sums, 2008).
func fma(x, y, z float32) float32 {
	a, b := float64(x)*float64(y), float64(z)
	s := a + b
	t := s - a
	if e := (a - (s - t)) + (b - t); e != 0 && math.Float64bits(s)&1 == 0 {
		s = math.Nextafter(s, math.Copysign(math.Inf(1), e))
	}
	return float32(s)
}

// TestFMA compares the interpreter's fma with exact arithmetic: on numbers of all sizes, and on sums just beside the
// middle between two float32, which float64 takes for the middle.
func TestFMA(t *testing.T) {
	rng := rand.New(rand.NewPCG(33, 34))
	number := func(exponent int) float32 {
		return float32(math.Ldexp(float64(2*rng.Float32()-1), exponent))
	}
	exact := func(x float32) *big.Float { return new(big.Float).SetPrec(1000).SetFloat64(float64(x)) }
	twice := 0
	for i := range 20_000 {
		e := rng.IntN(220) - 140
		x, y := number(e), number(rng.IntN(60)-30)
		z := -x*y*number(1) + number(e-rng.IntN(60))
		if i%2 == 0 { // x·y = (1 + 2^-12)² is in the middle, and z of any smaller size decides
			x = float32(math.Ldexp(1+0x1p-12, e/2))
			y, z = x, number(e/2*2-24-rng.IntN(60))
		}
		product := exact(x).Mul(exact(x), exact(y))
		want, _ := product.Add(product, exact(z)).Float32()
		if got := fma(x, y, z); math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("fma(%g, %g, %g) = %g, want %g", x, y, z, got, want)
		}
		if float32(math.FMA(float64(x), float64(y), float64(z))) != want {
			twice++
		}
	}
	if twice < 1000 {
		t.Errorf("rounding twice was wrong %d times: the numbers are too easy", twice)
	}
}
