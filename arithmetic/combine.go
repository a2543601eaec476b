package arithmetic

import (
	"errors"
	"fmt"
	"math"

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
		if len(t.Vector.Tensors()) != len(partial) {
			want = base.Tensors()
			if len(floats(t.Vector)) == len(t.Vector.Tensors()) {
				want = partial
			}
		}
		if err := compare(t.Vector, label(t.Vector, fmt.Sprintf("vector %d", i+1)), want, label(base, "the base")); err != nil {
			return nil, err
		}
		if lambda := float32(t.Lambda); lambda != 0 && !zero(t.Vector) {
			s.terms = append(s.terms, term{t.Vector, lambda})
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

type term struct {
	vector checkpoint.Source
	lambda float32
}

type sum struct {
	base   checkpoint.Source
	terms  []term
	whole  map[string]bool // for each tensor: it is the base's as it stands
	blocks blocks
}

func (s *sum) Tensors() []checkpoint.Info { return s.base.Tensors() }

func (s *sum) Read(name string, offset int, dst []float32) error {
	if whole, ok := s.whole[name]; whole || !ok {
		return s.base.Read(name, offset, dst)
	}
	block := s.blocks.get()
	defer s.blocks.pool.Put(block)
	for len(dst) > 0 {
		n := min(len(dst), blockElements)
		if err := s.base.Read(name, offset, dst[:n]); err != nil {
			return err
		}
		for _, t := range s.terms {
			if err := t.vector.Read(name, offset, (*block)[:n]); err != nil {
				return err
			}
			vec.AddScaled(dst[:n], t.lambda, (*block)[:n])
		}
		dst, offset = dst[n:], offset+n
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
