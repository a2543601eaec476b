package report

import (
	"cmp"
	"math"
	"slices"

	"syncretic/checkpoint/chart"
)

// pareto is the gain against its cost, with the trials that no other is better than in both.
func (s Search) pareto() *Scatter {
	trade := s.Trade
	if trade == nil {
		return nil
	}
	p := &Scatter{Title: "What the gain costs", XLabel: trade.XLabel, YLabel: trade.YLabel, XDigits: s.Decimals, Decimals: s.Decimals,
		Caption: "On validation. The front joins the trials that no other trial beats on both axes."}
	kept, broken, best := chart.Dots{Name: "a trial"}, chart.Dots{Name: "a trial that is not admissible", Tone: chart.Faint}, chart.Dots{Name: "on the front", Tone: chart.Strong}
	front := trade.front()
	curve := chart.Curve{Name: "Pareto front", Shape: chart.StepFirst}
	for _, i := range front {
		best.X, best.Y, best.Titles = append(best.X, trade.X[i]), append(best.Y, trade.Y[i]), append(best.Titles, s.title(s.Trials[i]))
	}
	curve.X, curve.Y = best.X, best.Y
	for i, t := range s.Trials {
		x, y := trade.X[i], trade.Y[i]
		if !finite(x, y) || slices.Contains(front, i) {
			continue
		}
		set := &kept
		if !t.Feasible() {
			set = &broken
		}
		set.X, set.Y, set.Titles = append(set.X, x), append(set.Y, y), append(set.Titles, s.title(t))
	}
	p.Points = slices.DeleteFunc(slices.Clone(trade.Models), func(m chart.Point) bool { return !finite(m.X, m.Y) })
	for i, t := range s.Trials {
		if t.Number == s.Winner && finite(trade.X[i], trade.Y[i]) {
			p.Points = append(p.Points, chart.Point{Name: "chosen", X: trade.X[i], Y: trade.Y[i], Chosen: true})
		}
	}
	if len(kept.X)+len(broken.X)+len(best.X) == 0 {
		return nil
	}
	p.Dots, p.Curves = []chart.Dots{broken, kept, best}, []chart.Curve{curve}
	if finite(trade.Threshold, 0) {
		p.Marks = []Mark{{X: trade.Threshold, Label: "must keep " + chart.Figure(trade.Threshold, s.Decimals)}}
	}
	return p
}

func finite(x, y float64) bool { return !math.IsNaN(x+y) && !math.IsInf(x+y, 0) }

// front is the indices of the trials that no other is better than in both, by x. Of equal ones it has the first.
func (t Trade) front() []int {
	sign := 1.0
	if t.Smaller {
		sign = -1
	}
	var order []int
	for i := range t.X {
		if finite(t.X[i], t.Y[i]) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(sign*t.X[b], sign*t.X[a]), cmp.Compare(sign*t.Y[b], sign*t.Y[a]))
	})
	var out []int
	best := math.Inf(-1)
	for _, i := range order {
		if y := sign * t.Y[i]; y > best {
			out, best = append(out, i), y
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(t.X[a], t.X[b]) })
	return out
}
