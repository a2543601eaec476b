// Command gen writes the AVX2 kernels of package optim: kernels_amd64.s and the declarations beside it. It is a module of its own,
// so that the toolkit does not depend on the assembler it is built with. Run it by `go generate` in optim.
//
// Every kernel works on a whole number of groups of elements; what is left over at the end is done by the portable code, whose
// results are the same bit for bit: nothing here fuses a product with a sum.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// lanes is the number of float32 in a YMM register.
const lanes = 8

func main() {
	ConstraintExpr("!purego")
	update("updateAVX2", "updateAVX2 takes a step of AdamW for a multiple of 16 elements.", false)
	update("updateClearAVX2", "updateClearAVX2 takes a step of AdamW for a multiple of 16 elements and clears the gradient.", true)
	scale()
	squares()
	Generate()
}

// update emits the kernel of update.apply, in the same order of operations:
//
//	g := scale·grad
//	m := β1·m + (1-β1)·g
//	v := β2·v + (1-β2)·(g·g)
//	p := p·keep - (size·m) / (√v·root + eps)
func update(name, doc string, clear bool) {
	function(name, "value, grad, m, v *float32, n int, scale, keep, size, root, eps, beta1, beta2, other1, other2 float32", doc)
	value, grad, m, v, n := pointer("value"), pointer("grad"), pointer("m"), pointer("v"), pointer("n")
	factor, keep, size, root, eps := spread("scale"), spread("keep"), spread("size"), spread("root"), spread("eps")
	beta1, beta2, other1, other2 := spread("beta1"), spread("beta2"), spread("other1"), spread("other2")
	each(n, 16, []Register{value, grad, m, v}, func(disp int) {
		g, first, second, t := YMM(), YMM(), YMM(), YMM()
		VMULPS(at(grad, disp), factor, g)
		VMULPS(at(m, disp), beta1, first)
		VMULPS(g, other1, t)
		VADDPS(t, first, first)
		VMOVUPS(first, at(m, disp))
		VMULPS(g, g, g)
		VMULPS(g, other2, g)
		VMULPS(at(v, disp), beta2, second)
		VADDPS(g, second, second)
		VMOVUPS(second, at(v, disp))
		VSQRTPS(second, second)
		VMULPS(root, second, second)
		VADDPS(eps, second, second)
		VMULPS(size, first, first)
		VDIVPS(second, first, first)
		VMULPS(at(value, disp), keep, t)
		VSUBPS(first, t, t)
		VMOVUPS(t, at(value, disp))
		if clear {
			VXORPS(t, t, t)
			VMOVUPS(t, at(grad, disp))
		}
	})
	finish()
}

// scale emits x := s·x.
func scale() {
	function("scaleAVX2", "x *float32, n int, s float32", "scaleAVX2 multiplies a multiple of 32 elements by s.")
	x, n, s := pointer("x"), pointer("n"), spread("s")
	each(n, 32, []Register{x}, func(disp int) {
		a := YMM()
		VMULPS(at(x, disp), s, a)
		VMOVUPS(a, at(x, disp))
	})
	finish()
}

// squares emits the sums of squares. Sixteen partial sums stand for the elements whose index leaves the same rest by 16.
func squares() {
	function("squaresAVX2", "sums *float64, x *float32, n int", "squaresAVX2 adds squares to sixteen sums, for a multiple of 16 elements.")
	sums, x, n := pointer("sums"), pointer("x"), pointer("n")
	var acc [4]VecVirtual
	for i := range acc {
		acc[i] = YMM()
		VMOVUPD(Mem{Base: sums, Disp: 32 * i}, acc[i])
	}
	each(n, 16, []Register{x}, func(disp int) {
		for half := range 2 {
			a := YMM()
			VCVTPS2PD(at(x, disp+16*half), a) // from memory, which unlike from a register needs no shuffle
			VMULPD(a, a, a)
			sum := acc[disp/16+half]
			VADDPD(a, sum, sum)
		}
	})
	for i := range acc {
		VMOVUPD(acc[i], Mem{Base: sums, Disp: 32 * i})
	}
	finish()
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

// spread loads a float32 argument into all lanes.
func spread(name string) VecVirtual {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	x := YMM()
	VBROADCASTSS(b.Addr, x)
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
