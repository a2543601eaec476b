package main

// Constants of the random numbers as in ../../drop.go.
const (
	golden    uint64 = 0x9e3779b97f4a7c15
	mixFirst  uint64 = 0xbf58476d1ce4e5b9
	mixSecond uint64 = 0x94d049bb133111eb
)

// Integer instructions, as in instructions.go.
const (
	cmhs       = 0x6ea03c00 // ones where Vn.4S ≥ Vm.4S, unsigned
	mulLane    = 0x4f808000 // Vd.4S, Vn.4S, Vm.S[index]
	mlaLane    = 0x6f800000 // Vd += Vn·Vm
	umlalLane  = 0x2f802000 // Vd.2D += the lower half of Vn.4S · Vm.S[index]
	umlal2Lane = 0x6f802000 // the upper half
	shll       = 0x2ea13800 // Vd.2D = the lower half of Vn.4S << 32
	shll2      = 0x6ea13800 // the upper half
)

// word writes an instruction on a register and a lane.
func (f *function) word(name string, code int, d, a reg, l lane) {
	f.emit("WORD $%#08x // %s V%d, V%d, V%d.S[%d]",
		code|l.index&1<<21|l.index>>1<<11|int(l.reg)<<16|int(a)<<5|int(d), name, d, a, l.reg, l.index)
}

// quadwords loads two 64-bit numbers into a register.
func (f *function) quadwords(a, b uint64) reg {
	return f.words([4]uint32{uint32(a), uint32(a >> 32), uint32(b), uint32(b >> 32)})
}

// steps loads two multiples of golden into a register.
func (f *function) steps(a, b uint64) reg { return f.quadwords(a*golden, b*golden) }

// addQuadwords adds 64-bit integers.
func (f *function) addQuadwords(d, a pair, b operand) {
	for i := range d {
		f.emit("VADD V%d.D2, V%d.D2, V%d.D2", b.half(i), a[i], d[i])
	}
}

// shifted writes z ^ z>>n of four 64-bit z.
func (f *function) shifted(d, z pair, n int) {
	f.scope(func() {
		t := f.reg()
		for i := range z {
			f.emit("VUSHR $%d, V%d.D2, V%d.D2", n, z[i], t)
			f.emit("VEOR %s, %s, %s", t.bytes(), z[i].bytes(), d[i].bytes())
		}
	})
}

// multiply multiplies four 64-bit z by the number in two lanes, from products of
// their halves: NEON has no such instruction.
func (f *function) multiply(z pair, low, high lane) {
	f.scope(func() {
		lows, highs, cross := f.reg(), f.reg(), f.reg()
		f.emit("VUZP1 %v, %v, %v", z[1], z[0], lows)
		f.emit("VUZP2 %v, %v, %v", z[1], z[0], highs)
		f.word("MUL", mulLane, cross, lows, high)
		f.word("MLA", mlaLane, cross, highs, low)
		f.emit("WORD $%#08x // SHLL V%d.2D, V%d.2S, $32", shll|int(cross)<<5|int(z[0]), z[0], cross)
		f.emit("WORD $%#08x // SHLL2 V%d.2D, V%d.4S, $32", shll2|int(cross)<<5|int(z[1]), z[1], cross)
		f.word("UMLAL", umlalLane, z[0], lows, low)
		f.word("UMLAL2", umlal2Lane, z[1], lows, low)
	})
}

// drop emits dropout. A vector of eight elements begins at an even index, so that
// its four pairs have the 64-bit numbers of four lanes and, an even index's bits
// being the lower ones, each element those of its own place.
func drop(p *program) {
	p.function("dropSIMD", func(f *function) {
		dst, x, n := f.pointer("dst"), f.pointer("x"), f.pointer("n")
		scale, threshold, start := f.spread("scale"), f.spread("threshold"), f.pointer("state")
		pairs, step, factors := pair{f.steps(0, 1), f.steps(2, 3)}, f.steps(4, 4), f.quadwords(mixFirst, mixSecond)
		state := f.pair()
		for _, s := range state {
			f.emit("VDUP %v, V%d.D2", start, s)
		}
		f.addQuadwords(state, state, pairs)
		f.each(n, 2, []gp{dst, x}, func(v vector) {
			z := f.pair()
			f.shifted(z, state, 30)
			f.addQuadwords(state, state, step)
			f.multiply(z, lane{factors, 0}, lane{factors, 1})
			f.shifted(z, z, 27)
			f.multiply(z, lane{factors, 2}, lane{factors, 3})
			f.shifted(z, z, 31)
			f.three("CMHS", cmhs, z, z, threshold)
			a := v.load(x)
			f.mul(a, a, scale)
			f.and(a, a, z)
			v.store(a, dst)
		})
	})
}
