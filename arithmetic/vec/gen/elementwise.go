package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// group is how many elements a kernel works on at a time.
const group = 32

func elementwise() {
	function("subAVX2", "dst, x *float32, n int", "subAVX2 is Sub for a multiple of 32 elements.")
	dst, x, n := pointer("dst"), pointer("x"), pointer("n")
	each(n, group, []Register{dst, x}, func(d int) {
		a := load(dst, d)
		VSUBPS(at(x, d), a, a)
		VMOVUPS(a, at(dst, d))
	})
	finish()

	function("addAVX2", "dst, x *float32, n int", "addAVX2 is Add for a multiple of 32 elements.")
	dst, x, n = pointer("dst"), pointer("x"), pointer("n")
	each(n, group, []Register{dst, x}, func(d int) {
		a := load(dst, d)
		VADDPS(at(x, d), a, a)
		VMOVUPS(a, at(dst, d))
	})
	finish()

	function("divideAVX2", "dst, x *float32, n int", "divideAVX2 is Divide for a multiple of 32 elements.")
	dst, x, n = pointer("dst"), pointer("x"), pointer("n")
	zero, one := YMM(), YMM()
	VXORPS(zero, zero, zero)
	VMOVUPS(words(0x3f800000), one)
	each(n, group, []Register{dst, x}, func(d int) {
		a, b, m := load(dst, d), load(x, d), YMM()
		VCMPPS(Imm(0), zero, b, m)
		VBLENDVPS(m, one, b, b)
		VDIVPS(b, a, a)
		VMOVUPS(a, at(dst, d))
	})
	finish()

	function("scaleAVX2", "dst *float32, n int, c float32", "scaleAVX2 is Scale for a multiple of 32 elements.")
	dst, n = pointer("dst"), pointer("n")
	c := spread("c")
	each(n, group, []Register{dst}, func(d int) {
		a := YMM()
		VMULPS(at(dst, d), c, a)
		VMOVUPS(a, at(dst, d))
	})
	finish()

	function("divideByAVX2", "dst *float32, n int, c float32", "divideByAVX2 is DivideBy for a multiple of 32 elements.")
	dst, n = pointer("dst"), pointer("n")
	c = spread("c")
	each(n, group, []Register{dst}, func(d int) {
		a := load(dst, d)
		VDIVPS(c, a, a)
		VMOVUPS(a, at(dst, d))
	})
	finish()

	function("addScaledAVX2", "dst, x *float32, n int, c float32", "addScaledAVX2 is AddScaled for a multiple of 32 elements.")
	dst, x, n = pointer("dst"), pointer("x"), pointer("n")
	c = spread("c")
	each(n, group, []Register{dst, x}, func(d int) {
		a := YMM()
		VMULPS(at(x, d), c, a)
		VADDPS(at(dst, d), a, a)
		VMOVUPS(a, at(dst, d))
	})
	finish()

	function("addSquareAVX2", "dst, x *float32, n int", "addSquareAVX2 is AddSquare for a multiple of 32 elements.")
	dst, x, n = pointer("dst"), pointer("x"), pointer("n")
	each(n, group, []Register{dst, x}, func(d int) {
		a := load(x, d)
		VMULPS(a, a, a)
		VADDPS(at(dst, d), a, a)
		VMOVUPS(a, at(dst, d))
	})
	finish()

	function("addScaledDifferenceAVX2", "dst, x, y *float32, n int, c float32", "addScaledDifferenceAVX2 is AddScaledDifference for a multiple of 32 elements.")
	dst, x, n = pointer("dst"), pointer("x"), pointer("n")
	y := pointer("y")
	c = spread("c")
	each(n, group, []Register{dst, x, y}, func(d int) {
		a := load(x, d)
		VSUBPS(at(y, d), a, a)
		VMULPS(c, a, a)
		VADDPS(at(dst, d), a, a)
		VMOVUPS(a, at(dst, d))
	})
	finish()

	agreeing()
}

// agreeing emits the election: an element agrees where it is not 0 and has the sign of the majority, which is + for 0 and − for
// NaN. Where it does not, −0 is added, which unlike +0 changes nothing.
func agreeing() {
	minusZero := func() VecVirtual {
		x := YMM()
		VMOVUPS(words(0x80000000), x)
		return x
	}
	agree := func(x, sign Register, d int, nothing VecVirtual) (value, mask VecVirtual) {
		s, v := load(sign, d), load(x, d)
		flip, m := YMM(), YMM()
		zero := YMM()
		VXORPS(zero, zero, zero)
		VCMPPS(Imm(13), zero, s, flip) // s ≥ 0
		VANDNPS(nothing, flip, flip)
		VXORPS(v, flip, m)
		VCMPPS(Imm(14), zero, m, m) // > 0
		VBLENDVPS(m, v, nothing, v)
		return v, m
	}
	function("addAgreeingAVX2", "sum, x, sign *float32, n int", "addAgreeingAVX2 is AddAgreeing without a divisor for a multiple of 16 elements.")
	sum, x, sign, n := pointer("sum"), pointer("x"), pointer("sign"), pointer("n")
	nothing := minusZero()
	each(n, 16, []Register{sum, x, sign}, func(d int) {
		v, _ := agree(x, sign, d, nothing)
		VADDPS(at(sum, d), v, v)
		VMOVUPS(v, at(sum, d))
	})
	finish()

	function("addAgreeingWeightAVX2", "sum, divisor, x, sign *float32, n int, w float32", "addAgreeingWeightAVX2 is AddAgreeing with a divisor for a multiple of 16 elements.")
	sum, x, sign, n = pointer("sum"), pointer("x"), pointer("sign"), pointer("n")
	divisor, w := pointer("divisor"), spread("w")
	nothing = minusZero()
	each(n, 16, []Register{sum, divisor, x, sign}, func(d int) {
		v, m := agree(x, sign, d, nothing)
		VADDPS(at(sum, d), v, v)
		VMOVUPS(v, at(sum, d))
		VBLENDVPS(m, w, nothing, m)
		VADDPS(at(divisor, d), m, m)
		VMOVUPS(m, at(divisor, d))
	})
	finish()
}
