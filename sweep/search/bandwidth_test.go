package search

import (
	"math"
	"slices"
	"testing"
)

func TestFading(t *testing.T) {
	if got := fading(25); !slices.Equal(got, equal(25)) {
		t.Errorf("25 trials: %v, want all alike", got)
	}
	w := fading(75)
	if math.Abs(w[0]-1./75) > 1e-15 || math.Abs(w[49]-1) > 1e-15 || w[74] != 1 {
		t.Errorf("75 trials: %v, want a ramp from 1/75 to 1 and 25 ones", w)
	}
	if w := fading(26); w[0] != 1./26 || w[1] != 1 {
		t.Errorf("26 trials: %v, want the oldest at 1/26", w)
	}
}

func TestNearestWidths(t *testing.T) {
	near := func(got, want float64) bool { return math.Abs(got-want) < 1e-12 }
	for name, c := range map[string]struct {
		places [][]float64
		least  float64
		want   float64 // of the first trial, in the first number
	}{
		"a trial alone":                        {[][]float64{{0.5}}, 0, 0.3},
		"one other":                            {[][]float64{{0.5, 0.6}}, 0, 0.1},
		"the fourth nearest does not count":    {[][]float64{{0.5, 0.6, 0.4, 0.6, 0.9}}, 0, 0.1},
		"never less than the least":            {[][]float64{{0.5, 0.5}}, 0.02, 0.02},
		"half of it from all numbers":          {[][]float64{{0.5, 0.5}, {0.2, 0.6}}, 0, math.Sqrt(0.16 / 4)},
		"at most the scale":                    {[][]float64{{0.5, 0.6}}, 7, 1},
		"near in all numbers, not in this one": {[][]float64{{0.5, 0.5, 0.6, 0.6, 0.6}, {0, 1, 0, 0, 0}}, 0, math.Sqrt(0.01 * 3 / 4)},
	} {
		if got := nearestWidths(c.places, c.least)[0][0]; !near(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := nearestWidths(nil, 0.1); len(got) != 0 {
		t.Errorf("no numbers: %v", got)
	}
}

func TestNeighbourWidths(t *testing.T) {
	x := []float64{0.9, 0.1, 0.4}
	got := neighbourWidths([][]float64{x})[0]
	for k, want := range []float64{0.5, 0.3, 0.5} {
		if math.Abs(got[k]-want) > 1e-12 {
			t.Errorf("trial at %v: %v, want %v", x[k], got[k], want)
		}
	}
	if got := neighbourWidths([][]float64{{0.3}})[0][0]; got != 0.7 {
		t.Errorf("a trial alone: %v, want the farther end of the scale", got)
	}
	if got := neighbourWidths([][]float64{equal(200)})[0][7]; got != 0.01 {
		t.Errorf("200 trials at one place: %v, want 1/100", got)
	}
}

func TestLeastWidth(t *testing.T) {
	for _, c := range []struct {
		dimensions, good, trials, next int
		want                           float64
	}{
		{2, 4, 10, 12, 0.02}, // 0.1/5
		{1, 3, 9, 10, 0.25},  // (4.5/9)^2
		{1, 4, 90, 91, 0.02},
		{1, 4, 90, 90, 0.1}, // every third
		{1, 0, 0, 3, 0.1},
	} {
		if got := leastWidth(c.dimensions, c.good, c.trials, c.next); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}
