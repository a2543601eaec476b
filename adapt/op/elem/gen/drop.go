package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Constants of the random numbers as in ../drop.go.
const (
	golden    uint64 = 0x9e3779b97f4a7c15
	mixFirst  uint64 = 0xbf58476d1ce4e5b9
	mixSecond uint64 = 0x94d049bb133111eb
)

// quads returns a memory operand of the multiples of step by the given factors.
func quads(name string, step uint64, factors ...uint64) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i, factor := range factors {
		DATA(8*i, U64(step*factor))
	}
	return m
}

// shifted replaces each of four 64-bit z by z ^ z>>n.
func shifted(z VecVirtual, n uint64) {
	t := YMM()
	VPSRLQ(Imm(n), z, t)
	VPXOR(t, z, z)
}

// multiply multiplies four 64-bit z by c, from products of their halves: AVX2 has no
// such instruction.
func multiply(z VecVirtual, c uint64) {
	low, high := bits(uint32(c)), bits(uint32(c>>32))
	up, cross := YMM(), YMM()
	VPSRLQ(Imm(32), z, up)
	VPMULUDQ(low, up, up)
	VPMULUDQ(high, z, cross)
	VPMULUDQ(low, z, z)
	VPADDQ(cross, up, up)
	VPSLLQ(Imm(32), up, up)
	VPADDQ(up, z, z)
}

// drop emits dropout. A vector of eight elements begins at an even index, so that
// its four pairs have the 64-bit numbers of four lanes and, an even index's bits
// being the lower ones, each element those of its own place.
func drop() {
	function("dropSIMD", "dst, x *float32, n int, scale float32, threshold uint32, state uint64",
		"dropSIMD writes scale·x to dst, or 0 where the element's half of mix(state), state + golden for the\nnext pair and so on, is below threshold.")
	dst, x, n := pointer("dst"), pointer("x"), pointer("n")
	scale, threshold := spread("scale"), spread("threshold")
	state, step := YMM(), YMM()
	VPBROADCASTQ(addressOf("state"), state)
	VPADDQ(quads("pair_states", golden, 0, 1, 2, 3), state, state)
	VMOVDQU(quads("vector_step", golden, 4, 4, 4, 4), step)
	each(n, 2, []Register{dst, x}, func(v vector) {
		z, kept := YMM(), YMM()
		VPSRLQ(Imm(30), state, z)
		VPXOR(state, z, z)
		VPADDQ(step, state, state)
		multiply(z, mixFirst)
		shifted(z, 27)
		multiply(z, mixSecond)
		shifted(z, 31)
		VPMAXUD(threshold, z, kept)
		VPCMPEQD(z, kept, kept) // z ≥ threshold, there being no comparison of unsigned integers
		a := v.load(x)
		VMULPS(scale, a, a)
		VANDPS(kept, a, a)
		v.store(a, dst)
	})
	finish()
}
