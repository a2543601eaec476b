package mergekit

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
)

// Merge is the merged model: a checkpoint.RawSource that computes what is read. What a method found out about a tensor is kept
// while that tensor is read, and for a few tensors behind, so that memory does not grow with the model.
type Merge struct {
	infos []checkpoint.Info
	at    map[string]*tensor

	mu     sync.Mutex
	recent []*method.Tensor // the last read first
}

// keep is how many tensors keep what their methods found: as many as a writer's workers may be spread over, and the next.
func keep() int { return max(4, runtime.GOMAXPROCS(0)+2) }

func newMerge(tensors []tensor) *Merge {
	m := &Merge{at: make(map[string]*tensor, len(tensors))}
	for i := range tensors {
		m.infos = append(m.infos, tensors[i].Info)
		m.at[tensors[i].name] = &tensors[i]
	}
	slices.SortFunc(m.infos, func(a, b checkpoint.Info) int { return strings.Compare(a.Name, b.Name) })
	return m
}

// Tensors lists the output tensors, sorted by name.
func (m *Merge) Tensors() []checkpoint.Info { return m.infos }

// Read computes a range of a tensor.
func (m *Merge) Read(name string, offset int, dst []float32) error {
	t, ok := m.at[name]
	if !ok {
		return invalid("tensor %q: not present", name)
	}
	if t.made == nil {
		return t.src.Read(t.Inputs[0].Tensor, offset, dst)
	}
	m.touch(t.made)
	return t.made.Read(offset, dst)
}

// Prepare has a tensor's method find out what it needs about the inputs: it is a [checkpoint.Preparer].
func (m *Merge) Prepare(name string) error {
	t, ok := m.at[name]
	if !ok || t.made == nil {
		return nil
	}
	m.touch(t.made)
	return t.made.Prepare()
}

// Raw gives the bytes of a tensor that is a copy in its own type.
func (m *Merge) Raw(name string) ([]byte, error) {
	t, ok := m.at[name]
	if !ok {
		return nil, invalid("tensor %q: not present", name)
	}
	if t.made == nil {
		if info, ok := checkpoint.Find(t.src, t.Inputs[0].Tensor); ok && info.DType == t.DType {
			if rs, ok := t.src.(checkpoint.RawSource); ok {
				return rs.Raw(t.Inputs[0].Tensor)
			}
		}
	}
	return nil, fmt.Errorf("tensor %q: computed, not stored: %w", name, errors.ErrUnsupported)
}

// touch notes that a tensor is read, and has the one that was read longest ago forget.
func (m *Merge) touch(t *method.Tensor) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.recent) > 0 && m.recent[0] == t {
		return
	}
	if i := slices.Index(m.recent, t); i >= 0 {
		m.recent = slices.Delete(m.recent, i, i+1)
	}
	m.recent = slices.Insert(m.recent, 0, t)
	if n := keep(); len(m.recent) > n {
		m.recent[n].Release()
		m.recent = m.recent[:n]
	}
}
