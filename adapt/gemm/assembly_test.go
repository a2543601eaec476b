package gemm

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// routine is a function's instructions; a label stands before the instruction of that number.
type routine struct {
	requires []string // processor features, as avo finds them
	code     []instruction
	labels   map[string]int
}

// instruction is a mnemonic with its operands, the destination last.
type instruction struct {
	op   string
	args []operand
}

// operand is an immediate ("$"), a parameter ("FP"), a symbol ("SB"), memory ("()"), or a register or label ("").
type operand struct {
	kind, name    string // of memory the base register
	value         uint64 // an immediate, or a displacement
	index         string
	scale         uint64
	lanes, number int // of a vector register
}

var operandForm = regexp.MustCompile(`^(?:\$(0x[0-9a-f]+|[+-]\d+)|(\w+)(?:<>)?\+(\d+)\((FP|SB)\)|(-?\d*)\((\w+)\)(?:\((\w+)\*([1248])\))?|([YZ])(\d+)|(\w*))$`)

// assembly reads the functions of tiles_amd64.s, and the words of the data that it declares.
func assembly(t *testing.T) (routines map[string]*routine, data map[string][]float32) {
	t.Helper()
	text, err := os.ReadFile("tiles_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	routines, data = map[string]*routine{}, map[string][]float32{}
	var r *routine
	requires := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		var name, value string
		var offset int
		switch op, rest, _ := strings.Cut(line, " "); op {
		case "", "//go:build", "#include", "GLOBL":
		case "//":
			if list, ok := strings.CutPrefix(rest, "Requires: "); ok {
				requires = list
			}
		case "TEXT":
			name, _, _ = strings.Cut(strings.TrimPrefix(rest, "·"), "(")
			r = &routine{requires: strings.Split(requires, ", "), labels: map[string]int{}}
			routines[name], requires = r, ""
		case "DATA":
			rest = strings.NewReplacer("<>+", " ", "(SB)/4,", "", "$", "").Replace(rest)
			_, err = fmt.Sscan(rest, &name, &offset, &value)
			bits, bad := strconv.ParseUint(value, 0, 32)
			if err != nil || bad != nil || offset != 4*len(data[name]) {
				t.Fatalf("%q is not the next word of %s", line, name)
			}
			data[name] = append(data[name], math.Float32frombits(uint32(bits)))
		default:
			r.parse(line)
		}
	}
	return routines, data
}

// parse adds a line to the routine. It panics on operands that it does not know.
func (r *routine) parse(line string) {
	op, rest, _ := strings.Cut(line, " ")
	if label, ok := strings.CutSuffix(op, ":"); ok {
		r.labels[label] = len(r.code)
		return
	}
	in := instruction{op: op}
	for _, arg := range strings.Split(rest, ",") {
		form := operandForm.FindStringSubmatch(strings.TrimSpace(arg))
		demand(form != nil, "unknown operand "+arg)
		number := func(i int) uint64 {
			v, err := strconv.ParseInt(form[i], 0, 64)
			demand(err == nil || form[i] == "", "number in "+arg)
			return uint64(v)
		}
		o := operand{name: form[11]}
		switch {
		case form[1] != "":
			o = operand{kind: "$", value: number(1)}
		case form[4] != "":
			o = operand{kind: form[4], name: form[2], value: number(3)}
		case form[6] != "":
			o = operand{kind: "()", name: form[6], value: number(5), index: form[7], scale: number(8)}
		case form[9] != "":
			o = operand{lanes: map[string]int{"Y": 8, "Z": 16}[form[9]], number: int(number(10))}
		}
		in.args = append(in.args, o)
	}
	r.code = append(r.code, in)
}

// demand panics unless ok.
func demand(ok bool, why string) {
	if !ok {
		panic(why)
	}
}
