package search

import (
	"math"
	"slices"
	"testing"
)

// TestBetter: values, then constraints broken by how far, then pruned trials by how late.
func TestBetter(t *testing.T) {
	order := []Trial{ // best first
		{State: Complete, Values: []float64{math.Inf(-1)}},
		{State: Complete, Values: []float64{1}, Constraints: []float64{0, -3}},
		{State: Complete, Values: []float64{2}},
		{State: Complete, Values: []float64{math.NaN()}},
		{State: Complete, Values: []float64{9}, Constraints: []float64{0.1, -3}},
		{State: Complete, Values: []float64{-9}, Constraints: []float64{0.1, 0.2}},
		{State: Complete, Values: []float64{-9}, Constraints: []float64{math.NaN()}},
		{State: Pruned, Steps: map[int]float64{1: -9, 4: 3}},
		{State: Pruned, Steps: map[int]float64{1: 2}},
		{State: Pruned, Steps: map[int]float64{1: 5}},
		{State: Pruned},
	}
	compare := better(Minimize)
	for i := range order {
		for j := range order {
			if got, want := compare(&order[i], &order[j]), i-j; (got < 0) != (want < 0) || (got > 0) != (want > 0) {
				t.Errorf("trials %d and %d compare as %d", i, j, got)
			}
		}
	}
	if better(Maximize)(&order[1], &order[2]) <= 0 {
		t.Error("a larger value is not better where the objective is maximised")
	}
}

func TestNumbers(t *testing.T) {
	trials := []*Trial{{Number: 7}, {Number: 0}, {Number: 12}}
	text := joinNumbers(trials)
	if got := parseNumbers(text); !slices.Equal(got, []int{0, 7, 12}) {
		t.Errorf("%q is read as %v", text, got)
	}
	if got := numbered(trials[:2], "0 7"); len(got) != 2 {
		t.Errorf("named %v, want two", got)
	}
	for _, text := range []string{"", "x", "1 1", "2 1", "-1", "1,2", "1 99999999999999999999", "0 7 13"} {
		if got := numbered(trials, text); got != nil {
			t.Errorf("%q names %v", text, got)
		}
	}
}

// TestForeignTags: what others wrote under our names leads to a proposal all the same.
func TestForeignTags(t *testing.T) {
	f := functions()[0]
	c := mustCMAES(t, Config{Space: mixed(), Seed: 1})
	g := mustNSGA2(t, Config{Space: cube(f, 2), Directions: []Direction{Minimize}, Population: 4})
	clean := asked(t, c, 40, mixedValue)
	bred := asked(t, g, 40, f.at)
	for _, tag := range []string{"", "x", "-1", "1000000000", "99999999999999999999", "0 1 2", "NaN NaN NaN NaN NaN NaN", "1e300 0 0 0 0 0"} {
		for _, key := range []string{cmaesGeneration, cmaesMembers, cmaesDrawn, nsga2Generation, nsga2Parents} {
			for i := range 40 {
				for _, s := range []struct {
					Sampler
					space   Space
					history []Trial
				}{{c, mixed(), clean}, {g, g.config.Space, bred}} {
					history := slices.Clone(s.history)
					history[i].Tags = map[string]string{cmaesGeneration: history[i].Tags[cmaesGeneration], nsga2Generation: history[i].Tags[nsga2Generation], key: tag}
					p, err := s.Ask(history)
					if err != nil || !s.space.Contains(p.Point) {
						t.Fatalf("%s = %q at trial %d: %v, %v", key, tag, i, p, err)
					}
				}
			}
		}
	}
}

// TestPrunedTrialsCount: where the worse half is given up, generations pass as they do without.
func TestPrunedTrialsCount(t *testing.T) {
	f := functions()[0]
	c := mustCMAES(t, Config{Space: cube(f, 3), Seed: 1})
	var history []Trial
	least := math.Inf(1)
	for number := range 300 {
		p, err := c.Ask(history)
		if err != nil {
			t.Fatal(err)
		}
		value := f.at(p.Point)
		trial := Trial{Number: number, State: Complete, Point: p.Point, Values: []float64{value}, Tags: p.Tags}
		if value > 3*least {
			trial.State, trial.Values, trial.Steps = Pruned, nil, map[int]float64{0: value}
		}
		history, least = append(history, trial), min(least, value)
	}
	if generation := c.replay(history).generation; generation != 300/7 || least > 1e-4 {
		t.Errorf("generation %d, best value %g after 300 trials", generation, least)
	}
}
