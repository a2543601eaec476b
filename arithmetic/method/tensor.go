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

// passes are what is found out about the inputs. Tensors that differ in parameters which no pass depends on may share it.
type passes struct {
	mu     sync.Mutex // held while the passes over the inputs run
	kernel kernel     // nil until they have
	set    kernel     // with the settings of the tensor that was last read
	of     *Tensor
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
	if k, ok := k.(*taskVectorKernel); ok {
		if f := k.fuse(); f != nil {
			return t.named(checkpoint.Touch("an input", func() error { return f.read(offset, dst, w) }))
		}
	}
	for len(dst) > 0 {
		n := min(len(dst), blockElements)
		w.reset()
		if err := k.block(offset, dst[:n], w); err != nil {
			return t.named(err)
		}
		dst, offset = dst[n:], offset+n
	}
	return nil
}

// named says which tensor an error is about.
func (t *Tensor) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("tensor %q: %w", t.task.Name, err)
}

// Prepare makes the passes that the first Read would make.
func (t *Tensor) Prepare() error {
	_, err := t.prepared()
	return err
}

// Memory is what the passes may hold: see [Method.Memory].
func (t *Tensor) Memory() int64 { return t.task.method.Memory(t.task.Shape, len(t.task.Inputs)) }

// settable is a kernel that is to be used with the settings of a task: those that no pass depends on.
type settable interface {
	with(t *Task) kernel
}

// holding is a kernel that keeps more than a few numbers of its passes: so many bytes.
type holding interface {
	held() int64
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
		t.passes.kernel, t.passes.of = k, nil
	}
	if t.passes.of != t {
		t.passes.set, t.passes.of = t.passes.kernel, t
		if k, ok := t.passes.kernel.(settable); ok {
			t.passes.set = k.with(&t.task)
		}
	}
	return t.passes.set, nil
}

// Share has t use what with finds out about the inputs, where the method allows it. Both must be of the same method, with the same
// inputs, and their parameters may differ in lambda only.
func (t *Tensor) Share(with *Tensor) {
	if t.task.method.late != nil {
		t.passes = with.passes
	}
}

// ShareEqual has t use what with finds out about the inputs. Both must have the same PassKey and the same inputs.
func (t *Tensor) ShareEqual(with *Tensor) { t.passes = with.passes }

// PassKey spells all that decides what the passes find, but the inputs' numbers: method, place and parameters.
func (t *Tensor) PassKey() string { return t.task.spell(false) }

// Key spells all that decides the tensor, but the inputs' numbers.
func (t *Tensor) Key() string { return t.task.spell(true) }

// Held is what the passes keep in memory.
func (t *Tensor) Held() int64 {
	t.passes.mu.Lock()
	defer t.passes.mu.Unlock()
	if k, ok := t.passes.kernel.(holding); ok {
		return k.held()
	}
	return 0
}

// Shares tells whether two tensors share their passes.
func (t *Tensor) Shares(with *Tensor) bool { return t.passes == with.passes }

// Release forgets what the passes found, so that a writer that is done with a tensor gives its memory back. A later read
// makes them again.
func (t *Tensor) Release() {
	t.passes.mu.Lock()
	defer t.passes.mu.Unlock()
	t.passes.kernel, t.passes.set, t.passes.of = nil, nil, nil
}

// Copies is the input whose tensor is the output bit for bit, so that nothing need be computed: -1 if there is none.
func (t *Tensor) Copies() int {
	if t.task.method.copies == nil {
		return -1
	}
	return t.task.method.copies(&t.task)
}
