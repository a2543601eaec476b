package mergekit

import (
	"container/list"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
)

// Models are opened models that many compilations share, and what methods found out about them: where merges of the same models are
// made one after another, each file is opened once, and a pass over tensors whose result another merge can use is made once. Give
// them as [Options].Models; they are safe for concurrent use. Merges of plans that have them are [checkpoint.Versioned].
type Models struct {
	compiling sync.Mutex // held while a recipe is compiled
	inputs    map[string]*input
	nonce     string // tells these models' versions from all others
	closed    bool

	mu     sync.Mutex
	budget int64
	held   int64
	leads  map[string]*list.Element // of *lead, by pass
	order  *list.List               // the last read first
}

// lead is the tensor whose passes others use.
type lead struct {
	key  string
	made *method.Tensor
	held int64
	gone bool // from the list
}

// mostLeads bounds passes that hold next to nothing.
const mostLeads = 1 << 14

// NewModels makes a set of models, none of them open yet. Of what methods find out (thresholds, masks, matrices) at most so many
// bytes are kept between merges; a merge that is being read may hold more for as long as [Merge] says.
func NewModels(bytes int64) *Models {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails
	return &Models{inputs: make(map[string]*input), nonce: hex.EncodeToString(nonce[:]), budget: bytes, leads: make(map[string]*list.Element), order: list.New()}
}

// Close closes all models. Merges of them must not be read any more.
func (s *Models) Close() error {
	s.compiling.Lock()
	defer s.compiling.Unlock()
	s.closed = true
	var errs []error
	for _, in := range s.inputs {
		if in.model != nil {
			errs = append(errs, in.model.Close())
		}
	}
	return errors.Join(errs...)
}

// input finds or opens an input. nil Models find nothing.
func (s *Models) input(policy NonFinite, key string, open func() (*input, error)) (*input, error) {
	if s == nil {
		return open()
	}
	if s.closed {
		return nil, errors.New("the models are closed")
	}
	key = fmt.Sprintf("%d %s", policy, key)
	if in, ok := s.inputs[key]; ok {
		return in, nil
	}
	in, err := open()
	if err == nil {
		in.shared = true
		s.inputs[key] = in
	}
	return in, err
}

// version names what a tensor is made from, "" where its inputs are not all of these models.
func (s *Models) version(t *tensor, policy NonFinite) string {
	if s == nil || !t.shared {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %s", s.nonce, policy, t.DType)
	for _, in := range t.Inputs {
		fmt.Fprintf(&b, "; %q %q", in.Model, in.Tensor)
	}
	if t.made != nil {
		b.WriteString("; " + t.made.Key())
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// share has a new tensor use the passes of an earlier one over the same inputs.
func (s *Models) share(t *tensor, policy NonFinite) {
	if s == nil || !t.shared || t.made == nil {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d ", policy)
	for _, in := range t.Inputs {
		fmt.Fprintf(&b, "%q ", in.Model)
	}
	t.pass = b.String() + t.made.PassKey()
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.leads[t.pass]; ok {
		t.made.ShareEqual(e.Value.(*lead).made)
	}
}

// touch notes that a tensor's passes are used, and has those that were used longest ago forget where all hold too much.
func (s *Models) touch(t *tensor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.leads[t.pass]; ok && e.Value.(*lead).made.Shares(t.made) {
		t.lead = e
	} else if t.lead == nil || t.lead.Value.(*lead).gone { // the first, or one that another merge came before
		t.lead = s.order.PushFront(&lead{key: t.pass, made: t.made})
		if !ok {
			s.leads[t.pass] = t.lead
		}
	}
	s.order.MoveToFront(t.lead)
	for s.order.Len() > keepAlways && (s.held > s.budget || s.order.Len() > mostLeads) {
		e := s.order.Back()
		last := s.order.Remove(e).(*lead)
		if s.leads[last.key] == e {
			delete(s.leads, last.key)
		}
		last.gone = true
		s.held -= last.held
		last.made.Release()
	}
}

// weigh notes what a tensor's passes hold, once they have run.
func (s *Models) weigh(t *tensor) {
	held := t.made.Held()
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.lead == nil || t.lead.Value.(*lead).gone {
		return
	}
	l := t.lead.Value.(*lead)
	s.held += held - l.held
	l.held = held
}

var _ checkpoint.Versioned = (*Merge)(nil)
