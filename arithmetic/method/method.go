package method

import (
	"fmt"
	"slices"

	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// Method is one row of the table: what a recipe may say, and how a tensor is computed.
type Method struct {
	Name  string // as recipes spell it
	Rule  string // the formula on one line
	Paper string // link to where it is from, "" for folklore
	Base  Base
	Min   int // least and most inputs beside the base (of all, where the base is ignored); Max 0 means any number
	Max   int
	Trims bool // drops elements by density
	Whole bool // holds whole tensors in memory (a few times the largest one), not blocks
	Data  bool // needs statistics files beside the models (Fisher information, Gram matrices)

	Params []Param

	late    []string // parameters that no pass depends on: its kernels are settable
	masks   bool     // holds a bit an element and model
	prepare func(t *Task) (kernel, error)
	copies  func(t *Task) int // see Tensor.Copies; nil for never
}

// Base says what a method does with the base model.
type Base int

// A base is an input like any other, an origin that may be given, or one that must be.
const (
	BaseIgnored Base = iota
	BaseOptional
	BaseRequired
)

// kernel computes ranges of an output tensor whose statistics are known. It is safe for concurrent use. A block has at most
// blockElements elements, and w lends buffers of that length.
type kernel interface {
	block(offset int, dst []float32, w *work) error
}

// Input is one model's tensor.
type Input struct {
	Model  string // names the model in messages and keys its random numbers; unique within a task
	Source checkpoint.Source
	Delta  checkpoint.Source // its difference from the base, where the model is kept so: methods that work on differences read that; nil otherwise
	Name   string            // of the tensor in Source, and in Delta
	Params Values            // per-model parameters
	Stats  checkpoint.Source // statistics of the model for methods with Data: tensors of the same names; nil otherwise
}

// Task is one output tensor to compute: inputs of one shape, and the resolved parameters.
type Task struct {
	Name   string // of the output tensor
	Shape  []int
	Inputs []Input // in the recipe's order, the base among them
	Base   int     // which input is the base; -1 for none
	Params Values  // shared parameters
	Seed   uint64
	Layer  int // position in the stack of layers, -1 outside of it
	Layers int // how many layers the stack has

	Memory int64 // bytes that masks may take; 0 for no bound

	// Interrupt is asked between chunks of long passes; an error ends the pass with it. nil never ends.
	Interrupt func() error

	method *Method
}

// Elements is the number of elements.
func (t *Task) Elements() int { return checkpoint.Info{Shape: t.Shape}.Elements() }

// roomForBits tells whether masks of a bit an element and model may be held.
func (t *Task) roomForBits(models int) bool {
	return t.Memory <= 0 || int64(t.Elements()/8*models) <= t.Memory
}

// base is the base's input.
func (t *Task) base() *Input { return &t.Inputs[t.Base] }

// others are the inputs without the base.
func (t *Task) others() []Input {
	if t.Base < 0 {
		return t.Inputs
	}
	return slices.Concat(t.Inputs[:t.Base], t.Inputs[t.Base+1:])
}

// rows sees the tensor as a matrix [rows][width] for methods that work on rows: width is the last dimension; a vector is one
// row, a scalar a row of one.
func (t *Task) rows() (rows, width int) {
	if len(t.Shape) == 0 {
		return 1, 1
	}
	width = t.Shape[len(t.Shape)-1]
	if width == 0 {
		return 0, 0
	}
	return t.Elements() / width, width
}

// read reads a range of one input and names it in errors.
func (in *Input) read(offset int, dst []float32) error {
	if err := in.Source.Read(in.Name, offset, dst); err != nil {
		return fmt.Errorf("%s: %w", in.Model, err)
	}
	return nil
}

// delta reads a range of the model's difference from the base, of which base is the same range.
func (in *Input) delta(offset int, dst, base []float32) error {
	if in.Delta == nil {
		if err := in.read(offset, dst); err != nil {
			return err
		}
		vec.Sub(dst, base)
		return nil
	}
	if err := in.Delta.Read(in.Name, offset, dst); err != nil {
		return fmt.Errorf("%s: %w", in.Model, err)
	}
	return nil
}

// ErrInvalid is wrapped by every error about inputs or parameters that a method cannot work with.
var ErrInvalid = checkpoint.ErrInvalid

// invalidError is an ErrInvalid whose message says only what is wrong.
type invalidError struct{ text string }

func (e *invalidError) Error() string        { return e.text }
func (e *invalidError) Is(target error) bool { return target == ErrInvalid }

func invalid(format string, args ...any) error { return &invalidError{fmt.Sprintf(format, args...)} }

// Find looks a method up by name.
func Find(name string) (*Method, bool) {
	for _, m := range Methods() {
		if m.Name == name {
			return m, true
		}
	}
	return nil, false
}

// CheckInputs tells whether a method takes n inputs, the base among them or not. The error names no tensor: it holds for all.
func (m *Method) CheckInputs(n int, base bool) error {
	others := n
	if base && m.Base != BaseIgnored {
		others--
	}
	switch {
	case m.Base == BaseRequired && !base:
		return invalid("merge method %s needs base_model, and it is not given", m.Name)
	case others < m.Min || m.Max > 0 && others > m.Max:
		want := fmt.Sprintf("at least %d", m.Min)
		if m.Max == m.Min {
			want = fmt.Sprintf("exactly %d", m.Min)
		} else if m.Max > 0 {
			want = fmt.Sprintf("%d to %d", m.Min, m.Max)
		}
		beside := ""
		if m.Base != BaseIgnored {
			beside = " beside the base"
		}
		return invalid("merge method %s: %d models%s, want %s", m.Name, others, beside, want)
	}
	return nil
}
