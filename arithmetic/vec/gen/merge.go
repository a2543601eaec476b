package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The layout of a Term: the address of its elements, its weight, and the mask of the base.
const (
	termX      = 0
	termWeight = 24
	termLess   = 28
	termSize   = 32
)

// merges emits the kernels of Merge: of eight vectors of eight elements at a time, all terms are added up in registers. Each term is a
// stream of its own, so that nothing but dst is written.
func merges() {
	for _, k := range []struct {
		name, doc string
		store     func(xAndTo ...Op)
	}{
		{"mergeAVX2", "mergeAVX2 is Merge for a multiple of 64 elements and at least one of terms; it returns the largest magnitude.", VMOVUPS},
		{"mergeStreamAVX2", "mergeStreamAVX2 is mergeAVX2 that writes past the caches; dst is aligned to 32 bytes.", func(xAndTo ...Op) { VMOVNTPS(xAndTo[0], xAndTo[1]) }},
	} {
		merge(k.name, k.doc, k.store)
	}
}

func merge(name, doc string, store func(xAndTo ...Op)) {
	const wide = 8 // vectors
	function(name, "dst, base *float32, n int, c float32, terms *byte, count int) (most uint32", doc)
	dst, base, n, terms, count := pointer("dst"), pointer("base"), pointer("n"), pointer("terms"), pointer("count")
	most := YMM()
	VXORPS(most, most, most)
	at0 := GP64() // bytes of elements that are done
	XORQ(at0, at0)
	element := func(p Register, v int) Mem { return Mem{Base: p, Index: at0, Scale: 1, Disp: 4 * lanes * v} }

	top := label("loop")
	Label(top)
	var sum [wide]VecVirtual
	for v := range sum {
		sum[v] = YMM()
	}
	term, left, x := GP64(), GP64(), GP64()
	w, less := YMM(), YMM()
	// part is vector v of the term: w·(x − masked base).
	part := func(v int, to VecVirtual) {
		d := YMM()
		VANDPS(element(base, v), less, d)
		VMOVUPS(element(x, v), to)
		VSUBPS(d, to, to)
		VMULPS(w, to, to)
	}
	next := func() {
		MOVQ(Mem{Base: term, Disp: termX}, x)
		VBROADCASTSS(Mem{Base: term, Disp: termWeight}, w)
		VBROADCASTSS(Mem{Base: term, Disp: termLess}, less)
	}
	MOVQ(terms, term)
	MOVQ(count, left)
	next()
	for v := range sum {
		part(v, sum[v])
	}
	inner, done := label("term"), label("done")
	Label(inner)
	DECQ(left)
	JLE(LabelRef(done))
	ADDQ(Imm(termSize), term)
	next()
	for v := range sum {
		d := YMM()
		part(v, d)
		VADDPS(d, sum[v], sum[v])
	}
	JMP(LabelRef(inner))
	Label(done)
	c, magnitude := spread("c"), YMM()
	VMOVUPS(words(0x7fffffff), magnitude)
	for v := range sum {
		VMULPS(c, sum[v], sum[v])
		VADDPS(element(base, v), sum[v], sum[v])
		store(sum[v], element(dst, v))
		VANDPS(magnitude, sum[v], sum[v])
		VPMAXUD(sum[v], most, most)
	}
	ADDQ(U32(4*lanes*wide), at0)
	SUBQ(Imm(lanes*wide), n)
	JG(LabelRef(top))

	SFENCE()
	half := XMM()
	VEXTRACTI128(Imm(1), most, half)
	VPMAXUD(half, most.AsX(), half)
	for _, order := range []uint64{0x0e, 0x01} {
		other := XMM()
		VPSHUFD(Imm(order), half, other)
		VPMAXUD(other, half, half)
	}
	result := GP32()
	VMOVD(half, result)
	Store(result, ReturnIndex(0))
	finish()
}
