package gemm

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// machine interprets the instructions that the tiles of tiles_amd64.s consist of, as the assembler writes them, so that
// kernels are tested where the processor cannot run them. It stops at what it does not know, at registers and flags
// that nothing has set, and at memory that the kernel has no right to.
type machine struct {
	params  []uint64
	words   []float32 // word i is at address 4i
	may     []byte    // what may be done with each word: mayRead, mayWrite
	symbols map[string]uint64

	general    map[string]uint64 // of the general registers and the masks, those that are set
	vectors    [32][16]float32
	flags      bool // whether the flags are defined
	zero, less bool // less: the result was below zero, overflow apart
}

const mayRead, mayWrite = 1, 2

// run runs the routine to its end. An error says where it stopped instead.
func (m *machine) run(r *routine) (err error) {
	at := 0
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("instruction %d, %+v: %v", at, r.code[at], fault)
		}
	}()
	m.general, m.flags = map[string]uint64{}, false
	for i := range m.vectors {
		for lane := range m.vectors[i] {
			m.vectors[i][lane] = float32(math.NaN())
		}
	}
	for range 1 << 20 {
		switch op, args := r.code[at].op, r.code[at].args; op[0] {
		case 'R':
			demand(r.code[at-1].op == "VZEROUPPER", "slows down what follows")
			return nil
		case 'V':
			m.vector(op, args)
		case 'J':
			taken, ok := map[string]bool{"JZ": m.zero, "JNZ": !m.zero, "JLT": m.less, "JGE": !m.less}[op]
			demand(m.flags && ok, "unknown jump or undefined flags")
			if taken {
				at = r.labels[args[0].name] - 1
			}
		default:
			m.scalar(op, args)
		}
		at++
	}
	return errors.New("endless")
}

// register returns what a general register or a mask holds.
func (m *machine) register(name string) uint64 {
	v, ok := m.general[strings.Replace(name, "CL", "CX", 1)]
	demand(ok, "undefined register")
	return v
}

// address returns the address of memory or of a symbol.
func (m *machine) address(o operand) uint64 {
	if o.kind == "SB" {
		return m.symbols[o.name] + o.value
	}
	base := m.register(o.name)
	if o.index != "" {
		base += m.register(o.index) * o.scale
	}
	return base + o.value
}

// scalar executes an instruction on general registers.
func (m *machine) scalar(op string, args []operand) {
	var x, result, overflow uint64
	src, dst := args[0], args[len(args)-1].name
	switch {
	case op == "PREFETCHT0": // which may point anywhere
		return
	case op == "LEAQ":
		x = m.address(src)
	case op == "DECQ":
		x = 1
	case src.kind == "$":
		x = src.value
	case src.kind == "FP":
		x = m.params[src.value/8] // go vet compares name and offset
	default:
		demand(src.kind == "", "unknown source")
		x = m.register(src.name)
	}
	if op == "MOVQ" || op == "LEAQ" || op == "KMOVW" { // masks have 16 bits where they are used
		demand(strings.Contains(" AX BX CX DX SI DI R8 R9 R10 R11 R12 R13 K1 K2 ", " "+dst+" "), "not to be set") // as SP
		m.general[dst] = x
		return
	}
	y := m.register(dst)
	switch op {
	case "ADDQ":
		result = y + x
		overflow = (y ^ result) & (x ^ result)
	case "SUBQ", "DECQ":
		result = y - x
		overflow = (y ^ x) & (y ^ result)
	case "SHLQ":
		result = y << (x & 63)
	case "SHRQ":
		result = y >> (x & 63)
	case "TESTQ":
		result = y & x
	default:
		panic("unknown instruction")
	}
	m.flags, m.zero, m.less = op[:2] != "SH", result == 0, int64(result^overflow) < 0
	if op != "TESTQ" {
		m.general[dst] = result
	}
}

// vector executes an instruction on vector registers.
func (m *machine) vector(op string, args []operand) {
	src, dst := args[0], args[len(args)-1]
	lanes, mask := max(src.lanes, dst.lanes), uint64(0xffff)
	var x, y, result [16]float32
	switch {
	case op == "VZEROUPPER":
		for i := range 16 {
			clear(m.vectors[i][4:])
		}
		return
	case op == "VBROADCASTSS":
		lanes = 1
	case len(args) == 2:
		demand(op == "VMOVUPS", "unknown form")
	case op == "VMASKMOVPS":
		mask = 0
		for lane, v := range m.lanes(args[1]) {
			mask |= uint64(math.Float32bits(v)>>31) << lane
		}
	case args[1].lanes == 0:
		demand(op == "VMOVUPS.Z" || op == "VMOVUPS" && dst.kind == "()", "unknown form") // merges
		mask = m.register(args[1].name)
	default:
		demand(len(args) == 3, "unknown form")
		y = *m.lanes(args[1])
	}
	for lane := range lanes {
		if src.kind != "()" {
			x[lane] = m.lanes(src)[lane]
		} else if mask>>lane&1 == 1 {
			x[lane] = *m.word(src, lane, mayRead)
		}
		if dst.kind == "()" && mask>>lane&1 == 1 {
			*m.word(dst, lane, mayWrite) = x[lane]
		}
	}
	for lane := range dst.lanes { // the others become 0; of memory there are none
		switch op {
		case "VMOVUPS", "VMOVUPS.Z", "VMASKMOVPS":
			result[lane] = x[lane]
		case "VBROADCASTSS":
			result[lane] = x[0]
		case "VXORPS", "VPXORD":
			result[lane] = math.Float32frombits(math.Float32bits(x[lane]) ^ math.Float32bits(y[lane]))
		case "VADDPS":
			result[lane] = x[lane] + y[lane]
		case "VFMADD231PS":
			result[lane] = fma(x[lane], y[lane], m.lanes(dst)[lane])
		default:
			panic("unknown instruction")
		}
	}
	if dst.lanes > 0 {
		*m.lanes(dst) = result
	}
}

// lanes returns a vector register. Without AVX512VL there are 16 of 8 lanes, and 32 of 16.
func (m *machine) lanes(o operand) *[16]float32 {
	demand(o.number < 2*o.lanes, "no such vector register")
	return &m.vectors[o.number]
}

// word returns the memory of a lane, to be read or written.
func (m *machine) word(o operand, lane int, right byte) *float32 {
	at := m.address(o) + 4*uint64(lane)
	demand(at%4 == 0 && at/4 < uint64(len(m.may)) && m.may[at/4]&right != 0, "no right to this memory")
	return &m.words[at/4]
}
