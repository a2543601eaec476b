package search

import (
	"math"
	"slices"
)

// Halving is asynchronous successive halving (ASHA: Li et al. 2020, "A system for massively parallel hyperparameter tuning",
// arXiv 1810.05934, algorithm 2): a trial is evaluated in parts, each rung Eta times as large as the one before, and goes on
// only where it is among the best 1/Eta of those that have reached the same rung so far. No trial waits for another.
//
// Unlike the paper's, a trial that was stopped is not taken up again when later ones turn out worse: its worker has gone on.
type Halving struct {
	Eta       float64 // > 1; 0 for the paper's 4
	Rungs     int     // rung Rungs-1 is the whole evaluation, after which there is nothing to prune; 0 for any number
	Direction Direction
}

func (h Halving) eta() float64 {
	if h.Eta > 1 {
		return h.Eta
	}
	return 4
}

// Fraction returns which part of the evaluation rung 0, 1, ... takes: Eta^(rung - (Rungs-1)), so 1 at the last.
func (h Halving) Fraction(rung int) float64 {
	return min(1, math.Pow(h.eta(), float64(rung-max(h.Rungs-1, 0))))
}

// Prune reports whether the trial should end after this rung, whose value its Steps hold. It is compared with the trials of
// any state but FAIL that have a value at the rung, itself among them: of n, the best floor(n / Eta) go on, ties included.
// While there are fewer than Eta of them none is pruned, since the best 1/Eta of them is less than one trial. An undefined
// value is pruned at once; a trial without a value at the rung, and the last rung, never. Cost: O(n log n).
func (h Halving) Prune(history []Trial, number, rung int) bool {
	if h.Rungs > 0 && rung >= h.Rungs-1 {
		return false
	}
	own, reported := 0.0, false
	var losses []float64
	for _, t := range history {
		v, ok := t.Steps[rung]
		if !ok || t.State == Fail {
			continue
		}
		l := loss([]float64{v}, 0, h.Direction)
		losses = append(losses, l)
		if t.Number == number {
			own, reported = l, true
			if math.IsNaN(v) {
				return true
			}
		}
	}
	keep := int(float64(len(losses)) / h.eta())
	if !reported || keep == 0 {
		return false
	}
	slices.Sort(losses)
	return own > losses[keep-1]
}
