package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func ranks() {
	function("atLeastAVX2", "x *float32, n int, c float32", "atLeastAVX2 is AtLeast for a multiple of 32 elements.")
	x, n := pointer("x"), pointer("n")
	c := spread("c")
	each(n, group, []Register{x}, func(d int) {
		v := YMM()
		VMAXPS(at(x, d), c, v) // the element where either is NaN
		VMOVUPS(v, at(x, d))
	})
	finish()

	function("maxMagnitudeAVX2", "x *float32, n int) (most uint32", "maxMagnitudeAVX2 is MaxMagnitude for a multiple of 32 elements.")
	x, n = pointer("x"), pointer("n")
	mask, most := YMM(), YMM()
	VMOVUPS(words(noSign), mask)
	VPXOR(most, most, most)
	each(n, group, []Register{x}, func(d int) {
		m := YMM()
		VANDPS(at(x, d), mask, m)
		VPMAXSD(m, most, most)
	})
	high, other := XMM(), XMM()
	VEXTRACTI128(Imm(1), most, high)
	VPMAXSD(high, most.AsX(), high)
	VPSHUFD(Imm(0x4e), high, other)
	VPMAXSD(other, high, high)
	VPSHUFD(Imm(0xb1), high, other)
	VPMAXSD(other, high, high)
	r := GP32()
	VMOVD(high, r)
	Store(r, ReturnIndex(0))
	finish()

	function("countAboveAVX2", "x *float32, n int, bound uint32) (count int", "countAboveAVX2 counts magnitudes above the bound, for a multiple of 32 elements.")
	x, n = pointer("x"), pointer("n")
	bound, count := spread("bound"), YMM()
	mask = YMM()
	VMOVUPS(words(noSign), mask)
	VPXOR(count, count, count)
	each(n, group, []Register{x}, func(d int) {
		m := YMM()
		VANDPS(at(x, d), mask, m)
		VPCMPGTD(bound, m, m)
		VPSUBD(m, count, count)
	})
	Store(total(count), ReturnIndex(0))
	finish()

	function("bucketsAVX2", "dst *uint32, x *float32, n int, scale float32", "bucketsAVX2 is Buckets for a multiple of 32 elements.")
	dst, x, n := pointer("dst"), pointer("x"), pointer("n")
	scale := spread("scale")
	mask = YMM()
	VMOVUPS(words(noSign), mask)
	each(n, group, []Register{dst, x}, func(d int) {
		m := YMM()
		VANDPS(at(x, d), mask, m)
		VMULPS(scale, m, m)
		VCVTTPS2DQ(m, m)
		VMOVDQU(m, at(dst, d))
	})
	finish()

	function("belowAVX2", "bits *uint64, draws *uint32, n int, limit uint32", "belowAVX2 is Below for a multiple of 64 elements.")
	bits, draws, n := pointer("bits"), pointer("draws"), pointer("n")
	limit, sign := spread("limit"), YMM()
	VMOVUPS(words(0x80000000), sign)
	VPXOR(sign, limit, limit)
	part := GP32()
	each(n, group, []Register{draws}, func(d int) {
		u := YMM()
		VPXOR(at(draws, d), sign, u)
		VPCMPGTD(u, limit, u) // draw < limit, as signed numbers
		VMOVMSKPS(u, part)
		MOVB(part.As8(), Mem{Base: bits, Disp: d / 32})
		if d == 4*(group-lanes) {
			ADDQ(Imm(group/8), bits)
		}
	})
	finish()
}
