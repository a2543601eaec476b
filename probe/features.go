package probe

import (
	"fmt"
	"io"
	"math"
	"slices"

	"syncretic/adapt/audio"
)

// Features are the pooled hidden states of windows of a dataset's items, or of whole items, a row each.
type Features struct {
	Layers, Dim int
	Items       []int     // by row: index into the dataset's Items, never falling; an item's rows are in the order of time
	Values      []float32 // [rows][layers][dim] in memory; nil where Rows holds them
	Rows        Rows      // the rows elsewhere, such as in a cache; nil where Values holds them

	Skipped  []SkippedItem // what was left out, in the dataset's order
	Origin   Origin        // what they were computed from, and how
	Computed int           // items that this call encoded or found unreadable; the others were in the cache
	Spoilt   []string      // files of the cache that were not as they were written, with the reason; they were computed again
}

// Rows is a store of rows of [layers][dim]. It must be safe for concurrent use.
type Rows interface {
	// Row returns row i: without a copy where the store holds float32, else read into buf, which is enlarged when it is too
	// small. The result must not be written to, and holds until buf is used again.
	Row(i int, buf []float32) ([]float32, error)
}

// SkippedItem is an item of a dataset whose file cannot be read.
type SkippedItem struct {
	Item int // index into the dataset's Items
	audio.Skipped
}

// Row returns the features of row i, which belongs to item f.Items[i], as [layers][dim], on the terms of [Rows]: from memory and
// from a cache of float32 without a copy.
func (f *Features) Row(i int, buf []float32) ([]float32, error) {
	if f.Rows != nil {
		return f.Rows.Row(i, buf)
	}
	size := f.Layers * f.Dim
	return f.Values[i*size : (i+1)*size : (i+1)*size], nil
}

// Close releases the files that rows are in, if they are. Rows, also those of splits, must not be touched afterwards.
func (f *Features) Close() error {
	if c, ok := f.Rows.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Spans returns where each item's rows begin, and last the number of rows: the k-th distinct item of f.Items has the rows
// [spans[k], spans[k+1]).
func (f *Features) Spans() []int {
	spans := []int{0}
	for i := 1; i < len(f.Items); i++ {
		if f.Items[i] != f.Items[i-1] {
			spans = append(spans, i)
		}
	}
	if len(f.Items) == 0 {
		return spans
	}
	return append(spans, len(f.Items))
}

// selected are some rows of other features.
type selected struct {
	of   *Features
	rows []int
}

func (s selected) Row(i int, buf []float32) ([]float32, error) { return s.of.Row(s.rows[i], buf) }

// Split is one split's features with its labels: all that a head ever sees of a dataset.
type Split struct {
	Name     string    // Train, Valid or Test
	Tags     []string  // vocabulary of the dataset
	Features *Features // of this split's items only
	Labels   [][]bool  // [items][tags]: of the distinct items of Features.Items, in their order

	Task    Task        // what Labels mean; the zero value is tags, any number of them an item
	Targets [][]float64 // [items][tags] of a Regression, in place of Labels
}

// byRow returns values that belong to items, such as labels, for every row: [rows][tags].
func byRow[T any](f *Features, values [][]T) [][]T {
	spans := f.Spans()
	out := make([][]T, len(f.Items))
	for k, v := range values {
		for i := spans[k]; i < spans[k+1]; i++ {
			out[i] = v
		}
	}
	return out
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
	out := Split{Name: split, Tags: ds.Tags, Task: taskOf(ds.Task), Features: &Features{Layers: f.Layers, Dim: f.Dim}}
	rows := selected{of: f}
	for _, i := range left {
		at, ok := slices.BinarySearch(f.Items, i)
		if !ok {
			return Split{}, fmt.Errorf("%w: dataset %q: no features of %s, which is in split %q", ErrInvalid, ds.Name, ds.Items[i].ID, split)
		}
		for ; at < len(f.Items) && f.Items[at] == i; at++ {
			rows.rows = append(rows.rows, at)
			out.Features.Items = append(out.Features.Items, i)
		}
		if out.Task == Regression {
			out.Targets = append(out.Targets, ds.Items[i].Targets)
		} else {
			out.Labels = append(out.Labels, ds.Items[i].Labels)
		}
	}
	out.Features.Rows = rows
	return out, nil
}

// check returns an error when s cannot be fitted or scored.
func (s Split) check() error {
	f := s.Features
	switch {
	case f == nil || len(f.Items) == 0:
		return fmt.Errorf("%w: split %q has no items", ErrInvalid, s.Name)
	case f.Rows == nil && len(f.Values) != len(f.Items)*f.Layers*f.Dim || f.Layers < 1 || f.Dim < 1:
		return fmt.Errorf("%w: split %q: %d values for [%d][%d][%d]", ErrInvalid, s.Name, len(f.Values), len(f.Items), f.Layers, f.Dim)
	case len(s.Tags) == 0:
		return fmt.Errorf("%w: split %q has no tags", ErrInvalid, s.Name)
	}
	return s.checkLabels(len(f.Spans()) - 1)
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
