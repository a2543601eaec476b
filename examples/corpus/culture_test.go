package corpus

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestCulturesOrder(t *testing.T) {
	want := []string{"western", "turkish-makam", "hindustani", "carnatic", "greek"}
	for i, c := range Cultures() {
		if c.Name != want[i] {
			t.Errorf("culture %d is %q, want %q", i, c.Name, want[i])
		}
		if c.Western != (i == 0) {
			t.Errorf("%s: Western is %v", c.Name, c.Western)
		}
		if c.Title == "" {
			t.Errorf("%s has no title", c.Name)
		}
	}
	if n := len(Cultures()); n != len(want) {
		t.Errorf("%d cultures, want %d", n, len(want))
	}
}

func TestTagsOfEveryCulture(t *testing.T) {
	for _, c := range Cultures() {
		tags := c.Tags()
		counts := map[string]int{}
		seen := map[string]bool{}
		for _, tag := range tags {
			kind, name, ok := strings.Cut(tag, ":")
			if !ok || name == "" || strings.ContainsAny(tag, "|,\" ") {
				t.Errorf("%s: tag %q", c.Name, tag)
			}
			if seen[tag] {
				t.Errorf("%s: tag %q twice", c.Name, tag)
			}
			seen[tag] = true
			counts[kind]++
		}
		if counts["mode"] != 5 || counts["rhythm"] != 3 || counts["instrument"] != 4 {
			t.Errorf("%s: %v, want 5 modes, 3 rhythms, 4 instruments", c.Name, counts)
		}
		if n := counts["ornament"]; n < 1 || n > 3 {
			t.Errorf("%s: %d ornaments, want 1 to 3", c.Name, n)
		}
		for _, group := range [][]string{tags[:5], tags[5:8], tags[8:12], tags[12:]} {
			if !slices.IsSorted(group) {
				t.Errorf("%s: %v not sorted", c.Name, group)
			}
		}
	}
}

// Each cell of 60 clips holds every combination of mode, rhythm and instrument once.
func TestEveryCombinationOnceACell(t *testing.T) {
	for _, c := range Cultures() {
		for _, first := range []int{0, cell, 7 * cell} {
			seen := map[string]bool{}
			for i := first; i < first+cell; i++ {
				ch := c.assign(3, i)
				seen[fmt.Sprint(ch.mode.name, ch.rhythm.name, ch.instrument)] = true
			}
			if len(seen) != cell {
				t.Errorf("%s: %d combinations in clips %d to %d, want %d", c.Name, len(seen), first, first+cell-1, cell)
			}
		}
	}
}

func TestTagsBalancedInEverySplit(t *testing.T) {
	for _, sizes := range [][3]int{{200, 60, 140}, {100, 30, 70}, {40, 20, 20}, {33, 17, 41}} {
		for _, c := range Cultures() {
			for seed := uint64(1); seed <= 3; seed++ {
				first := 0
				for split, n := range sizes {
					checkBalance(t, fmt.Sprintf("%s, seed %d, split %d of %v", c.Name, seed, split, sizes), c, seed, first, n)
					first += n
				}
			}
		}
	}
}

// checkBalance counts the tags of n clips. A group of k balanced tags may be off by
// two an edge of a cell (and a run has few of those); ornaments keep to 15-85 %.
func checkBalance(t *testing.T, what string, c Culture, seed uint64, first, n int) {
	t.Helper()
	counts := map[string]int{}
	for i := first; i < first+n; i++ {
		for _, tag := range c.tagsOf(c.assign(seed, i)) {
			counts[tag]++
		}
	}
	for i, tag := range c.Tags() {
		share := float64(counts[tag]) / float64(n)
		var low, high float64
		slack := 2.5 / float64(n)
		switch {
		case i < 5:
			low, high = .2-slack, .2+slack
		case i < 8:
			low, high = 1./3-slack, 1./3+slack
		case i < 12:
			low, high = .25-slack, .25+slack
		default:
			low, high = .15, .85
		}
		if share < low || share > high {
			t.Errorf("%s: %s in %.3f of %d clips, want %.3f to %.3f", what, tag, share, n, low, high)
		}
	}
}

func TestSeedAndIndexMatter(t *testing.T) {
	for _, c := range Cultures() {
		a, _ := c.Clip(1, 0, .5)
		b, _ := c.Clip(2, 0, .5)
		d, _ := c.Clip(1, cell, .5)
		if slices.Equal(a, b) || slices.Equal(a, d) {
			t.Errorf("%s: the same samples for another seed or index", c.Name)
		}
	}
}

func TestClipRefusesNonsense(t *testing.T) {
	for name, call := range map[string]func(){
		"negative index": func() { Cultures()[0].Clip(1, -1, 1) },
		"no time":        func() { Cultures()[0].Clip(1, 0, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}

func TestPick(t *testing.T) {
	d := Cultures()[0].dice(1, "test", 0)
	var counts [3]int
	for range 4000 {
		counts[d.pick([]float64{1, 0, 3})]++
	}
	if counts[1] != 0 || counts[0] < 850 || counts[0] > 1150 {
		t.Errorf("drawn %v times of 4000 with weights 1, 0, 3", counts)
	}
}
