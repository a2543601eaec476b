package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// overRows emits, for every four vectors of columns and then for every one, a loop
// over rows of the matrices at the given pointers, whose rows are ld elements
// apart. What prepare returns adds one row to acc, given the pointers of the row;
// acc begins as dst and goes there in the end.
func overRows(dst Register, matrices, vectors []Register, rows, ld, n Register, prepare func(v vector) func(acc VecVirtual, at []Register)) {
	step := GP64()
	MOVQ(ld, step)
	SHLQ(Imm(2), step)
	block := func(vs []vector) {
		accs, bodies := make([]VecVirtual, len(vs)), make([]func(VecVirtual, []Register), len(vs))
		for i, v := range vs {
			accs[i], bodies[i] = v.load(dst), prepare(v)
		}
		at := make([]Register, len(matrices))
		for i, m := range matrices {
			at[i] = GP64()
			MOVQ(m, at[i])
		}
		left := GP64()
		MOVQ(rows, left)
		top := label("row")
		Label(top)
		for i, body := range bodies {
			body(accs[i], at)
		}
		for _, p := range at {
			ADDQ(step, p)
		}
		DECQ(left)
		JNE(LabelRef(top))
		for i, v := range vs {
			v.store(accs[i], dst)
		}
	}
	const wide = 4
	pointers := append(append([]Register{dst}, matrices...), vectors...)
	top, end := label("wide"), label("end")
	Label(top)
	CMPQ(n, Imm(lanes*wide))
	JLT(LabelRef(end))
	vs := make([]vector, wide)
	for u := range vs {
		vs[u] = vector{unit: u, byte: 4 * lanes * u}
	}
	block(vs)
	for _, p := range pointers {
		ADDQ(Imm(4*lanes*wide), p)
	}
	SUBQ(Imm(lanes*wide), n)
	JMP(LabelRef(top))
	Label(end)
	each(n, 1, pointers, func(v vector) { block([]vector{v}) })
}

// columns emits the kernels over matrices whose statistics belong to columns.
func columns() {
	function("sumRowsSIMD", "dst, x *float32, rows, ld, n int", "sumRowsSIMD adds the rows of x to dst; rows is at least 1.")
	dst, x, rows, ld, n := pointer("dst"), pointer("x"), pointer("rows"), pointer("ld"), pointer("n")
	overRows(dst, []Register{x}, nil, rows, ld, n, func(v vector) func(VecVirtual, []Register) {
		return func(acc VecVirtual, at []Register) { VADDPS(v.load(at[0]), acc, acc) }
	})
	finish()

	function("squareRowsSIMD", "dst, x, mean *float32, rows, ld, n int", "squareRowsSIMD adds the squares of the rows of x-mean to dst; rows is at least 1.")
	dst, x, rows, ld, n = pointer("dst"), pointer("x"), pointer("rows"), pointer("ld"), pointer("n")
	mean := pointer("mean")
	overRows(dst, []Register{x}, []Register{mean}, rows, ld, n, func(v vector) func(VecVirtual, []Register) {
		m := v.load(mean)
		return func(acc VecVirtual, at []Register) {
			a := v.load(at[0])
			VSUBPS(m, a, a)
			VFMADD231PS(a, a, acc)
		}
	})
	finish()

	function("dotRowsSIMD", "dst, grad, x, mean *float32, rows, ld, n int", "dotRowsSIMD adds the products of the rows of g and x-mean to dst; rows is at least 1.")
	dst, x, rows, ld, n = pointer("dst"), pointer("x"), pointer("rows"), pointer("ld"), pointer("n")
	g := pointer("grad")
	mean = pointer("mean")
	overRows(dst, []Register{g, x}, []Register{mean}, rows, ld, n, func(v vector) func(VecVirtual, []Register) {
		m := v.load(mean)
		return func(acc VecVirtual, at []Register) {
			a := v.load(at[1])
			VSUBPS(m, a, a)
			VFMADD231PS(v.load(at[0]), a, acc)
		}
	})
	finish()

	function("normaliseColumnsSIMD", "dst, x, mean, gain, b *float32, n int", "normaliseColumnsSIMD writes (x-mean)·gain + b to dst.")
	dst, x, n = pointer("dst"), pointer("x"), pointer("n")
	mean = pointer("mean")
	gain, b := pointer("gain"), pointer("b")
	each(n, 2, []Register{dst, x, mean, gain, b}, func(v vector) {
		a, k, bias := v.load(x), v.load(gain), v.load(b)
		VSUBPS(v.load(mean), a, a)
		VFMADD213PS(bias, k, a)
		v.store(a, dst)
	})
	finish()

	function("normaliseColumnsGradSIMD", "grad, x, mean, gain, m, q *float32, n int", "normaliseColumnsGradSIMD replaces g by (g - m - (x-mean)·q)·gain.")
	g = pointer("grad")
	x, n, mean = pointer("x"), pointer("n"), pointer("mean")
	gain = pointer("gain")
	m, q := pointer("m"), pointer("q")
	each(n, 2, []Register{g, x, mean, gain, m, q}, func(v vector) {
		a, d := v.load(x), v.load(g)
		VSUBPS(v.load(mean), a, a)
		VSUBPS(v.load(m), d, d)
		VFNMADD231PS(v.load(q), a, d)
		VMULPS(v.load(gain), d, d)
		v.store(d, g)
	})
	finish()
}
