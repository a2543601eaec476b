package main

import (
	"fmt"
	"math"
)

type (
	gp   int    // a general-purpose register
	reg  int    // a vector register of four float32
	pair [2]reg // eight float32, the first four in the first register
	lane struct {
		reg
		index int // one float32 of a register, as an operand that stands for eight copies
	}
)

func (r gp) String() string  { return fmt.Sprintf("R%d", int(r)) }
func (v reg) String() string { return fmt.Sprintf("V%d.S4", int(v)) }
func (v reg) bytes() string  { return fmt.Sprintf("V%d.B16", int(v)) }
func (v reg) scalar() string { return fmt.Sprintf("F%d", int(v)) }

// operand is what an instruction on pairs takes for one of them: a pair, a
// register of four equal elements for both halves, or a lane.
type operand interface{ half(i int) reg }

func (p pair) half(i int) reg { return p[i] }
func (v reg) half(int) reg    { return v }

// usable are the general-purpose registers that a leaf function may change: not
// those of the linker, the assembler, the platform and the runtime.
var usable = []gp{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23, 24, 25}

// function is a kernel in the making. Registers are taken in turn and given back
// at the end of a scope.
type function struct {
	*program
	*declaration
	gps, regs int // in use
	labels    int
}

func (f *function) emit(format string, args ...any) {
	fmt.Fprintf(&f.text, "\t"+format+"\n", args...)
}

// label returns a name that the function does not use yet.
func (f *function) label(name string) string {
	f.labels++
	return fmt.Sprintf("%s%d", name, f.labels)
}

func (f *function) place(label string) { fmt.Fprintf(&f.text, "\n%s:\n", label) }

// gp takes a register.
func (f *function) gp() gp {
	f.gps++
	return usable[f.gps-1]
}

// reg takes a vector register.
func (f *function) reg() reg {
	if f.regs++; f.regs > 32 {
		panic("out of vector registers")
	}
	return reg(f.regs - 1)
}

// pair takes two vector registers.
func (f *function) pair() pair { return pair{f.reg(), f.reg()} }

// zeros takes n pairs and clears them.
func (f *function) zeros(n int) []pair {
	ps := make([]pair, n)
	for i := range ps {
		ps[i] = f.pair()
		f.clear(ps[i])
	}
	return ps
}

// scope gives back the registers that body takes.
func (f *function) scope(body func()) {
	gps, regs := f.gps, f.regs
	body()
	f.gps, f.regs = gps, regs
}

// pointer loads an argument into a register.
func (f *function) pointer(name string) gp {
	r := f.gp()
	f.emit("MOVD %s+%d(FP), %v", name, f.at(name), r)
	return r
}

// at returns the offset of an argument.
func (f *function) at(name string) int {
	offset, ok := f.offset[name]
	if !ok {
		panic("no argument " + name)
	}
	return offset
}

// spread loads an argument of four bytes into all lanes.
func (f *function) spread(name string) reg {
	v := f.reg()
	f.emit("FMOVS %s+%d(FP), %s", name, f.at(name), v.scalar())
	f.copies(v, lane{v, 0})
	return v
}

// constants loads up to four constants into a register.
func (f *function) constants(values ...float64) reg {
	var words [4]uint32
	for i, v := range values {
		words[i] = math.Float32bits(float32(v))
	}
	return f.words(words)
}

// words loads four words into a register.
func (f *function) words(words [4]uint32) reg {
	v := f.reg()
	f.scope(func() {
		t := f.gp()
		f.emit("MOVD $constants<>+%d(SB), %v", f.quad(words), t)
		f.emit("FMOVQ (%v), %s", t, v.scalar())
	})
	return v
}

// all takes a register with four copies of a lane.
func (f *function) all(l lane) reg {
	v := f.reg()
	f.copies(v, l)
	return v
}
