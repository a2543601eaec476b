package main

import (
	"fmt"
	"math"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// lanes is the number of float32 in a YMM register.
const lanes = 8

var constants = map[uint32]Mem{}

// bits returns a memory operand of eight copies of a 32-bit word.
func bits(word uint32) Mem {
	if m, ok := constants[word]; ok {
		return m
	}
	m := GLOBL(fmt.Sprintf("word_%08x", word), RODATA|NOPTR)
	for i := range lanes {
		DATA(4*i, U32(word))
	}
	constants[word] = m
	return m
}

// constant returns a memory operand of eight copies of v.
func constant(v float64) Mem { return bits(math.Float32bits(float32(v))) }

var tailMask *Mem

// masks returns eight words of ones followed by eight of zeros: the mask of r
// elements begins 8-r words in.
func masks() Mem {
	if tailMask == nil {
		m := GLOBL("tail_mask", RODATA|NOPTR)
		for i := range 2 * lanes {
			DATA(4*i, U32(map[bool]uint32{true: ^uint32(0)}[i < lanes]))
		}
		tailMask = &m
	}
	return *tailMask
}

// vector is up to eight elements at the same place of every slice of a kernel.
type vector struct {
	unit int        // which of the unrolled copies
	mask VecVirtual // of the last, partial vector; nil for a whole one
	byte int        // offset from the pointers
}

func (v vector) at(p Register) Mem { return Mem{Base: p, Disp: v.byte} }

// load reads the vector at p; elements beyond the slice read as 0.
func (v vector) load(p Register) VecVirtual {
	x := YMM()
	if v.mask != nil {
		VMASKMOVPS(v.at(p), v.mask, x)
	} else {
		VMOVUPS(v.at(p), x)
	}
	return x
}

// store writes the vector to p, and nothing beyond the slice.
func (v vector) store(x VecVirtual, p Register) {
	if v.mask != nil {
		VMASKMOVPS(x, v.mask, v.at(p))
	} else {
		VMOVUPS(x, v.at(p))
	}
}

var labels int

// label returns a name that the function does not use yet.
func label(name string) string {
	labels++
	return fmt.Sprintf("%s%d", name, labels)
}

// each emits body for all of n elements: unroll vectors at a time, then one, then
// a masked one. It advances the pointers. Every element takes the same
// instructions whichever loop it falls in, so that its value does not depend on
// its place.
func each(n Register, unroll int, pointers []Register, body func(v vector)) {
	steps := []int{unroll}
	if unroll > 1 {
		steps = append(steps, 1)
	}
	for _, units := range steps {
		top, end := label("loop"), label("end")
		Label(top)
		CMPQ(n, Imm(uint64(lanes*units)))
		JLT(LabelRef(end))
		for u := range units {
			body(vector{unit: u, byte: 4 * lanes * u})
		}
		for _, p := range pointers {
			ADDQ(Imm(uint64(4*lanes*units)), p)
		}
		SUBQ(Imm(uint64(lanes*units)), n)
		JMP(LabelRef(top))
		Label(end)
	}
	done := label("done")
	TESTQ(n, n)
	JE(LabelRef(done))
	mask, base := YMM(), GP64()
	LEAQ(masks().Offset(4*lanes), base)
	NEGQ(n)
	VMOVUPS(Mem{Base: base, Index: n, Scale: 4}, mask)
	body(vector{mask: mask})
	Label(done)
}

// zeros returns n cleared registers.
func zeros(n int) []VecVirtual {
	rs := make([]VecVirtual, n)
	for i := range rs {
		rs[i] = YMM()
		VXORPS(rs[i], rs[i], rs[i])
	}
	return rs
}

// fold adds (or combines) the registers into the first, pairwise.
func fold(rs []VecVirtual, combine func(a Op, b, to VecVirtual)) {
	for n := len(rs) / 2; n > 0; n /= 2 {
		for i := range n {
			combine(rs[i+n], rs[i], rs[i])
		}
	}
}

// pointer loads an argument into a register.
func pointer(name string) Register { return Load(Param(name), GP64()) }

// spread loads an argument of four bytes into all lanes.
func spread(name string) VecVirtual {
	x := YMM()
	VBROADCASTSS(addressOf(name), x)
	return x
}

// addressOf returns the memory operand of an argument.
func addressOf(name string) Mem {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// function begins a kernel.
func function(name, signature, doc string) {
	TEXT(name, NOSPLIT, "func("+signature+")")
	Pragma("noescape")
	Doc(strings.Split(doc, "\n")...)
}

// finish ends a kernel.
func finish() {
	VZEROUPPER()
	RET()
}
