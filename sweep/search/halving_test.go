package search

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// rungs makes a running trial of each value, reported at rung 0.
func rungs(values ...float64) []Trial {
	var history []Trial
	for i, v := range values {
		history = append(history, Trial{Number: i, State: Running, Steps: map[int]float64{0: v}})
	}
	return history
}

func TestHalvingPrune(t *testing.T) {
	for name, c := range map[string]struct {
		halving Halving
		history []Trial
		number  int
		rung    int
		want    bool
	}{
		"the only trial goes on":                   {Halving{Eta: 3, Direction: Minimize}, rungs(9), 0, 0, false},
		"fewer than eta: the worst goes on":        {Halving{Eta: 3, Direction: Minimize}, rungs(1, 9), 1, 0, false},
		"eta trials: the best goes on":             {Halving{Eta: 3, Direction: Minimize}, rungs(1, 8, 9), 0, 0, false},
		"eta trials: the second does not":          {Halving{Eta: 3, Direction: Minimize}, rungs(1, 8, 9), 1, 0, true},
		"twice eta: the second goes on":            {Halving{Eta: 3, Direction: Minimize}, rungs(1, 2, 5, 6, 7, 8), 1, 0, false},
		"a tie with the last that goes on":         {Halving{Eta: 3, Direction: Minimize}, rungs(1, 1, 5), 1, 0, false},
		"larger is better":                         {Halving{Eta: 3, Direction: Maximize}, rungs(1, 8, 9), 2, 0, false},
		"larger is better: the smaller is pruned":  {Halving{Eta: 3, Direction: Maximize}, rungs(1, 8, 9), 1, 0, true},
		"the paper's eta is 4":                     {Halving{Direction: Minimize}, rungs(1, 8, 9), 2, 0, false},
		"undefined values are pruned":              {Halving{Eta: 3, Direction: Minimize}, rungs(math.NaN()), 0, 0, true},
		"undefined values of others are the worst": {Halving{Eta: 2, Direction: Maximize}, rungs(math.NaN(), 1), 1, 0, false},
		"nothing reported at the rung":             {Halving{Eta: 3, Direction: Minimize}, rungs(1, 8, 9), 2, 1, false},
		"unknown trial":                            {Halving{Eta: 3, Direction: Minimize}, rungs(1, 8, 9), 7, 0, false},
		"the last rung":                            {Halving{Eta: 3, Rungs: 1, Direction: Minimize}, rungs(1, 8, 9), 2, 0, false},
	} {
		if got := c.halving.Prune(c.history, c.number, c.rung); got != c.want {
			t.Errorf("%s: pruned %v, want %v", name, got, c.want)
		}
	}
}

func TestHalvingCountsEveryTrialThatReportedButFailedOnes(t *testing.T) {
	h := Halving{Eta: 3, Direction: Minimize}
	history := rungs(1, 8, 9)
	for _, state := range []State{Complete, Pruned, Waiting} {
		history[0].State = state
		if !h.Prune(history, 2, 0) {
			t.Errorf("the best of three is %s: the worst goes on", state)
		}
	}
	history[0].State = Fail
	if h.Prune(history, 2, 0) {
		t.Error("two trials that have not failed, fewer than eta: one of them was pruned")
	}
}

func TestHalvingFraction(t *testing.T) {
	h := Halving{Eta: 3, Rungs: 3}
	if got := []float64{h.Fraction(0), h.Fraction(1), h.Fraction(2)}; !slices.Equal(got, []float64{1. / 9, 1. / 3, 1}) {
		t.Errorf("got fractions %v, want 1/9, 1/3, 1", got)
	}
}

// A search in which more of the evaluation means less noise must find a trial nearly as good as the best at a fraction of
// the cost: 81 trials at one whole evaluation each would cost 81.
func TestHalvingSavesMostOfTheEvaluations(t *testing.T) {
	h := Halving{Eta: 3, Rungs: 4, Direction: Minimize}
	rng := rand.New(rand.NewPCG(1, 2))
	var history []Trial
	cost, best := 0.0, math.Inf(1)
	for n := range 81 {
		truth := rng.Float64()
		history = append(history, Trial{Number: n, State: Running, Steps: map[int]float64{}})
		done := 0.0
		for rung := range h.Rungs {
			cost += h.Fraction(rung) - done // a rung goes on from the one before
			done = h.Fraction(rung)
			history[n].Steps[rung] = truth + 0.05*(1-done)*rng.NormFloat64()
			if history[n].State = Complete; h.Prune(history, n, rung) {
				history[n].State = Pruned
				break
			}
		}
		if history[n].State == Complete {
			best = min(best, truth)
		}
	}
	if cost > 27 || best > 0.1 {
		t.Errorf("cost of %.1f whole evaluations, best %.3f; want at most 27, and one of the best tenth", cost, best)
	}
}
