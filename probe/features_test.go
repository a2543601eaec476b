package probe

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// sample returns a dataset of five items and features [2][3] of them, value k being k.
func sample() (*Dataset, *Features) {
	ds := &Dataset{Name: "set", Tags: []string{"x"}}
	f := &Features{Layers: 2, Dim: 3}
	for i, split := range []string{Train, Valid, Train, Test, Train} {
		ds.Items = append(ds.Items, Item{ID: string(rune('a'+i)) + ".wav", Split: split, Labels: []bool{i%2 == 0}, End: float64(i)})
		f.Items = append(f.Items, i)
		for range 6 {
			f.Values = append(f.Values, float32(len(f.Values)))
		}
	}
	return ds, f
}

// rowOf returns row i of f.
func rowOf(t *testing.T, f *Features, i int) []float32 {
	t.Helper()
	row, err := f.Row(i, nil)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func TestSplit(t *testing.T) {
	ds, f := sample()
	s, err := f.Split(ds, Train)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != Train || !slices.Equal(s.Tags, ds.Tags) || !slices.Equal(s.Features.Items, []int{0, 2, 4}) {
		t.Errorf("got %q %v %v", s.Name, s.Tags, s.Features.Items)
	}
	if want := []float32{12, 13, 14, 15, 16, 17}; !slices.Equal(rowOf(t, s.Features, 1), want) || !s.Labels[1][0] || len(s.Labels) != 3 {
		t.Errorf("row %v, labels %v, want %v", rowOf(t, s.Features, 1), s.Labels, want)
	}
	if _, err := f.Split(ds, "dev"); !errors.Is(err, ErrInvalid) {
		t.Errorf("unknown split: got %v", err)
	}
	f.Items, f.Values = f.Items[:4], f.Values[:24]
	if _, err := f.Split(ds, Train); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "no features of e.wav") {
		t.Errorf("an item without features: got %v", err)
	}
}

// Of an item with several windows a split has all rows and one row of labels.
func TestSplitOfWindows(t *testing.T) {
	ds, f := sample()
	f.Items = []int{0, 0, 1, 2, 3, 3, 4}
	for range 2 * 6 {
		f.Values = append(f.Values, float32(len(f.Values)))
	}
	s, err := f.Split(ds, Train)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Features.Items, []int{0, 0, 2, 4}) || len(s.Labels) != 3 || !slices.Equal(s.Features.Spans(), []int{0, 2, 3, 4}) {
		t.Errorf("rows of items %v, %d labels, spans %v", s.Features.Items, len(s.Labels), s.Features.Spans())
	}
	for i, first := range []float32{0, 6, 18, 36} {
		if row := rowOf(t, s.Features, i); len(row) != 6 || row[0] != first {
			t.Errorf("row %d: %v, want six values from %v", i, row, first)
		}
	}
	if err := s.check(); err != nil {
		t.Error(err)
	}
	m := newMeans(s.Features, 1)
	m.add(0, []float32{1, 2, 7})
	m.add(3, []float32{8})
	if got := m.sums; len(got) != 3 || got[0][0] != 1.5 || got[1][0] != 7 || got[2][0] != 8 {
		t.Errorf("logits by item: %v", got)
	}
	if got := byRow(s.Features, [][]int{{5}, {6}, {7}}); len(got) != 4 || got[1][0] != 5 || got[3][0] != 7 {
		t.Errorf("labels by row: %v", got)
	}
	if got := (&Features{}).Spans(); !slices.Equal(got, []int{0}) {
		t.Errorf("spans of no rows: %v", got)
	}
}
