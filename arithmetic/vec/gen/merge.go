package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The layout of a Term.
const (
	termAt     = 0  // the address of its elements
	termWeight = 8  //
	termLess   = 12 // the mask of the base
	termKind   = 16 // as the constants of package vec count them
	termSize   = 24
)

// distance is how many bytes ahead operands are asked for, since processors foresee no further than a page of 4 KiB, and mapped files
// have no larger ones.
const distance = 1024

// merges emits the kernels of Merge: of eight vectors of eight elements at a time, all terms are added up in registers. Each term is a
// stream of its own, so that nothing but dst is written. A sum begins with −0, to which the first term adds up to itself.
func merges() {
	merge("mergeAVX2", "mergeAVX2 is Merge for a multiple of 64 elements and at least one of terms; it returns the largest magnitude.", VMOVUPS)
	merge("mergeStreamAVX2", "mergeStreamAVX2 is mergeAVX2 that writes past the caches; dst is aligned to 32 bytes.",
		func(xAndTo ...Op) { VMOVNTPS(xAndTo[0], xAndTo[1]) })
}

func merge(name, doc string, store func(xAndTo ...Op)) {
	const wide = 8 // vectors
	function(name, "dst, base *float32, n int, c float32, terms *byte, count int) (most uint32", doc)
	dst, base, n, terms, count := pointer("dst"), pointer("base"), pointer("n"), pointer("terms"), pointer("count")
	most, minus := YMM(), YMM()
	VXORPS(most, most, most)
	VMOVUPS(words(0x80000000), minus)
	done := GP64() // elements
	XORQ(done, done)
	element := func(p Register, size, v int) Mem {
		return Mem{Base: p, Index: done, Scale: uint8(size), Disp: size * lanes * v}
	}
	ahead := func(p Register, size int) {
		for line := 0; line < size*lanes*wide; line += 64 {
			PREFETCHT0(Mem{Base: p, Index: done, Scale: uint8(size), Disp: distance + line})
		}
	}

	top := label("loop")
	Label(top)
	var sum [wide]VecVirtual
	for v := range sum {
		sum[v] = YMM()
		VMOVAPS(minus, sum[v])
	}
	ahead(base, 4)
	term, left, x, kind := GP64(), GP64(), GP64(), GP32()
	MOVQ(terms, term)
	MOVQ(count, left)
	w, less := YMM(), YMM()
	inner, bfloat, half, next := label("term"), label("bfloat"), label("half"), label("next")
	// add adds the term's vectors, of elements of size bytes that get loads.
	add := func(size int, get func(from Mem, to VecVirtual)) {
		ahead(x, size)
		for v := range sum {
			part, b := YMM(), YMM()
			get(element(x, size, v), part)
			VANDPS(element(base, 4, v), less, b)
			VSUBPS(b, part, part)
			VMULPS(w, part, part)
			VADDPS(part, sum[v], sum[v])
		}
	}
	Label(inner)
	MOVQ(Mem{Base: term, Disp: termAt}, x)
	VBROADCASTSS(Mem{Base: term, Disp: termWeight}, w)
	VBROADCASTSS(Mem{Base: term, Disp: termLess}, less)
	MOVL(Mem{Base: term, Disp: termKind}, kind)
	CMPL(kind, Imm(1))
	JEQ(LabelRef(bfloat))
	JGT(LabelRef(half))
	add(4, func(from Mem, to VecVirtual) { VMOVUPS(from, to) })
	JMP(LabelRef(next))
	Label(bfloat)
	add(2, func(from Mem, to VecVirtual) {
		VPMOVZXWD(from, to)
		VPSLLD(Imm(16), to, to)
	})
	JMP(LabelRef(next))
	Label(half)
	add(2, func(from Mem, to VecVirtual) { VCVTPH2PS(from, to) })
	Label(next)
	ADDQ(Imm(termSize), term)
	DECQ(left)
	JG(LabelRef(inner))

	c, magnitude := spread("c"), YMM()
	VMOVUPS(words(0x7fffffff), magnitude)
	for v := range sum {
		VMULPS(c, sum[v], sum[v])
		VADDPS(element(base, 4, v), sum[v], sum[v])
		store(sum[v], element(dst, 4, v))
		VANDPS(magnitude, sum[v], sum[v])
		VPMAXUD(sum[v], most, most)
	}
	ADDQ(Imm(lanes*wide), done)
	SUBQ(Imm(lanes*wide), n)
	JG(LabelRef(top))

	SFENCE()
	high := XMM()
	VEXTRACTI128(Imm(1), most, high)
	VPMAXUD(high, most.AsX(), high)
	for _, order := range []uint64{0x4e, 0xb1} {
		other := XMM()
		VPSHUFD(Imm(order), high, other)
		VPMAXUD(other, high, high)
	}
	result := GP32()
	VMOVD(high, result)
	Store(result, ReturnIndex(0))
	finish()
}
