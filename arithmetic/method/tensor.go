package method

import (
	"fmt"
	"slices"
	"sync"

	"syncretic/checkpoint"
)

// Tensor is one output tensor, computed where it is read. It is safe for concurrent use.
type Tensor struct {
	task   Task
	passes *passes
}

// passes are what is found out about the inputs. Tensors that differ in lambda only may share it.
type passes struct {
	mu     sync.Mutex // held while the passes over the inputs run
	kernel kernel     // nil until they have
}

// Tensor makes the output tensor of a task. Only what is known without reading is checked here: that all inputs have the
// task's shape, and that the number of them is right.
func (m *Method) Tensor(t Task) (*Tensor, error) {
	for _, in := range t.Inputs {
		info, ok := checkpoint.Find(in.Source, in.Name)
		if !ok {
			return nil, invalid("%s: tensor %q: not present", in.Model, in.Name)
		}
		if !slices.Equal(info.Shape, t.Shape) {
			return nil, invalid("%s: tensor %q: shape %d, want %d", in.Model, in.Name, info.Shape, t.Shape)
		}
	}
	if err := m.CheckInputs(len(t.Inputs), t.Base >= 0); err != nil {
		return nil, err
	}
	t.method = m
	return &Tensor{task: t, passes: new(passes)}, nil
}

// Task is what the tensor is made from.
func (t *Tensor) Task() Task { return t.task }

// Read computes elements [offset, offset+len(dst)). The first read makes the passes over the inputs that the method needs,
// on all cores; others wait for it.
func (t *Tensor) Read(offset int, dst []float32) error {
	if n := t.task.Elements(); offset < 0 || len(dst) > n || offset > n-len(dst) {
		return invalid("tensor %q: elements [%d %d), want them inside [0 %d)", t.task.Name, offset, offset+len(dst), n)
	}
	k, err := t.prepared()
	if err != nil {
		return err
	}
	w := borrow()
	defer w.giveBack()
	for len(dst) > 0 {
		n := min(len(dst), blockElements)
		w.reset()
		if err := k.block(offset, dst[:n], w); err != nil {
			return fmt.Errorf("tensor %q: %w", t.task.Name, err)
		}
		dst, offset = dst[n:], offset+n
	}
	return nil
}

// Prepare makes the passes that the first Read would make.
func (t *Tensor) Prepare() error {
	_, err := t.prepared()
	return err
}

// Memory is what the passes may hold: see [Method.Memory].
func (t *Tensor) Memory() int64 { return t.task.method.Memory(t.task.Shape, len(t.task.Inputs)) }

// scalable is a kernel that can be used with another lambda.
type scalable interface {
	withLambda(lambda float64) kernel
}

// prepared makes the passes. An error is not kept: a reader that comes later tries again.
func (t *Tensor) prepared() (kernel, error) {
	t.passes.mu.Lock()
	defer t.passes.mu.Unlock()
	if t.passes.kernel == nil {
		k, err := t.task.method.prepare(&t.task)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.task.Name, err)
		}
		t.passes.kernel = k
	}
	if k, ok := t.passes.kernel.(scalable); ok {
		return k.withLambda(t.task.Params["lambda"]), nil
	}
	return t.passes.kernel, nil
}

// Share has t use what with finds out about the inputs, where the method allows it. Both must be of the same method, with the same
// inputs, and their parameters may differ in lambda only.
func (t *Tensor) Share(with *Tensor) {
	if t.task.method.shares {
		t.passes = with.passes
	}
}

// Shares tells whether two tensors share their passes.
func (t *Tensor) Shares(with *Tensor) bool { return t.passes == with.passes }

// Release forgets what the passes found, so that a writer that is done with a tensor gives its memory back. A later read
// makes them again.
func (t *Tensor) Release() {
	t.passes.mu.Lock()
	defer t.passes.mu.Unlock()
	t.passes.kernel = nil
}

// Copies is the input whose tensor is the output bit for bit, so that nothing need be computed: -1 if there is none.
func (t *Tensor) Copies() int {
	if t.task.method.copies == nil {
		return -1
	}
	return t.task.method.copies(&t.task)
}
