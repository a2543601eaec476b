package arithmetic

import (
	"errors"
	"fmt"
	"math"
	"reflect"

	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// Term is λ·τ of a sum.
type Term struct {
	Vector checkpoint.Source
	Lambda float64
}

// Add is base + vectors, in the base's dtypes; see [Combine]. A vector made by [Scale] takes part as a Term, so that
// Add(base, Scale(v, l)) and Combine(base, Term{v, l}) are equal bit for bit.
func Add(base checkpoint.Source, vectors ...checkpoint.Source) (checkpoint.Source, error) {
	terms := make([]Term, len(vectors))
	for i, v := range vectors {
		terms[i] = Term{v, 1}
		if s, ok := v.(*scaled); ok {
			terms[i] = Term{s.vector, s.lambda}
		}
	}
	return Combine(base, terms...)
}

// Combine is θ_0 + Σ λ_i τ_i, read block by block in one pass, in the base's dtypes: sums are float32 in the order of
// the terms, and writing rounds them once. λ is rounded to float32.
//
// A term with λ = 0 is checked but never read; if every λ is 0, the base's stored bytes pass through. Integer tensors
// are always the base's. Each vector must have exactly the base's tensors of floats, with their shapes (it may have the
// integer ones too); the error names the first few differences and wraps [ErrInvalid], as does a λ that is not finite.
func Combine(base checkpoint.Source, terms ...Term) (checkpoint.Source, error) {
	s := &sum{base: base, whole: make(map[string]bool)}
	partial := floats(base)
	for i, t := range terms {
		if math.IsNaN(t.Lambda) || math.IsInf(float64(float32(t.Lambda)), 0) {
			return nil, invalid("vector %d: lambda %v, want a finite float32", i+1, t.Lambda)
		}
		want := partial
		if len(floats(t.Vector)) != len(t.Vector.Tensors()) {
			want = base.Tensors()
		}
		if err := compare(t.Vector, label(t.Vector, fmt.Sprintf("vector %d", i+1)), want, label(base, "the base")); err != nil {
			return nil, err
		}
		if lambda := float32(t.Lambda); lambda != 0 && !zero(t.Vector) {
			s.terms = append(s.terms, term{t.Vector, nil, lambda})
			if d, ok := t.Vector.(*difference); ok && same(d.base, base) {
				s.terms[len(s.terms)-1].tuned = d.tuned
				s.shared = true
			}
		}
	}
	for _, info := range base.Tensors() {
		s.whole[info.Name] = len(s.terms) == 0 || info.DType.Integer()
	}
	return s, nil
}

// zero tells a vector that was scaled by 0 further inside.
func zero(v checkpoint.Source) bool {
	s, ok := v.(*scaled)
	return ok && (s.lambda == 0 || zero(s.vector))
}

// same tells one source from another; sources of types that cannot be compared differ.
func same(a, b checkpoint.Source) bool {
	return reflect.TypeOf(a).Comparable() && a == b
}

type term struct {
	vector checkpoint.Source
	tuned  checkpoint.Source // where vector is tuned minus the very base of the sum, which is then read once for all
	lambda float32
}

type sum struct {
	base   checkpoint.Source
	terms  []term
	shared bool            // a term has tuned
	whole  map[string]bool // for each tensor: it is the base's as it stands
	blocks blocks
}

func (s *sum) Tensors() []checkpoint.Info { return s.base.Tensors() }

func (s *sum) Read(name string, offset int, dst []float32) error {
	if whole, ok := s.whole[name]; whole || !ok {
		return s.base.Read(name, offset, dst)
	}
	block, base := s.blocks.get(), s.blocks.get()
	defer s.blocks.pool.Put(block)
	defer s.blocks.pool.Put(base)
	for len(dst) > 0 {
		n := min(len(dst), blockElements)
		if err := s.readBlock(name, offset, dst[:n], (*block)[:n], (*base)[:n]); err != nil {
			return err
		}
		dst, offset = dst[n:], offset+n
	}
	return nil
}

// readBlock computes one block; block and base are room for its operands.
func (s *sum) readBlock(name string, offset int, dst, block, base []float32) error {
	if err := s.base.Read(name, offset, dst); err != nil {
		return err
	}
	if s.shared {
		copy(base, dst)
	}
	for _, t := range s.terms {
		if t.tuned != nil {
			if err := t.tuned.Read(name, offset, block); err != nil {
				return err
			}
			vec.AddScaledDifference(dst, t.lambda, block, base)
			continue
		}
		if err := t.vector.Read(name, offset, block); err != nil {
			return err
		}
		vec.AddScaled(dst, t.lambda, block)
	}
	return nil
}

// Raw passes the base's bytes through where they are the result.
func (s *sum) Raw(name string) ([]byte, error) {
	if whole, ok := s.whole[name]; ok && !whole {
		return nil, computed(name)
	}
	return raw(s.base, name)
}

// raw asks an input for stored bytes.
func raw(src checkpoint.Source, name string) ([]byte, error) {
	if rs, ok := src.(checkpoint.RawSource); ok {
		return rs.Raw(name)
	}
	return nil, computed(name)
}

// computed says that a tensor has no bytes as stored.
func computed(name string) error {
	return fmt.Errorf("tensor %q: computed, not stored: %w", name, errors.ErrUnsupported)
}
