package probe

import (
	"fmt"
	"math"
	"slices"

	"syncretic/adapt/audio"
)

// Features are the pooled hidden states of some items of a dataset.
type Features struct {
	Layers, Dim int
	Items       []int     // indices into the dataset's Items, rising
	Values      []float32 // [items][layers][dim]

	Skipped []SkippedItem // what was left out, in the dataset's order
}

// SkippedItem is an item of a dataset whose file cannot be read.
type SkippedItem struct {
	Item int // index into the dataset's Items
	audio.Skipped
}

// Row returns the features of the i-th of f.Items as [layers][dim], without a copy.
func (f *Features) Row(i int) []float32 {
	size := f.Layers * f.Dim
	return f.Values[i*size : (i+1)*size : (i+1)*size]
}

// Split is one split's features with its labels: all that a head ever sees of a dataset.
type Split struct {
	Name     string    // Train, Valid or Test
	Tags     []string  // vocabulary of the dataset
	Features *Features // of this split's items only
	Labels   [][]bool  // [items][tags], in the order of Features.Items
}

// Split returns the items of one split with their labels. An error wraps ErrInvalid and names what is missing: features of
// an item of that split, or items of that split altogether. Items that were left out when features were extracted are not in it; a
// split of which none is left is an error.
func (f *Features) Split(ds *Dataset, split string) (Split, error) {
	indices := ds.Indices(split)
	if len(indices) == 0 {
		return Split{}, fmt.Errorf("%w: dataset %q has no items in split %q", ErrInvalid, ds.Name, split)
	}
	left := slices.DeleteFunc(indices, func(i int) bool {
		return slices.ContainsFunc(f.Skipped, func(s SkippedItem) bool { return s.Item == i })
	})
	if len(left) == 0 {
		return Split{}, fmt.Errorf("%w: dataset %q: no item of split %q can be read; the first: %s", ErrInvalid, ds.Name, split, f.Skipped[0].Reason)
	}
	indices = left
	out := Split{Name: split, Tags: ds.Tags, Features: &Features{Layers: f.Layers, Dim: f.Dim, Items: indices}}
	out.Features.Values = make([]float32, 0, len(indices)*f.Layers*f.Dim)
	for _, i := range indices {
		at, ok := slices.BinarySearch(f.Items, i)
		if !ok {
			return Split{}, fmt.Errorf("%w: dataset %q: no features of %s, which is in split %q", ErrInvalid, ds.Name, ds.Items[i].ID, split)
		}
		out.Features.Values = append(out.Features.Values, f.Row(at)...)
		out.Labels = append(out.Labels, ds.Items[i].Labels)
	}
	return out, nil
}

// check returns an error when s cannot be fitted or scored.
func (s Split) check() error {
	f := s.Features
	switch {
	case f == nil || len(f.Items) == 0:
		return fmt.Errorf("%w: split %q has no items", ErrInvalid, s.Name)
	case len(f.Values) != len(f.Items)*f.Layers*f.Dim || f.Layers < 1 || f.Dim < 1:
		return fmt.Errorf("%w: split %q: %d values for [%d][%d][%d]", ErrInvalid, s.Name, len(f.Values), len(f.Items), f.Layers, f.Dim)
	case len(s.Labels) != len(f.Items):
		return fmt.Errorf("%w: split %q: labels of %d items, features of %d", ErrInvalid, s.Name, len(s.Labels), len(f.Items))
	case len(s.Tags) == 0:
		return fmt.Errorf("%w: split %q has no tags", ErrInvalid, s.Name)
	}
	for i, row := range s.Labels {
		if len(row) != len(s.Tags) {
			return fmt.Errorf("%w: split %q, item %d: %d labels, want %d", ErrInvalid, s.Name, i, len(row), len(s.Tags))
		}
	}
	return nil
}

// allFinite returns true, or the index of the first value that is NaN or infinite.
func allFinite(values []float32) (int, bool) {
	for i, v := range values {
		if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
			return i, false
		}
	}
	return 0, true
}
