package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Coefficients as in ../math.go, which says where they come from.
var (
	expCoefficients  = []float64{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}
	tailCoefficients = []float64{
		-0.07673482596874237, 0.2814570367336273, -0.258281409740448, 0.27688971161842346,
		-0.014321566559374332, 0.11072362959384918, 0.08829514682292938, 0.09197228401899338}
)

const (
	tailScale  = 0.23000000417232513
	lowest     = -87
	log2e      = 1.44269504088896341
	ln2High    = 0.693359375
	ln2Low     = -2.12194440e-4
	roundMagic = 12582912 // 1.5·2^23: adding it rounds to an integer
	density    = 0.3989422804014327
)

// exp replaces x, at most 88, by e^x; below lowest it is 0.
func exp(x VecVirtual) {
	small := YMM()
	VCMPPS(Imm(1), constant(lowest), x, small) // x < lowest
	power := expm1(x)
	VFMADD213PS(power, power, x) // 2^n·(e^r−1) + 2^n
	VANDNPS(x, small, x)
}

// expm1 returns 2^n and replaces x, at most 88, by e^r − 1, where e^x = 2^n·e^r; for x below lowest they are those of lowest.
func expm1(x VecVirtual) (power VecVirtual) {
	z, n, y := YMM(), YMM(), YMM()
	VMOVUPS(constant(lowest), n)
	VMAXPS(x, n, x) // x where it is NaN
	VMOVUPS(constant(roundMagic), z)
	VFMADD231PS(constant(log2e), x, z)
	VSUBPS(constant(roundMagic), z, n)
	VFNMADD231PS(constant(ln2High), n, x)
	VFNMADD231PS(constant(ln2Low), n, x)
	VMOVUPS(constant(expCoefficients[0]), y)
	for _, c := range expCoefficients[1:] {
		VFMADD213PS(constant(c), x, y)
	}
	VMULPS(x, x, n)
	VFMADD213PS(x, n, y)
	VMOVUPS(y, x)
	VPSLLD(Imm(23), z, z)
	VPADDD(constant(1), z, z)
	return z
}

// normalParts returns Φ(x) and e^(-x²/2).
func normalParts(x VecVirtual) (cdf, e VecVirtual) {
	t, y, one := YMM(), YMM(), YMM()
	e = YMM()
	VMULPS(constant(-0.5), x, e)
	VMULPS(x, e, e)
	exp(e)
	VANDPS(bits(0x7fffffff), x, t)
	VMOVUPS(constant(1), one)
	VFMADD132PS(constant(tailScale), one, t)
	VDIVPS(t, one, t)
	VMOVUPS(constant(tailCoefficients[0]), y)
	for _, c := range tailCoefficients[1:] {
		VFMADD213PS(constant(c), t, y)
	}
	VMULPS(t, y, y)
	VMULPS(e, y, y)
	VSUBPS(y, one, one)
	VBLENDVPS(x, y, one, y)
	return y, e
}

// normal emits the kernels on the normal distribution.
func normal() {
	function("geluSIMD", "dst, x *float32, n int", "geluSIMD writes x·Φ(x) to dst.")
	dst, x, n := pointer("dst"), pointer("x"), pointer("n")
	each(n, 1, []Register{dst, x}, func(v vector) {
		a := v.load(x)
		cdf, _ := normalParts(a)
		VMULPS(cdf, a, a)
		v.store(a, dst)
	})
	finish()

	function("geluGradSIMD", "grad, x *float32, n int", "geluGradSIMD multiplies g by Φ(x) + x·φ(x).")
	g := pointer("grad")
	x, n = pointer("x"), pointer("n")
	each(n, 1, []Register{g, x}, func(v vector) {
		a, d := v.load(x), v.load(g)
		cdf, e := normalParts(a)
		VMULPS(constant(density), e, e)
		VFMADD231PS(e, a, cdf)
		VMULPS(cdf, d, d)
		v.store(d, g)
	})
	finish()
}

// softmax emits the kernels of softmax and its gradient.
func softmax() {
	function("expSumSIMD", "x *float32, n int, top, scale float32, out *float32", "expSumSIMD replaces x by e^((x-top)·scale) and writes the sums of it to the eight lanes of out.")
	x, n, out := pointer("x"), pointer("n"), pointer("out")
	top, scale := spread("top"), spread("scale")
	acc := zeros(1)[0]
	each(n, 1, []Register{x}, func(v vector) {
		a := v.load(x)
		VSUBPS(top, a, a)
		VMULPS(scale, a, a)
		exp(a)
		v.store(a, x)
		if v.mask != nil {
			VANDPS(v.mask, a, a)
		}
		VADDPS(a, acc, acc)
	})
	VMOVUPS(acc, Mem{Base: out})
	finish()

	function("softmaxGradSIMD", "d, p *float32, n int, m, scale float32", "softmaxGradSIMD replaces d by p·(d-m)·scale.")
	d, p := pointer("d"), pointer("p")
	n = pointer("n")
	m := spread("m")
	scale = spread("scale")
	each(n, 4, []Register{d, p}, func(v vector) {
		a, b := v.load(d), v.load(p)
		VSUBPS(m, a, a)
		VMULPS(b, a, a)
		VMULPS(scale, a, a)
		v.store(a, d)
	})
	finish()
}
