package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// random emits SplitMix64 on four counters at a time; AVX2 has no product of 64-bit numbers, so each is made of three of 32.
func random() {
	multiply := func(x VecVirtual, low, high Op, to VecVirtual) {
		h, m := YMM(), YMM()
		VPSRLQ(Imm(32), x, h)
		VPMULUDQ(low, h, h)  // x_high · c_low
		VPMULUDQ(high, x, m) // x_low · c_high
		VPADDQ(m, h, h)
		VPSLLQ(Imm(32), h, h)
		VPMULUDQ(low, x, to)
		VPADDQ(h, to, to)
	}
	shift := func(x VecVirtual, by int) {
		t := YMM()
		VPSRLQ(Imm(uint64(by)), x, t)
		VPXOR(t, x, x)
	}
	// draws is eight draws from the counters in z.
	draws := func(z VecVirtual) VecVirtual {
		x := YMM()
		VMOVDQU(z, x)
		shift(x, 30)
		multiply(x, words(0x1ce4e5b9), words(0xbf58476d), x)
		shift(x, 27)
		multiply(x, words(0x133111eb), words(0x94d049bb), x)
		shift(x, 31)
		return x
	}
	setup := func() (z, step VecVirtual) {
		z, step = YMM(), YMM()
		VMOVDQU(Mem{Base: pointer("counters")}, z)
		VPBROADCASTQ(addressOf("step"), step)
		return z, step
	}

	function("randomAVX2", "dst *uint32, n int, counters *[4]uint64, step uint64", "randomAVX2 writes the draws of four counters at a time, each of which then grows by step, for a multiple of 8 elements.")
	dst, n := pointer("dst"), pointer("n")
	z, step := setup()
	each(n, lanes, []Register{dst}, func(d int) {
		VMOVDQU(draws(z), at(dst, d))
		VPADDQ(step, z, z)
	})
	finish()

	function("bernoulliAVX2", "x *float32, n int, counters *[4]uint64, step uint64, limit uint32", "bernoulliAVX2 clears elements whose draw is not below limit, for a multiple of 8 elements.")
	x, n := pointer("x"), pointer("n")
	limit := spread("limit")
	z, step = setup()
	sign := YMM()
	VMOVUPS(words(0x80000000), sign)
	VPXOR(sign, limit, limit)
	each(n, lanes, []Register{x}, func(d int) {
		u := draws(z)
		VPADDQ(step, z, z)
		VPXOR(sign, u, u)
		VPCMPGTD(u, limit, u) // draw < limit, as signed numbers
		VANDPS(at(x, d), u, u)
		VMOVUPS(u, at(x, d))
	})
	finish()
}
