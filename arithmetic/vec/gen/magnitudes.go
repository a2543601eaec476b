package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	noSign   = 0x7fffffff
	exponent = 0x7f800000
)

func magnitudes() {
	for _, k := range []struct {
		name, doc string
		below     bool
	}{
		{"keepAboveAVX2", "keepAboveAVX2 clears elements whose magnitude is not above the bound, for a multiple of 32.", false},
		{"clearAboveAVX2", "clearAboveAVX2 clears elements whose magnitude is above the bound, for a multiple of 32.", true},
	} {
		function(k.name, "x *float32, n int, bound uint32", k.doc)
		x, n, bound := pointer("x"), pointer("n"), spread("bound")
		mask := YMM()
		VMOVUPS(words(noSign), mask)
		each(n, group, []Register{x}, func(d int) {
			v, m := load(x, d), YMM()
			VANDPS(mask, v, m)
			VPCMPGTD(bound, m, m)
			if k.below {
				VANDNPS(v, m, m)
			} else {
				VANDPS(v, m, m)
			}
			VMOVUPS(m, at(x, d))
		})
		finish()
	}

	function("keepWhereAVX2", "x, by *float32, n int, bound uint32", "keepWhereAVX2 is KeepWhere for a multiple of 32 elements.")
	kept, by, length := pointer("x"), pointer("by"), pointer("n")
	limit, unsigned := spread("bound"), YMM()
	VMOVUPS(words(noSign), unsigned)
	each(length, group, []Register{kept, by}, func(d int) {
		m := YMM()
		VANDPS(at(by, d), unsigned, m)
		VPCMPGTD(limit, m, m)
		VANDPS(at(kept, d), m, m)
		VMOVUPS(m, at(kept, d))
	})
	finish()

	// between compares two bounds at a time and spills the few magnitudes that lie between them.
	function("betweenAVX2", "x *float32, n int, lo, hi uint32, inside *uint32) (above, found int", "betweenAVX2 is Between for a multiple of 8 elements: lo and hi are each one less.")
	x, n, out := pointer("x"), pointer("n"), pointer("inside")
	lo, hi := spread("lo"), spread("hi")
	mask, count := YMM(), YMM()
	VMOVUPS(words(noSign), mask)
	VPXOR(count, count, count)
	start := GP64()
	MOVQ(out, start)
	bits, index, word := GP32(), GP32(), GP32()
	each(n, lanes, []Register{x}, func(d int) {
		m, above := YMM(), YMM()
		VANDPS(at(x, d), mask, m)
		VPCMPGTD(hi, m, above)
		VPSUBD(above, count, count)
		VPCMPGTD(lo, m, m)
		VPANDN(m, above, m)
		VMOVMSKPS(m, bits)
		next, spill := label("next"), label("spill")
		TESTL(bits, bits)
		JZ(LabelRef(next))
		Label(spill)
		BSFL(bits, index)
		MOVL(Mem{Base: x, Disp: d, Index: index.As64(), Scale: 4}, word)
		ANDL(Imm(noSign), word)
		MOVL(word, Mem{Base: out})
		ADDQ(Imm(4), out)
		LEAL(Mem{Base: bits.As64(), Disp: -1}, index)
		ANDL(index, bits)
		JNZ(LabelRef(spill))
		Label(next)
	})
	SUBQ(start, out)
	SHRQ(Imm(2), out)
	Store(out, ReturnIndex(1))
	Store(total(count), ReturnIndex(0))
	finish()

	function("anyNonFiniteAVX2", "x *float32, n int) (found uint32", "anyNonFiniteAVX2 is not 0 where a NaN or infinity is among a multiple of 32 elements.")
	x, n = pointer("x"), pointer("n")
	e, any := YMM(), YMM()
	VMOVUPS(words(exponent), e)
	VPXOR(any, any, any)
	each(n, group, []Register{x}, func(d int) {
		m := YMM()
		VANDPS(at(x, d), e, m)
		VPCMPEQD(e, m, m)
		VPOR(m, any, any)
	})
	found := GP32()
	VMOVMSKPS(any, found)
	Store(found, ReturnIndex(0))
	finish()

	// keepBits expands a byte of bits to eight lanes.
	function("keepBitsAVX2", "x *float32, bits *byte, n int", "keepBitsAVX2 clears elements whose bit is 0, for a multiple of 8.")
	x, n = pointer("x"), pointer("n")
	packed := pointer("bits")
	each(n, lanes, []Register{x}, func(d int) {
		m := YMM()
		VPBROADCASTB(Mem{Base: packed}, m)
		VPAND(words(1, 2, 4, 8, 16, 32, 64, 128), m, m)
		VPCMPEQD(words(1, 2, 4, 8, 16, 32, 64, 128), m, m)
		VANDPS(at(x, d), m, m)
		VMOVUPS(m, at(x, d))
		INCQ(packed)
	})
	finish()
}

// total adds eight 32-bit counts.
func total(v VecVirtual) Register {
	high := XMM()
	VEXTRACTI128(Imm(1), v, high)
	VPADDD(high, v.AsX(), high)
	other := XMM()
	VPSHUFD(Imm(0x4e), high, other)
	VPADDD(other, high, high)
	VPSHUFD(Imm(0xb1), high, other)
	VPADDD(other, high, high)
	r := GP32()
	VMOVD(high, r)
	return r.As64()
}
