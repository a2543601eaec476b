package elem

import "math"

// Constants of exp, Cody and Waite's reduction with Cephes' polynomial
// (expf.c, Moshier): e^x = 2^n·e^r, r = x − n·ln 2, |r| ≤ ln 2 / 2.
const (
	lowest     = -87 // below it e^x counts as 0; above it 2^n is a normal number
	log2e      = 1.44269504088896341
	ln2High    = 0.693359375
	ln2Low     = -2.12194440e-4
	roundMagic = 12582912 // 1.5·2²³: adding it rounds to an integer
)

var expCoefficients = [...]float32{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}

// exp returns e^x for x ≤ 88, within 2 units in the last place; 0 below −87. A NaN
// stays one: its bits go through float operations alone, where integer ones on the
// exponent would turn some into numbers.
func exp(x float32) float32 {
	if x < lowest {
		return 0
	}
	r, power := expm1(x)
	return float32(power*r) + power
}

// expm1 returns e^r − 1 and 2^n where e^x = 2^n·e^r, for x ≤ 88; those of −87 for
// x below. With both, e^x − 1 keeps its digits around 0.
func expm1(x float32) (r, power float32) {
	if x < lowest {
		x = lowest
	}
	z := float32(x*log2e) + roundMagic
	n := z - roundMagic
	r = x - float32(n*ln2High)
	r -= float32(n * ln2Low)
	y := expCoefficients[0]
	for _, c := range expCoefficients[1:] {
		y = float32(y*r) + c
	}
	y = float32(y*float32(r*r)) + r
	return y, math.Float32frombits(math.Float32bits(z)<<23 + math.Float32bits(1))
}

// Φ(−a) = e^(−a²/2)·t·Σ c_k·t^k with t = 1/(1 + tailScale·a): a minimax fit of
// the scaled complementary error function on [0, 9], relative error 4e-8.
// Coefficients from the highest power down.
const tailScale = 0.23000000417232513

var tailCoefficients = [...]float32{
	-0.07673482596874237, 0.2814570367336273, -0.258281409740448, 0.27688971161842346,
	-0.014321566559374332, 0.11072362959384918, 0.08829514682292938, 0.09197228401899338}

// density is 1/√(2π).
const density = 0.3989422804014327

// normal returns the standard normal distribution's Φ(x) and φ(x).
func normal(x float32) (cdf, pdf float32) {
	e := exp(float32(float32(-0.5*x) * x))
	a := math.Float32frombits(math.Float32bits(x) &^ (1 << 31))
	t := 1 / (float32(a*tailScale) + 1)
	y := tailCoefficients[0]
	for _, c := range tailCoefficients[1:] {
		y = float32(y*t) + c
	}
	cdf = y * t * e
	if !math.Signbit(float64(x)) {
		cdf = 1 - cdf
	}
	return cdf, e * density
}
