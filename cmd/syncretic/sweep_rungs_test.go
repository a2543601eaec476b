package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"syncretic/probe"
	"syncretic/sweep"
)

// recordingsDataset is a dataset of n items a split, of which each two are cut from one recording.
func recordingsDataset(n int) *probe.Dataset {
	ds := &probe.Dataset{Name: "d", Tags: []string{"a"}}
	for i := range n {
		for _, split := range []string{probe.Train, probe.Valid, probe.Test} {
			ds.Items = append(ds.Items, probe.Item{ID: fmt.Sprint(split, i), Group: fmt.Sprint(split, i/2), Split: split, Labels: []bool{i%4 < 2}})
		}
	}
	return ds
}

// TestPartsLieInEachOther: a larger part has all of a smaller one, whole recordings, of the asked split alone, and as many items as it says.
func TestPartsLieInEachOther(t *testing.T) {
	ds := recordingsDataset(40)
	var before []int
	for _, c := range []struct {
		part float64
		want int
	}{{0.01, 1}, {0.1, 4}, {0.25, 10}, {0.5, 20}, {0.999, 40}, {1, 40}} {
		items := partOf(ds, probe.Train, c.part, 7)
		if len(items) != c.want || !slices.IsSorted(items) {
			t.Errorf("part %v: %v, want %d items in order", c.part, items, c.want)
		}
		for _, i := range before {
			if !slices.Contains(items, i) {
				t.Errorf("part %v is without item %d of a smaller part", c.part, i)
			}
		}
		groups := map[string]int{}
		for _, i := range items {
			groups[ds.Items[i].Group]++
			if ds.Items[i].Split != probe.Train {
				t.Errorf("part %v of train has item %d of %s", c.part, i, ds.Items[i].Split)
			}
		}
		if c.want%2 == 0 && len(groups) != c.want/2 {
			t.Errorf("part %v cuts recordings apart: %v", c.part, groups)
		}
		before = items
	}
	if slices.Equal(partOf(ds, probe.Train, 0.25, 7), partOf(ds, probe.Train, 0.25, 8)) {
		t.Error("another seed draws the same part")
	}
}

func TestCheckParts(t *testing.T) {
	ds := recordingsDataset(40)
	if err := checkParts(ds, []float64{0.5, 0.9}, 7); err != nil {
		t.Error(err)
	}
	if err := checkParts(ds, []float64{0.01}, 7); !errors.Is(err, sweep.ErrConfig) { // one item
		t.Errorf("error %v, want ErrConfig", err)
	}
}
