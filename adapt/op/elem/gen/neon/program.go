package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// program is the assembly file: its kernels and the words they read.
type program struct {
	declared map[string]*declaration
	names    []string // in the order of the declarations
	done     map[string]bool
	text     strings.Builder
	quads    [][4]uint32 // the constants, four a register
}

// declaration is the signature of a kernel.
type declaration struct {
	signature string         // as Go has it
	offset    map[string]int // of each parameter from FP
	size      int            // of all parameters
}

// parse reads the declarations of functions that have no body.
func parse(path string, source []byte) (*program, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, source, 0)
	if err != nil {
		return nil, err
	}
	p := &program{declared: map[string]*declaration{}, done: map[string]bool{}}
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body != nil {
			continue
		}
		at := func(pos token.Pos) int { return set.Position(pos).Offset }
		decl := &declaration{signature: string(source[at(fn.Type.Params.Pos()):at(fn.Type.Params.End())]), offset: map[string]int{}}
		for _, field := range fn.Type.Params.List {
			size := 8 // a pointer, an int or a uint64
			if id, ok := field.Type.(*ast.Ident); ok && (id.Name == "float32" || id.Name == "uint32") {
				size = 4
			}
			for _, name := range field.Names {
				decl.size = (decl.size + size - 1) / size * size
				decl.offset[name.Name] = decl.size
				decl.size += size
			}
		}
		p.declared[fn.Name.Name] = decl
		p.names = append(p.names, fn.Name.Name)
	}
	return p, nil
}

// missing returns the declared functions that have no kernel.
func (p *program) missing() []string {
	return slices.DeleteFunc(slices.Clone(p.names), func(name string) bool { return p.done[name] })
}

// function writes the kernel of a declared function.
func (p *program) function(name string, body func(f *function)) {
	decl := p.declared[name]
	if decl == nil || p.done[name] {
		panic(name + " is not declared, or written already")
	}
	p.done[name] = true
	f := &function{program: p, declaration: decl}
	fmt.Fprintf(&p.text, "\n// func %s%s\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", name, decl.signature, name, decl.size)
	body(f)
	f.emit("RET")
}

// quad returns where a register's four constants are.
func (p *program) quad(words [4]uint32) int {
	i := slices.Index(p.quads, words)
	if i < 0 {
		i = len(p.quads)
		p.quads = append(p.quads, words)
	}
	return 16 * i
}

// data writes the constants, and eight words of ones followed by eight of zeros:
// the mask of r elements begins 8-r words in.
func (p *program) data() string {
	var b strings.Builder
	words := func(name string, values []uint32) {
		b.WriteByte('\n')
		for i, v := range values {
			fmt.Fprintf(&b, "DATA %s<>+%d(SB)/4, $%#08x\n", name, 4*i, v)
		}
		fmt.Fprintf(&b, "GLOBL %s<>(SB), RODATA|NOPTR, $%d\n", name, 4*len(values))
	}
	var constants, mask []uint32
	for _, q := range p.quads {
		constants = append(constants, q[:]...)
	}
	for i := range 2 * lanes {
		mask = append(mask, map[bool]uint32{true: ^uint32(0)}[i < lanes])
	}
	words("constants", constants)
	words("tail_mask", mask)
	return b.String()
}
