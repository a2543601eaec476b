package report

import (
	"cmp"
	"math"
	"slices"

	"syncretic/checkpoint/chart"
	"syncretic/sweep/search"
)

// history is every trial's objective by its number, and the best so far.
func (s Search) history() *Scatter {
	h := &Scatter{Title: "How the search went", XLabel: "trial", YLabel: s.Objective, Decimals: s.Decimals,
		Caption: "Every trial in the order in which they were begun. Ticks at the foot are trials that were given up or failed."}
	kept, broken := chart.Dots{Name: "a trial"}, chart.Dots{Name: "a trial that is not admissible", Tone: chart.Faint}
	front := chart.Curve{Name: "best so far", Shape: chart.StepAfter}
	trials := slices.Clone(s.Trials)
	slices.SortStableFunc(trials, func(a, b search.Trial) int { return cmp.Compare(a.Number, b.Number) })
	best := math.NaN()
	for _, t := range trials {
		x, y := float64(t.Number), value(t)
		if t.State == search.Pruned || t.State == search.Fail {
			h.Rug = append(h.Rug, x)
		}
		if math.IsNaN(y) {
			continue
		}
		set := &kept
		if !admissible(t) {
			set = &broken
		} else if s.better(y, best) {
			best = y
			front.X, front.Y = append(front.X, x), append(front.Y, y)
		}
		set.X, set.Y, set.Titles = append(set.X, x), append(set.Y, y), append(set.Titles, s.title(t))
		if t.Number == s.Winner {
			h.Points = append(h.Points, chart.Point{Name: "chosen", X: x, Y: y, Chosen: true})
		}
	}
	if len(kept.X)+len(broken.X) == 0 {
		return nil
	}
	if n := len(front.X); n > 0 {
		if last := float64(trials[len(trials)-1].Number); front.X[n-1] < last {
			front.X, front.Y = append(front.X, last), append(front.Y, best)
		}
		h.Curves = []chart.Curve{front}
	}
	h.Dots = []chart.Dots{broken, kept}
	return h
}
