package op

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"
)

// Tensor wraps data as a constant [rows][cols], without a copy.
func Tensor(rows, cols int, data []float32) *mat.Dense[float32] {
	return mat.NewDense[float32](mat.WithShape(rows, cols), mat.WithBacking(data))
}

// Param wraps data as a parameter [rows][cols] that requires a gradient. Unlike
// nn.NewParam it does not copy: data is the parameter from here on.
func Param(rows, cols int, data []float32) *nn.Param {
	p := &nn.Param{Matrix: Tensor(rows, cols, data)}
	p.SetRequiresGrad(true)
	return p
}

// values returns the elements of t, row-major, without a copy.
func values(t mat.Tensor) []float32 { return mat.Data[float32](t.Value()) }

// dims returns the rows and columns of t.
func dims(t mat.Tensor) (rows, cols int) {
	s := t.Value().Shape()
	return s[0], s[1]
}

// run computes f's output. Where an operand requires a gradient the result is a
// node of the graph; otherwise it is a plain matrix, which keeps no operand
// alive, so that inference frees each layer's input as soon as its output is known.
func run(f ag.AutoGradFunction) mat.Tensor {
	if !requiresGrad(f.Operands()...) {
		y, err := label(f).Forward()
		if err != nil {
			panic(fmt.Sprintf("op: %v", err))
		}
		return y
	}
	return ag.NewOperator(label(f)).Run()
}

// requiresGrad reports whether any of the operands requires a gradient.
func requiresGrad(operands ...mat.Tensor) bool {
	for _, o := range operands {
		if o != nil && o.RequiresGrad() {
			return true
		}
	}
	return false
}

// operands drops the nil ones: spago calls methods on every operand.
func operands(ts ...mat.Tensor) []mat.Tensor {
	kept := ts[:0]
	for _, t := range ts {
		if t != nil {
			kept = append(kept, t)
		}
	}
	return kept
}

// owned is a gradient that its receiver may keep. spago clones the first gradient
// that a tensor receives by calling Clone on it; owned gives itself away instead.
type owned struct{ *mat.Dense[float32] }

// Clone returns the matrix itself.
func (o owned) Clone() mat.Matrix { return o.Dense }

// give accumulates a gradient [rows][cols] into t, which may keep its memory.
func give(t mat.Tensor, grad []float32) {
	rows, cols := dims(t)
	t.AccGrad(owned{Tensor(rows, cols, grad)})
}

// paramLocks serialise the writers of one parameter's gradient: operators run
// their backward passes concurrently. A parameter's address chooses its lock.
var paramLocks [64]sync.Mutex

// addGrad adds a gradient to the parameter t where t requires one. f writes the
// gradient to dst, or adds it with accumulate; dst is the parameter's own buffer
// where it has one, so that nothing is copied from the second batch on.
func addGrad(t mat.Tensor, f func(dst []float32, accumulate bool)) {
	if t == nil || !t.RequiresGrad() {
		return
	}
	dense := t.Value().(*mat.Dense[float32])
	lock := &paramLocks[uintptr(unsafe.Pointer(dense))>>7%uintptr(len(paramLocks))]
	lock.Lock()
	defer lock.Unlock()
	if _, computed := t.(*ag.Operator); !computed && dense.HasGrad() {
		f(mat.Data[float32](dense.Grad()), true)
		return
	}
	grad := make([]float32, dense.Size())
	f(grad, false)
	give(t, grad)
}

// mustShape panics where t is not [rows][cols]: a caller's bug.
func mustShape(operator, name string, t mat.Tensor, rows, cols int) {
	if r, c := dims(t); r != rows || c != cols {
		panic(fmt.Sprintf("op: %s: %s is [%d %d], want [%d %d]", operator, name, r, c, rows, cols))
	}
}

// mustSize panics where t does not have n elements.
func mustSize(operator, name string, t mat.Tensor, n int) {
	if got := t.Value().Size(); got != n {
		panic(fmt.Sprintf("op: %s: %s has %d elements, want %d", operator, name, got, n))
	}
}

// mustDivide panics where n is not a multiple of parts.
func mustDivide(operator, what string, n, parts int) {
	if parts <= 0 || n%parts != 0 {
		panic(fmt.Sprintf("op: %s: %d %s cannot be divided by %d", operator, n, what, parts))
	}
}
