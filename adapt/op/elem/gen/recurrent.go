package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// recurrent emits the kernels of the codec's encoder: ELU, and what an LSTM needs.
func recurrent() {
	function("eluSIMD", "dst, x *float32, n int", "eluSIMD writes x to dst, or e^x - 1 where x is negative.")
	dst, x, n := pointer("dst"), pointer("x"), pointer("n")
	each(n, 2, []Register{dst, x}, func(v vector) {
		a := v.load(x)
		e, zero := YMM(), YMM()
		VXORPS(zero, zero, zero)
		VMINPS(a, zero, e) // x where it is NaN
		power := expm1(e)
		less := YMM()
		VSUBPS(constant(1), power, less)
		VFMADD213PS(less, power, e) // 2^n·(e^r−1) + (2^n−1)
		VBLENDVPS(a, e, a, a)       // by the sign of x
		v.store(a, dst)
	})
	finish()

	function("logisticSIMD", "x *float32, n int, slope, top, bottom float32", "logisticSIMD replaces x by bottom + top/(1 + e^(-slope·x)), slope being given with its sign turned.")
	x, n = pointer("x"), pointer("n")
	slope, top, bottom := spread("slope"), spread("top"), spread("bottom")
	each(n, 2, []Register{x}, func(v vector) {
		a := v.load(x)
		VMULPS(slope, a, a)
		limit := YMM()
		VMOVUPS(constant(-lowest), limit)
		VMINPS(a, limit, a) // x where it is NaN
		power := expm1(a)
		VFMADD213PS(power, power, a) // 2^n·(e^r−1) + 2^n
		VADDPS(constant(1), a, a)
		VDIVPS(a, top, a)
		VADDPS(bottom, a, a)
		v.store(a, x)
	})
	finish()

	matVec()
}

// matVec emits a product of four rows of a matrix with a vector.
func matVec() {
	const rows, unroll = 4, 2
	function("dotFourSIMD", "w *float32, ld int, x *float32, n int, out *float32", "dotFourSIMD writes the products of four rows of w, ld apart, with x, in eight partial sums each, to out.")
	w, ld, x, n, out := pointer("w"), pointer("ld"), pointer("x"), pointer("n"), pointer("out")
	SHLQ(Imm(2), ld)
	row := []Register{w}
	for range rows - 1 {
		next := GP64()
		LEAQ(Mem{Base: row[len(row)-1], Index: ld, Scale: 1}, next)
		row = append(row, next)
	}
	acc := zeros(rows * unroll)
	each(n, unroll, append([]Register{x}, row...), func(v vector) {
		b := v.load(x)
		for r := range rows {
			if v.mask != nil {
				VFMADD231PS(b, v.load(row[r]), acc[r*unroll])
			} else {
				VFMADD231PS(v.at(row[r]), b, acc[r*unroll+v.unit])
			}
		}
	})
	for r := range rows {
		VADDPS(acc[r*unroll+1], acc[r*unroll], acc[r*unroll])
		VMOVUPS(acc[r*unroll], Mem{Base: out, Disp: 4 * lanes * r})
	}
	finish()
}
