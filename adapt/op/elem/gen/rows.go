package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// maps emits the kernels that compute each element by itself.
func maps() {
	function("addSIMD", "dst, x *float32, n int", "addSIMD adds x to dst.")
	dst, x, n := pointer("dst"), pointer("x"), pointer("n")
	each(n, 4, []Register{dst, x}, func(v vector) {
		a, b := v.load(dst), v.load(x)
		VADDPS(b, a, a)
		v.store(a, dst)
	})
	finish()

	function("addScaledSIMD", "dst, x *float32, n int, s float32", "addScaledSIMD adds s·x to dst.")
	dst, x, n = pointer("dst"), pointer("x"), pointer("n")
	s := spread("s")
	each(n, 4, []Register{dst, x}, func(v vector) {
		a, b := v.load(dst), v.load(x)
		VFMADD231PS(s, b, a)
		v.store(a, dst)
	})
	finish()

	function("scaleSIMD", "x *float32, n int, s float32", "scaleSIMD multiplies x by s.")
	x, n = pointer("x"), pointer("n")
	s = spread("s")
	each(n, 4, []Register{x}, func(v vector) {
		a := v.load(x)
		VMULPS(s, a, a)
		v.store(a, x)
	})
	finish()

	function("normaliseSIMD", "dst, x, w, b *float32, n int, mean, scale float32", "normaliseSIMD writes (x-mean)·scale·w + b to dst.")
	dst, x, n = pointer("dst"), pointer("x"), pointer("n")
	w, b := pointer("w"), pointer("b")
	mean, scale := spread("mean"), spread("scale")
	each(n, 2, []Register{dst, x, w, b}, func(v vector) {
		a, gain, bias := v.load(x), v.load(w), v.load(b)
		VSUBPS(mean, a, a)
		VMULPS(scale, a, a)
		VFMADD213PS(bias, gain, a)
		v.store(a, dst)
	})
	finish()

	function("normaliseGradSIMD", "grad, x *float32, n int, mean, scale, m, q float32", "normaliseGradSIMD replaces g by (g - m - (x-mean)·scale·q)·scale.")
	g := pointer("grad")
	x, n = pointer("x"), pointer("n")
	mean, scale = spread("mean"), spread("scale")
	m, q := spread("m"), spread("q")
	each(n, 2, []Register{g, x}, func(v vector) {
		a, d := v.load(x), v.load(g)
		VSUBPS(mean, a, a)
		VMULPS(scale, a, a)
		VSUBPS(m, d, d)
		VFNMADD231PS(q, a, d)
		VMULPS(scale, d, d)
		v.store(d, g)
	})
	finish()
}

// reductions emits the kernels that return eight partial results, which the
// caller combines in a fixed order.
func reductions() {
	const unroll = 4
	function("sumSIMD", "x *float32, n int, out *float32", "sumSIMD writes the sums of x to the eight lanes of out.")
	x, n, out := pointer("x"), pointer("n"), pointer("out")
	acc := zeros(unroll)
	each(n, unroll, []Register{x}, func(v vector) {
		VADDPS(v.load(x), acc[v.unit], acc[v.unit])
	})
	fold(acc, func(a Op, b, to VecVirtual) { VADDPS(a, b, to) })
	VMOVUPS(acc[0], Mem{Base: out})
	finish()

	function("sumSquaresSIMD", "x *float32, n int, mean float32, out *float32", "sumSquaresSIMD writes the sums of (x-mean)² to the eight lanes of out.")
	x, n, out = pointer("x"), pointer("n"), pointer("out")
	mean := spread("mean")
	acc = zeros(unroll)
	each(n, unroll, []Register{x}, func(v vector) {
		a := v.load(x)
		VSUBPS(mean, a, a)
		if v.mask != nil {
			VANDPS(v.mask, a, a)
		}
		VFMADD231PS(a, a, acc[v.unit])
	})
	fold(acc, func(a Op, b, to VecVirtual) { VADDPS(a, b, to) })
	VMOVUPS(acc[0], Mem{Base: out})
	finish()

	function("dotSIMD", "a, b *float32, n int, out *float32", "dotSIMD writes the sums of a·b to the eight lanes of out.")
	a, b := pointer("a"), pointer("b")
	n, out = pointer("n"), pointer("out")
	acc = zeros(unroll)
	each(n, unroll, []Register{a, b}, func(v vector) {
		VFMADD231PS(v.load(a), v.load(b), acc[v.unit])
	})
	fold(acc, func(a Op, b, to VecVirtual) { VADDPS(a, b, to) })
	VMOVUPS(acc[0], Mem{Base: out})
	finish()

	function("maxSIMD", "x *float32, n int, out *float32", "maxSIMD writes the largest of x to the eight lanes of out, at least -Inf; a NaN may be lost.")
	x, n, out = pointer("x"), pointer("n"), pointer("out")
	lowest := bits(0xff800000)
	acc = zeros(unroll)
	for _, r := range acc {
		VMOVUPS(lowest, r)
	}
	each(n, unroll, []Register{x}, func(v vector) {
		a := v.load(x)
		if v.mask != nil {
			low := YMM()
			VMOVUPS(lowest, low)
			VBLENDVPS(v.mask, a, low, a)
		}
		VMAXPS(a, acc[v.unit], acc[v.unit])
	})
	fold(acc, func(a Op, b, to VecVirtual) { VMAXPS(a, b, to) })
	VMOVUPS(acc[0], Mem{Base: out})
	finish()

	function("normaliseSumsSIMD", "grad, x, w, dw, db *float32, n int, mean, scale float32, out *float32",
		"normaliseSumsSIMD adds g·(x-mean)·scale to dw and g to db, replaces g by g·w and writes the sums\nof it, and of its products with (x-mean)·scale, to twice eight lanes of out.")
	g, w, dw, db := pointer("grad"), pointer("w"), pointer("dw"), pointer("db")
	x, n, out = pointer("x"), pointer("n"), pointer("out")
	mean = spread("mean")
	scale := spread("scale")
	acc = zeros(4)
	each(n, 2, []Register{g, x, w, dw, db}, func(v vector) {
		a, d, p, q := v.load(x), v.load(g), v.load(dw), v.load(db)
		VSUBPS(mean, a, a)
		VMULPS(scale, a, a)
		VFMADD231PS(a, d, p)
		v.store(p, dw)
		VADDPS(d, q, q)
		v.store(q, db)
		VMULPS(v.load(w), d, d)
		v.store(d, g)
		VADDPS(d, acc[2*v.unit], acc[2*v.unit])
		VFMADD231PS(a, d, acc[2*v.unit+1])
	})
	VADDPS(acc[2], acc[0], acc[0])
	VADDPS(acc[3], acc[1], acc[1])
	VMOVUPS(acc[0], Mem{Base: out})
	VMOVUPS(acc[1], Mem{Base: out, Disp: 32})
	finish()
}
