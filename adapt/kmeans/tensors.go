package kmeans

import (
	"fmt"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

type tensor struct {
	info checkpoint.Info
	data []float32
}

// tensors is a checkpoint.Source over slices.
type tensors []tensor

func (ts tensors) sorted() tensors {
	slices.SortFunc(ts, func(a, b tensor) int { return strings.Compare(a.info.Name, b.info.Name) })
	return ts
}

func (ts tensors) Tensors() []checkpoint.Info {
	out := make([]checkpoint.Info, len(ts))
	for i, t := range ts {
		out[i] = t.info
	}
	return out
}

func (ts tensors) Read(name string, offset int, dst []float32) error {
	for _, t := range ts {
		if t.info.Name == name && offset >= 0 && offset+len(dst) <= len(t.data) {
			copy(dst, t.data[offset:])
			return nil
		}
	}
	return fmt.Errorf("%w: no elements [%d, %d) of tensor %q", ErrInvalid, offset, offset+len(dst), name)
}

// read returns the elements of a tensor of the wanted shape, all finite.
func read(src checkpoint.Source, byName map[string]checkpoint.Info, name string, shape ...int) ([]float32, error) {
	info, ok := byName[name]
	if !ok {
		return nil, fmt.Errorf("%w: no tensor %q", ErrInvalid, name)
	}
	if !slices.Equal(info.Shape, shape) {
		return nil, fmt.Errorf("%w: tensor %q: shape %v, want %v", ErrInvalid, name, info.Shape, shape)
	}
	n := 1
	for _, s := range shape {
		n *= s
	}
	out := make([]float32, n)
	if err := src.Read(name, 0, out); err != nil {
		return nil, err
	}
	for i, v := range out {
		if !(v >= -maxValue && v <= maxValue) {
			return nil, fmt.Errorf("%w: tensor %q: element %d is %g, want a finite number", ErrInvalid, name, i, v)
		}
	}
	return out, nil
}
