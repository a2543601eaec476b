package main

// lanes is the number of elements in a pair, that of an AVX2 register: so sums
// have as many partial sums, and the same ones.
const lanes = 8

// vector is up to eight elements at the same place of every slice of a kernel.
type vector struct {
	f    *function
	unit int  // which of the unrolled copies
	byte int  // offset from the pointers
	part bool // the last, partial vector, of fewer than eight elements
	left gp   // how many, in bits 0 to 2
}

// load reads the vector at p; elements beyond the slice read as 0.
func (v vector) load(p gp) pair {
	x := v.f.pair()
	if v.part {
		v.f.loadPart(x, p, v.left)
	} else {
		v.f.load(x, p, v.byte)
	}
	return x
}

// store writes the vector to p, and nothing beyond the slice.
func (v vector) store(x pair, p gp) {
	if v.part {
		v.f.storePart(x, p, v.left)
	} else {
		v.f.store(x, p, v.byte)
	}
}

// keep replaces elements beyond the slice by those of rest, or by 0.
func (v vector) keep(x pair, rest operand) {
	if !v.part {
		return
	}
	f := v.f
	f.scope(func() {
		mask, t := f.pair(), f.gp()
		f.emit("MOVD $tail_mask<>+%d(SB), %v", 4*lanes, t)
		f.emit("SUB %v<<2, %v, %v", v.left, t, t)
		f.load(mask, t, 0)
		if rest == nil {
			f.and(x, x, mask)
			return
		}
		f.choose(mask, x, rest)
		f.move(x, mask)
	})
}

// load reads eight elements.
func (f *function) load(x pair, p gp, offset int) {
	f.emit("FLDPQ %d(%v), (%s, %s)", offset, p, x[0].scalar(), x[1].scalar())
}

// store writes eight elements.
func (f *function) store(x pair, p gp, offset int) {
	f.emit("FSTPQ (%s, %s), %d(%v)", x[0].scalar(), x[1].scalar(), offset, p)
}

// loadPart reads n elements, 1 to 7, and zeroes the others: four into the first
// half where there are as many, then two and one into the second, which becomes
// the first where there were not four.
func (f *function) loadPart(x pair, p, n gp) {
	two, one, single, done := f.label("two"), f.label("one"), f.label("single"), f.label("loaded")
	f.scope(func() {
		t := f.gp()
		f.emit("MOVD %v, %v", p, t)
		f.clear(x)
		f.emit("TBZ $2, %v, %s", n, two)
		f.emit("FMOVQ.P 16(%v), %s", t, x[0].scalar())
		f.place(two)
		f.emit("TBZ $1, %v, %s", n, single)
		f.emit("FMOVD.P 8(%v), %s", t, x[1].scalar())
		f.emit("TBZ $0, %v, %s", n, one)
		f.emit("VLD1 (%v), V%d.S[2]", t, x[1])
		f.emit("B %s", one)
		f.place(single)
		f.emit("TBZ $0, %v, %s", n, one)
		f.emit("FMOVS (%v), %s", t, x[1].scalar())
		f.place(one)
		f.emit("TBNZ $2, %v, %s", n, done)
		f.emit("VMOV %s, %s", x[1].bytes(), x[0].bytes())
		f.emit("VEOR %[1]s, %[1]s, %[1]s", x[1].bytes())
		f.place(done)
	})
}

// storePart writes n elements, 1 to 7: what is to be written next is always at
// the low end of one register.
func (f *function) storePart(x pair, p, n gp) {
	two, one, done := f.label("two"), f.label("one"), f.label("stored")
	f.scope(func() {
		t, next := f.gp(), f.reg()
		f.emit("MOVD %v, %v", p, t)
		f.emit("VMOV %s, %s", x[0].bytes(), next.bytes())
		f.emit("TBZ $2, %v, %s", n, two)
		f.emit("FMOVQ.P %s, 16(%v)", next.scalar(), t)
		f.emit("VMOV %s, %s", x[1].bytes(), next.bytes())
		f.place(two)
		f.emit("TBZ $1, %v, %s", n, one)
		f.emit("FMOVD.P %s, 8(%v)", next.scalar(), t)
		f.emit("VDUP V%[1]d.D[1], V%[1]d.D2", next)
		f.place(one)
		f.emit("TBZ $0, %v, %s", n, done)
		f.emit("FMOVS %s, (%v)", next.scalar(), t)
		f.place(done)
	})
}

// each emits body for all of n elements: unroll vectors at a time, then one, then
// a partial one. It advances the pointers. Every element takes the same
// instructions whichever loop it falls in, so that its value does not depend on
// its place.
func (f *function) each(n gp, unroll int, pointers []gp, body func(v vector)) {
	steps := []int{unroll}
	if unroll > 1 {
		steps = append(steps, 1)
	}
	for _, units := range steps {
		f.while(n, lanes*units, func() {
			for u := range units {
				f.scope(func() { body(vector{f: f, unit: u, byte: 4 * lanes * u}) })
			}
			for _, p := range pointers {
				f.emit("ADD $%d, %v, %v", 4*lanes*units, p, p)
			}
		})
	}
	done := f.label("done")
	f.emit("CBZ %v, %s", n, done)
	f.scope(func() { body(vector{f: f, part: true, left: n}) })
	f.place(done)
}

// while repeats body, which does step of n, as long as there are as many.
func (f *function) while(n gp, step int, body func()) {
	top, end := f.label("loop"), f.label("end")
	f.emit("CMP $%d, %v", step, n)
	f.emit("BLT %s", end)
	f.place(top)
	body()
	f.emit("SUB $%d, %v, %v", step, n, n)
	f.emit("CMP $%d, %v", step, n)
	f.emit("BGE %s", top)
	f.place(end)
}

// times repeats body n times, at least once, and leaves n at 0.
func (f *function) times(n gp, body func()) {
	top := f.label("loop")
	f.place(top)
	body()
	f.emit("SUBS $1, %v, %v", n, n)
	f.emit("BNE %s", top)
}

// fold combines the pairs into the first: the second half with the first, again
// and again.
func fold(ps []pair, combine func(d pair, a, b operand)) {
	for n := len(ps) / 2; n > 0; n /= 2 {
		for i := range n {
			combine(ps[i], ps[i], ps[i+n])
		}
	}
}
