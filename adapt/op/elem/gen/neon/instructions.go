package main

// The assembler knows no float instructions on vectors but fused multiplication:
// the others are written as words, from the Arm Architecture Reference Manual,
// C7.2 (A64 Advanced SIMD), with their names beside.
const (
	fadd  = 0x4e20d400 // Vd.4S, Vn.4S, Vm.4S
	fsub  = 0x4ea0d400
	fmul  = 0x6e20dc00
	fdiv  = 0x6e20fc00
	fmax  = 0x4e20f400 // NaN where either is
	fmin  = 0x4ea0f400
	fcmgt = 0x6ea0e400 // ones where Vn > Vm
	bic   = 0x4e601c00 // Vn and not Vm, on bits
	fabs  = 0x4ea0f800 // Vd.4S, Vn.4S
	cmlt0 = 0x4ea0a800 // ones where Vn < 0 as an integer: by the sign bit

	fmulLane = 0x4f809000 // Vd.4S, Vn.4S, Vm.S[index]
	fmlaLane = 0x4f801000 // Vd += Vn·Vm, rounded once
	fmlsLane = 0x4f805000 // Vd −= Vn·Vm
)

// three writes d = a op b on both halves.
func (f *function) three(name string, code int, d pair, a, b operand) {
	for i, d := range d {
		n, m := a.half(i), b.half(i)
		f.emit("WORD $%#08x // %s V%d.4S, V%d.4S, V%d.4S", code|int(m)<<16|int(n)<<5|int(d), name, d, n, m)
	}
}

// two writes d = op a on both halves.
func (f *function) two(name string, code int, d, a pair) {
	for i, d := range d {
		f.emit("WORD $%#08x // %s V%d.4S, V%d.4S", code|int(a[i])<<5|int(d), name, d, a[i])
	}
}

// byLane writes d = a op b on both halves.
func (f *function) byLane(name string, code int, d, a pair, b lane) {
	for i, d := range d {
		word := code | b.index&1<<21 | b.index>>1<<11 | int(b.reg)<<16 | int(a[i])<<5 | int(d)
		f.emit("WORD $%#08x // %s V%d.4S, V%d.4S, V%d.S[%d]", word, name, d, a[i], b.reg, b.index)
	}
}

func (f *function) add(d pair, a, b operand) { f.three("FADD", fadd, d, a, b) }
func (f *function) sub(d pair, a, b operand) { f.three("FSUB", fsub, d, a, b) }
func (f *function) div(d pair, a, b operand) { f.three("FDIV", fdiv, d, a, b) }
func (f *function) max(d pair, a, b operand) { f.three("FMAX", fmax, d, a, b) }
func (f *function) min(d pair, a, b operand) { f.three("FMIN", fmin, d, a, b) }

// greater writes ones where a > b, zeros elsewhere and where either is NaN.
func (f *function) greater(d pair, a, b operand) { f.three("FCMGT", fcmgt, d, a, b) }

// without writes the bits of a that are not in b.
func (f *function) without(d, a, b pair) {
	for i, d := range d {
		f.emit("WORD $%#08x // BIC V%d.16B, V%d.16B, V%d.16B", bic|int(b[i])<<16|int(a[i])<<5|int(d), d, a[i], b[i])
	}
}

// abs writes |a|.
func (f *function) abs(d, a pair) { f.two("FABS", fabs, d, a) }

// signs writes ones where a has its sign bit set, zeros elsewhere.
func (f *function) signs(d, a pair) {
	for i, d := range d {
		f.emit("WORD $%#08x // CMLT V%d.4S, V%d.4S, $0", cmlt0|int(a[i])<<5|int(d), d, a[i])
	}
}

// mul writes a·b.
func (f *function) mul(d, a pair, b operand) {
	if l, ok := b.(lane); ok {
		f.byLane("FMUL", fmulLane, d, a, l)
	} else {
		f.three("FMUL", fmul, d, a, b)
	}
}

// fma adds a·b to d, rounding once.
func (f *function) fma(d, a pair, b operand) {
	if l, ok := b.(lane); ok {
		f.byLane("FMLA", fmlaLane, d, a, l)
		return
	}
	for i := range d {
		f.emit("VFMLA %v, %v, %v", b.half(i), a[i], d[i])
	}
}

// fms subtracts a·b from d, rounding once.
func (f *function) fms(d, a pair, b operand) {
	if l, ok := b.(lane); ok {
		f.byLane("FMLS", fmlsLane, d, a, l)
		return
	}
	for i := range d {
		f.emit("VFMLS %v, %v, %v", b.half(i), a[i], d[i])
	}
}

// choose replaces the mask d by a where it is ones and b where it is zeros.
func (f *function) choose(d, a pair, b operand) {
	for i := range d {
		f.emit("VBSL %s, %s, %s", b.half(i).bytes(), a[i].bytes(), d[i].bytes())
	}
}

// and writes the bits that a and b share.
func (f *function) and(d, a, b pair) {
	for i := range d {
		f.emit("VAND %s, %s, %s", b[i].bytes(), a[i].bytes(), d[i].bytes())
	}
}

// exponent shifts integers into the place of a float's exponent.
func (f *function) exponent(d, a pair) {
	for i := range d {
		f.emit("VSHL $23, %v, %v", a[i], d[i])
	}
}

// addIntegers adds the bits of a and b as integers.
func (f *function) addIntegers(d, a pair, b operand) {
	for i := range d {
		f.emit("VADD %v, %v, %v", b.half(i), a[i], d[i])
	}
}

// move copies a to d.
func (f *function) move(d pair, a operand) {
	for i := range d {
		f.emit("VMOV %s, %s", a.half(i).bytes(), d[i].bytes())
	}
}

// spreadPair fills both halves with copies of a lane.
func (f *function) spreadPair(d pair, l lane) {
	f.copies(d[0], l)
	f.copies(d[1], l)
}

// copies fills a register with copies of a lane.
func (f *function) copies(d reg, l lane) {
	f.emit("VDUP V%d.S[%d], %v", l.reg, l.index, d)
}

// clear zeroes a pair.
func (f *function) clear(d pair) {
	for _, v := range d {
		f.emit("VEOR %[1]s, %[1]s, %[1]s", v.bytes())
	}
}
