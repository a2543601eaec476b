// Command gen writes the AVX2 kernels of package half: kernels_amd64.s and the declarations beside it. It is a module of its own,
// so that the toolkit does not depend on the assembler it is built with. Run it by `go generate` in half.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// group is how many elements a kernel converts at a time.
const group = 32

func main() {
	ConstraintExpr("!purego")

	infinity := Mem{} // the exponent of what is not finite
	var special VecVirtual
	note := func(x VecVirtual) {
		e := YMM()
		VPAND(infinity, x, e)
		VPCMPEQD(infinity, e, e)
		VPOR(e, special, special)
	}
	begin := func() {
		infinity, special = word(0x7f800000), YMM()
		VPXOR(special, special, special)
	}

	function("fromBF16AVX2", "dst *float32, src *byte, n int) (special uint32", "fromBF16AVX2 is FromBF16 for a multiple of 32 elements; special is not 0 where one is not finite.")
	begin()
	each(4, 2, func(dst, src Register, d int) {
		x := YMM()
		VPMOVZXWD(Mem{Base: src, Disp: 2 * d}, x)
		VPSLLD(Imm(16), x, x)
		VMOVDQU(x, Mem{Base: dst, Disp: 4 * d})
		note(x)
	}, func() { report(special) })

	function("fromF16AVX2", "dst *float32, src *byte, n int) (special uint32", "fromF16AVX2 is FromF16 for a multiple of 32 elements; special is not 0 where one is not finite.")
	begin()
	each(4, 2, func(dst, src Register, d int) {
		x := YMM()
		VCVTPH2PS(Mem{Base: src, Disp: 2 * d}, x)
		VMOVUPS(x, Mem{Base: dst, Disp: 4 * d})
		note(x)
	}, func() { report(special) })

	function("toBF16AVX2", "dst *byte, src *float32, n int) (beyond uint32", "toBF16AVX2 is ToBF16 for a multiple of 32 elements; beyond is not 0 where a finite element became infinite.")
	over := YMM()
	VPXOR(over, over, over)
	noSign, half, one, inf, largest, quiet := spread(0x7fffffff), spread(0x7fff), spread(1), spread(0x7f800000), spread(0x7f7f7fff), spread(0x400000)
	each(2, 4, func(dst, src Register, d int) {
		if d%16 != 0 {
			return // two vectors at a time
		}
		var rounded [2]VecVirtual
		for i := range rounded {
			x, m, nan, odd, r := YMM(), YMM(), YMM(), YMM(), YMM()
			VMOVDQU(Mem{Base: src, Disp: 4*d + 32*i}, x)
			VPAND(noSign, x, m)
			VPCMPGTD(inf, m, nan)
			VPSRLD(Imm(16), x, odd)
			VPAND(one, odd, odd)
			VPADDD(half, x, r)
			VPADDD(odd, r, r)
			wide := YMM()
			VPCMPGTD(largest, m, wide) // rounds to infinity, is infinite, or NaN
			VPCMPGTD(m, inf, m)        // finite
			VPAND(m, wide, wide)
			VPOR(wide, over, over)
			VPOR(quiet, x, x)
			VPBLENDVB(nan, x, r, r)
			VPSRLD(Imm(16), r, r)
			rounded[i] = r
		}
		VPACKUSDW(rounded[1], rounded[0], rounded[0])
		VPERMQ(Imm(0xd8), rounded[0], rounded[0])
		VMOVDQU(rounded[0], Mem{Base: dst, Disp: 2 * d})
	}, func() { report(over) })

	function("toF16AVX2", "dst *byte, src *float32, n int) (beyond uint32", "toF16AVX2 is ToF16 for a multiple of 32 elements; beyond is not 0 where a finite element became infinite.")
	over = YMM()
	VPXOR(over, over, over)
	noSign, inf, largest = spread(0x7fffffff), spread(0x7f800000), spread(0x477fefff)
	each(2, 4, func(dst, src Register, d int) {
		x, m, wide, h := YMM(), YMM(), YMM(), XMM()
		VMOVDQU(Mem{Base: src, Disp: 4 * d}, x)
		VPAND(noSign, x, m)
		VPCMPGTD(largest, m, wide)
		VPCMPGTD(m, inf, m)
		VPAND(m, wide, wide)
		VPOR(wide, over, over)
		VCVTPS2PH(Imm(0), x, h)
		VMOVDQU(h, Mem{Base: dst, Disp: 2 * d})
	}, func() { report(over) })
	Generate()
}

func function(name, signature, doc string) {
	TEXT(name, NOSPLIT, "func("+signature+")")
	Pragma("noescape")
	Doc(doc)
}

var words = map[uint32]Mem{}

// word is a memory operand of eight copies of a word.
func word(w uint32) Mem {
	m, ok := words[w]
	if !ok {
		m = GLOBL(fmt.Sprintf("word_%08x", w), RODATA|NOPTR)
		for i := range 8 {
			DATA(4*i, U32(w))
		}
		words[w] = m
	}
	return m
}

// spread is a register of eight copies of a word.
func spread(w uint32) VecVirtual {
	x := YMM()
	VMOVDQU(word(w), x)
	return x
}

// report returns whether any lane is set.
func report(over VecVirtual) {
	r := GP32()
	VMOVMSKPS(over, r)
	Store(r, ReturnIndex(0))
}

var loops int

// each emits body for groups of elements, at displacements of whole elements; the pointers advance by their element sizes.
func each(toSize, fromSize int, body func(dst, src Register, d int), after ...func()) {
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	loops++
	top := fmt.Sprintf("loop%d", loops)
	Label(top)
	for d := 0; d < group; d += 8 {
		body(dst, src, d)
	}
	ADDQ(Imm(uint64(toSize*group)), dst)
	ADDQ(Imm(uint64(fromSize*group)), src)
	SUBQ(Imm(group), n)
	JG(LabelRef(top))
	for _, f := range after {
		f()
	}
	VZEROUPPER()
	RET()
}
