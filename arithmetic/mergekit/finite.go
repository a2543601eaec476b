package mergekit

import (
	"errors"
	"fmt"
	"sync"

	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// NonFinite says what to do about NaN and infinities in a model.
type NonFinite int

// Unlike mergekit, which lets one NaN poison a tensor without a word, models with NaN or infinities are refused by default.
const (
	Refuse NonFinite = iota
	Keep
	Zero
)

// ParseNonFinite reads refuse, keep or zero.
func ParseNonFinite(s string) (NonFinite, error) {
	for i, name := range []string{"refuse", "keep", "zero"} {
		if s == name {
			return NonFinite(i), nil
		}
	}
	return 0, wrong("non-finite %q, want refuse, keep or zero", s)
}

// ErrNonFinite is wrapped by the error about a NaN or infinity.
var ErrNonFinite = errors.New("not finite")

// finite is a model whose numbers are looked at on their way: the first that is not finite ends the read, or is set to 0.
type finite struct {
	checkpoint.Source
	name   string // of the model
	zero   bool
	passed sync.Map // tensors whose stored bytes were looked at
}

// guard puts the policy between a model and the merge.
func guard(name string, src checkpoint.Source, policy NonFinite) checkpoint.Source {
	if policy == Keep {
		return src
	}
	return &finite{Source: src, name: name, zero: policy == Zero}
}

func (f *finite) Read(tensor string, offset int, dst []float32) error {
	if src, ok := f.Source.(checkpoint.FiniteSource); ok {
		if finite, err := src.ReadFinite(tensor, offset, dst); finite || err != nil {
			return err
		}
	} else if err := f.Source.Read(tensor, offset, dst); err != nil {
		return err
	}
	for {
		i := vec.FirstNonFinite(dst)
		if i < 0 {
			return nil
		}
		if !f.zero {
			return &inputError{text: fmt.Sprintf("%s: tensor %q: element %d is %v", f.name, tensor, offset+i, dst[i]), kind: ErrNonFinite}
		}
		dst[i] = 0
		dst, offset = dst[i+1:], offset+i+1
	}
}

// View gives a tensor where it lies, without a look at it: for methods that look at what they make of it, and read where that is not
// finite.
func (f *finite) View(tensor string) ([]byte, checkpoint.DType, bool) {
	rs, ok := f.Source.(checkpoint.RawSource)
	info, found := checkpoint.Find(f.Source, tensor)
	if !ok || !found || f.zero {
		return nil, "", false
	}
	raw, err := rs.Raw(tensor)
	return raw, info.DType, err == nil
}

// Raw gives stored bytes of tensors that have nothing to look for, and of floats after one look at all of them.
func (f *finite) Raw(tensor string) ([]byte, error) {
	rs, ok := f.Source.(checkpoint.RawSource)
	info, found := checkpoint.Find(f.Source, tensor)
	if !ok || !found {
		return nil, fmt.Errorf("tensor %q: no bytes as stored: %w", tensor, errors.ErrUnsupported)
	}
	if _, seen := f.passed.Load(tensor); !seen && floating(info.DType) {
		if f.zero {
			return nil, fmt.Errorf("tensor %q: not as stored: %w", tensor, errors.ErrUnsupported)
		}
		block := make([]float32, 1<<14)
		for n, at := info.Elements(), 0; at < n; at += len(block) {
			if err := f.Read(tensor, at, block[:min(len(block), n-at)]); err != nil {
				return nil, err
			}
		}
		f.passed.Store(tensor, true)
	}
	return rs.Raw(tensor)
}
