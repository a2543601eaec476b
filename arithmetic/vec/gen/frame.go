package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// lanes is the number of float32 in a YMM register.
const lanes = 8

var constants = map[string]Mem{}

// words is a memory operand of 32-bit words, repeated to eight.
func words(list ...uint32) Mem {
	name := "words"
	for _, w := range list {
		name += fmt.Sprintf("_%x", w)
	}
	if m, ok := constants[name]; ok {
		return m
	}
	m := GLOBL(name, RODATA|NOPTR)
	for i := range lanes {
		DATA(4*i, U32(list[i%len(list)]))
	}
	constants[name] = m
	return m
}

var labels int

func label(name string) string {
	labels++
	return fmt.Sprintf("%s%d", name, labels)
}

// function begins a kernel.
func function(name, signature, doc string) {
	TEXT(name, NOSPLIT, "func("+signature+")")
	Pragma("noescape")
	Doc(doc)
}

// finish ends a kernel.
func finish() {
	VZEROUPPER()
	RET()
}

func pointer(name string) Register { return Load(Param(name), GP64()) }

func addressOf(name string) Mem {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// spread loads a 32-bit argument into all lanes.
func spread(name string) VecVirtual {
	x := YMM()
	VBROADCASTSS(addressOf(name), x)
	return x
}

// each emits body for n elements, a multiple of group, which is a multiple of 8: body sees one vector of eight at a time, at the
// displacement that it is given. The pointers advance.
func each(n Register, group int, pointers []Register, body func(disp int)) {
	top, end := label("loop"), label("end")
	TESTQ(n, n)
	JLE(LabelRef(end))
	Label(top)
	for u := range group / lanes {
		body(4 * lanes * u)
	}
	for _, p := range pointers {
		ADDQ(Imm(uint64(4*group)), p)
	}
	SUBQ(Imm(uint64(group)), n)
	JG(LabelRef(top))
	Label(end)
}

func at(p Register, disp int) Mem { return Mem{Base: p, Disp: disp} }

func load(p Register, disp int) VecVirtual {
	x := YMM()
	VMOVUPS(at(p, disp), x)
	return x
}
