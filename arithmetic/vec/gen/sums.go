package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// sums emits the float64 sums. Sixteen partial sums stand for the elements whose index leaves the same rest by 16.
func sums() {
	const wide = 16
	// halves widens eight elements from memory, which unlike from a register needs no shuffle.
	halves := func(p Register, d int) (low, high VecVirtual) {
		low, high = YMM(), YMM()
		VCVTPS2PD(at(p, d), low)
		VCVTPS2PD(at(p, d+16), high)
		return low, high
	}
	accumulators := func(lanes Register) (acc [4]VecVirtual) {
		for i := range acc {
			acc[i] = YMM()
			VMOVUPD(Mem{Base: lanes, Disp: 32 * i}, acc[i])
		}
		return acc
	}
	store := func(acc [4]VecVirtual, lanes Register) {
		for i := range acc {
			VMOVUPD(acc[i], Mem{Base: lanes, Disp: 32 * i})
		}
	}

	function("dotAVX2", "lanes *float64, a, b *float32, n int", "dotAVX2 adds products to sixteen lanes, for a multiple of 16 elements.")
	lanes, a, b, n := pointer("lanes"), pointer("a"), pointer("b"), pointer("n")
	acc := accumulators(lanes)
	each(n, wide, []Register{a, b}, func(d int) {
		xl, xh := halves(a, d)
		yl, yh := halves(b, d)
		VFMADD231PD(xl, yl, acc[d/16]) // the product is exact in float64, so fusing changes nothing
		VFMADD231PD(xh, yh, acc[d/16+1])
	})
	store(acc, lanes)
	finish()

	function("dotsAVX2", "lanes *float64, a, b *float32, n int", "dotsAVX2 adds a·a, a·b and b·b to three times sixteen lanes, for a multiple of 16 elements.")
	lanes, a, b, n = pointer("lanes"), pointer("a"), pointer("b"), pointer("n")
	var three [3][4]VecVirtual
	for i := range three {
		for j := range three[i] {
			three[i][j] = YMM()
			VMOVUPD(Mem{Base: lanes, Disp: 128*i + 32*j}, three[i][j])
		}
	}
	each(n, wide, []Register{a, b}, func(d int) {
		for j := range 2 {
			x, y, k := YMM(), YMM(), d/16+j
			VCVTPS2PD(at(a, d+16*j), x)
			VCVTPS2PD(at(b, d+16*j), y)
			VFMADD231PD(x, x, three[0][k])
			VFMADD231PD(x, y, three[1][k])
			VFMADD231PD(y, y, three[2][k])
		}
	})
	for i := range three {
		for j := range three[i] {
			VMOVUPD(three[i][j], Mem{Base: lanes, Disp: 128*i + 32*j})
		}
	}
	finish()

	function("sumAbsAVX2", "lanes *float64, a *float32, n int", "sumAbsAVX2 adds magnitudes to sixteen lanes, for a multiple of 16 elements.")
	lanes, a, n = pointer("lanes"), pointer("a"), pointer("n")
	acc = accumulators(lanes)
	mask := YMM()
	VPCMPEQQ(mask, mask, mask)
	VPSRLQ(Imm(1), mask, mask)
	each(n, wide, []Register{a}, func(d int) {
		low, high := halves(a, d)
		VANDPD(mask, low, low)
		VANDPD(mask, high, high)
		VADDPD(low, acc[d/16], acc[d/16])
		VADDPD(high, acc[d/16+1], acc[d/16+1])
	})
	store(acc, lanes)
	finish()

	function("signsAVX2", "a, b *float32, n int) (both, opposite int", "signsAVX2 counts the pairs without a 0, and those of them with different signs, for a multiple of 8 elements.")
	a, b, n = pointer("a"), pointer("b"), pointer("n")
	zero, both, opposite := YMM(), YMM(), YMM()
	for _, r := range []VecVirtual{zero, both, opposite} {
		VPXOR(r, r, r)
	}
	each(n, 8, []Register{a, b}, func(d int) {
		x, y := load(a, d), load(b, d)
		m, p, q := YMM(), YMM(), YMM()
		VCMPPS(Imm(4), zero, x, m) // not equal, or NaN
		VCMPPS(Imm(4), zero, y, p)
		VANDPS(m, p, m)
		VPSUBD(m, both, both)
		VXORPS(x, y, q)
		VPSRAD(Imm(31), q, q)
		VANDPS(m, q, q)
		VPSUBD(q, opposite, opposite)
	})
	Store(total(both), ReturnIndex(0))
	Store(total(opposite), ReturnIndex(1))
	finish()
}
