package taskvector

import (
	"fmt"
	"slices"
	"strings"

	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// tensor is one tensor of a [Encoded] or decoded vector, computed where it is read. The range was checked.
type tensor interface {
	read(offset int, dst []float32, s *scratch) error
}

// source is a checkpoint.Source of tensors.
type source struct {
	what    string // for messages
	infos   []checkpoint.Info
	tensors map[string]tensor
	scratches
}

func newSource(what string) *source { return &source{what: what, tensors: map[string]tensor{}} }

func (v *source) add(info checkpoint.Info, t tensor) {
	v.infos = append(v.infos, info)
	v.tensors[info.Name] = t
}

func (v *source) sort() {
	slices.SortFunc(v.infos, func(a, b checkpoint.Info) int { return strings.Compare(a.Name, b.Name) })
}

// Tensors lists the tensors, sorted by name.
func (v *source) Tensors() []checkpoint.Info { return v.infos }

// Read gives elements [offset, offset+len(dst)) of a tensor.
func (v *source) Read(name string, offset int, dst []float32) error {
	info, ok := checkpoint.Find(v, name)
	if !ok {
		return invalid("%s: tensor %q: not present", v.what, name)
	}
	if err := checkRange(name, offset, len(dst), info.Elements()); err != nil {
		return fmt.Errorf("%s: %w", v.what, err)
	}
	s := v.get()
	defer v.put(s)
	return v.tensors[name].read(offset, dst, s)
}

// stored is a tensor of another source, as it is.
type stored struct {
	src  checkpoint.Source
	name string
}

func (t stored) read(offset int, dst []float32, _ *scratch) error {
	return t.src.Read(t.name, offset, dst)
}

// octets is a U8 tensor in memory.
type octets []byte

func (t octets) read(offset int, dst []float32, _ *scratch) error {
	for i, x := range t[offset : offset+len(dst)] {
		dst[i] = float32(x)
	}
	return nil
}

// finite is a source whose reads refuse what is not finite.
type finite struct{ checkpoint.Source }

// nonFinite says where.
type nonFinite struct {
	tensor  string
	element int
	value   float32
}

func (e *nonFinite) Error() string {
	return fmt.Sprintf("tensor %q: element %d differs by %v, want finite values", e.tensor, e.element, e.value)
}
func (e *nonFinite) Is(target error) bool { return target == ErrInvalid }

func (f finite) Read(name string, offset int, dst []float32) error {
	if err := f.Source.Read(name, offset, dst); err != nil {
		return err
	}
	if i := vec.FirstNonFinite(dst); i >= 0 {
		return &nonFinite{name, offset + i, dst[i]}
	}
	return nil
}
