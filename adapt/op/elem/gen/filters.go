package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// filters emits the convolution of one channel with sixteen filters and the
// gradient of the filters.
func filters() {
	const height = 4 // rows at a time, then one
	function("filterSIMD", "y *float32, ldy int, x *float32, stride int, w *float32, ldw, taps, rows int",
		"filterSIMD writes Σ_k w[k][o]·x[row·stride + k] to y[row][o] for sixteen columns o.")
	y, ldy, x, stride, w, ldw := pointer("y"), pointer("ldy"), pointer("x"), pointer("stride"), pointer("w"), pointer("ldw")
	taps, rows := pointer("taps"), pointer("rows")
	for _, p := range []Register{ldy, stride, ldw} {
		SHLQ(Imm(2), p)
	}
	for _, h := range []int{height, 1} {
		top, end, tap := label("rows"), label("end"), label("tap")
		Label(top)
		CMPQ(rows, Imm(uint64(h)))
		JLT(LabelRef(end))
		acc := zeros(2 * h)
		wp, left := GP64(), GP64()
		MOVQ(w, wp)
		MOVQ(taps, left)
		xs := make([]Register, h)
		for i := range xs {
			xs[i] = GP64()
			if i == 0 {
				MOVQ(x, xs[i])
			} else {
				MOVQ(xs[i-1], xs[i])
				ADDQ(stride, xs[i])
			}
		}
		Label(tap)
		w0, w1, v := YMM(), YMM(), YMM()
		VMOVUPS(Mem{Base: wp}, w0)
		VMOVUPS(Mem{Base: wp, Disp: 32}, w1)
		for i, p := range xs {
			VBROADCASTSS(Mem{Base: p}, v)
			VFMADD231PS(v, w0, acc[2*i])
			VFMADD231PS(v, w1, acc[2*i+1])
			ADDQ(Imm(4), p)
		}
		ADDQ(ldw, wp)
		DECQ(left)
		JNE(LabelRef(tap))
		for i := range h {
			VMOVUPS(acc[2*i], Mem{Base: y})
			VMOVUPS(acc[2*i+1], Mem{Base: y, Disp: 32})
			ADDQ(ldy, y)
			ADDQ(stride, x)
		}
		SUBQ(Imm(uint64(h)), rows)
		JMP(LabelRef(top))
		Label(end)
	}
	finish()

	const taps5 = 5
	function("filterGradSIMD", "dw *float32, ldw int, grad *float32, ldg int, x *float32, stride, rows int",
		"filterGradSIMD adds Σ_row g[row][o]·x[row·stride + k] to dw[k][o] for five taps k and sixteen\ncolumns o; rows is at least 1.")
	dw, g, ldg := pointer("dw"), pointer("grad"), pointer("ldg")
	ldw = pointer("ldw")
	x, stride, rows = pointer("x"), pointer("stride"), pointer("rows")
	for _, p := range []Register{ldw, ldg, stride} {
		SHLQ(Imm(2), p)
	}
	acc := zeros(2 * taps5)
	top := label("row")
	Label(top)
	g0, g1, v := YMM(), YMM(), YMM()
	VMOVUPS(Mem{Base: g}, g0)
	VMOVUPS(Mem{Base: g, Disp: 32}, g1)
	for k := range taps5 {
		VBROADCASTSS(Mem{Base: x, Disp: 4 * k}, v)
		VFMADD231PS(v, g0, acc[2*k])
		VFMADD231PS(v, g1, acc[2*k+1])
	}
	ADDQ(ldg, g)
	ADDQ(stride, x)
	DECQ(rows)
	JNE(LabelRef(top))
	for k := range taps5 {
		for i := range 2 {
			m := Mem{Base: dw, Disp: 32 * i}
			VADDPS(m, acc[2*k+i], acc[2*k+i])
			VMOVUPS(acc[2*k+i], m)
		}
		ADDQ(ldw, dw)
	}
	finish()
}
