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
	infos  []checkpoint.Info
	at     map[string]*tensor
	models *Models // keep what methods find out, where the plan has them
	policy NonFinite

	mu     sync.Mutex
	recent []*method.Tensor // the last read first
}

// A writer's workers are spread over as many tensors as there are cores where those are small, over two where they are not, and the
// next is prepared. So the last keepAlways tensors keep what their methods found, and as many more as fit keepBytes.
const (
	keepAlways = 3
	keepBytes  = 64 << 20
)

func newMerge(tensors []tensor, opts Options) *Merge {
	m := &Merge{at: make(map[string]*tensor, len(tensors)), models: opts.Models, policy: opts.NonFinite}
	for i := range tensors {
		m.models.share(&tensors[i], m.policy)
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
	m.touch(t)
	defer m.weigh(t)
	return t.made.Read(offset, dst)
}

// Prepare has a tensor's method find out what it needs about the inputs: it is a [checkpoint.Preparer].
func (m *Merge) Prepare(name string) error {
	t, ok := m.at[name]
	if !ok || t.made == nil {
		return nil
	}
	m.touch(t)
	defer m.weigh(t)
	return t.made.Prepare()
}

// Version names a tensor's values, see [checkpoint.Versioned]. It is "" where the plan has no [Models], and for tensors that are made
// from another document's merge.
func (m *Merge) Version(name string) string {
	t, ok := m.at[name]
	if !ok {
		return ""
	}
	return m.models.version(t, m.policy)
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

// weigh notes what a tensor holds.
func (m *Merge) weigh(row *tensor) {
	if row.pass != "" {
		m.models.weigh(row)
	}
}

// touch notes that a tensor is read, and has those that were read longest ago forget.
func (m *Merge) touch(row *tensor) {
	t := row.made
	if row.pass != "" {
		m.models.touch(row)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.recent) > 0 && m.recent[0] == t {
		return
	}
	if i := slices.Index(m.recent, t); i >= 0 {
		m.recent = slices.Delete(m.recent, i, i+1)
	}
	m.recent = slices.Insert(m.recent, 0, t)
	held := int64(0)
	for n, r := range m.recent {
		if held += r.Memory(); n >= keepAlways && held > keepBytes || n >= runtime.GOMAXPROCS(0)+keepAlways {
			for _, r := range m.recent[n:] {
				r.Release()
			}
			m.recent = m.recent[:n]
			break
		}
	}
}
