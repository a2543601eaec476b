package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"syncretic/checkpoint/chart"
	"syncretic/sweep/search"
)

// coordinates is every trial that has a point as a thread through all parameters, to its objective.
func (s Search) coordinates() *Parallel {
	c := &Parallel{Title: "Every trial at once", Judged: s.Objective, Smaller: s.Direction == search.Minimize, Digits: s.Decimals,
		Caption: "A thread is a trial: follow one from parameter to parameter to its outcome. Not compared are trials that were given up or are not admissible. A parameter that a trial does not have stands at none."}
	for _, p := range s.Space {
		c.Axes = append(c.Axes, chart.Axis{Name: p.Name, Low: p.Low, High: p.High, Log: p.Log, Choices: p.Choices})
	}
	var values []float64
	for _, t := range s.Trials {
		if t.State != search.Complete && t.State != search.Pruned {
			continue
		}
		thread := chart.Thread{Title: s.title(t), Value: value(t), Faint: !admissible(t), Chosen: t.Number == s.Winner}
		for _, p := range s.Space {
			v, exists := t.Point[p.Name]
			if !exists {
				v = math.NaN()
			}
			thread.Values = append(thread.Values, v)
		}
		thread.Values = append(thread.Values, thread.Value)
		values = append(values, thread.Value)
		c.Threads = append(c.Threads, thread)
	}
	low, high, ok := chart.Fence(values)
	if !ok {
		return nil
	}
	c.Axes = append(c.Axes, chart.Axis{Name: s.Objective, Low: low, High: high})
	return c
}

// partials are the charts of one score against one parameter.
func (s Search) partials() []Scatter {
	pairs := s.Partials
	if pairs == nil {
		for _, p := range s.Space {
			if !p.Categorical() {
				pairs = append(pairs, Pair{Param: p.Name})
			}
		}
	}
	var out []Scatter
	for _, pair := range pairs {
		param, _ := s.Space.Param(pair.Param) // checked
		p := partial{title: pair.Score, xLabel: pair.Param, yLabel: s.Measure, decimals: s.Decimals, log: param.Log, chosen: -1}
		if pair.Score == "" {
			p.title, p.yLabel = "Objective", s.Objective
		}
		if kind, own := strings.CutSuffix(pair.Param, "."+pair.Score); own {
			p.title += " against its " + kind
		} else {
			p.title += " against " + pair.Param
		}
		for k, m := range s.Scores {
			if m.Name == pair.Score {
				p.colour = k
			}
		}
		for i, t := range s.Trials {
			x, exists := t.Point[pair.Param]
			if t.State != search.Complete || !exists {
				x = math.NaN()
			}
			y := value(t)
			if pair.Score != "" {
				y = s.Scores[p.colour].Values[i]
			}
			if t.Number == s.Winner {
				p.chosen = i
			}
			p.x, p.y, p.faint = append(p.x, x), append(p.y, y), append(p.faint, !t.Feasible())
		}
		if chart, ok := p.scatter(); ok {
			out = append(out, chart)
		}
	}
	return out
}

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

// mostRows is how many trials the table of a search lists.
const mostRows = 1000

// table lists the trials, the best first, then those that are not admissible, then the rest by number.
func (s Search) table() Table {
	t := Table{Title: "Every trial", Chosen: -1, NumericFrom: 2, Header: []string{"trial", "state", s.Objective}}
	for _, p := range s.Space {
		t.Header = append(t.Header, p.Name)
	}
	for _, m := range s.Scores {
		t.Header = append(t.Header, m.Name)
	}
	order := make([]int, len(s.Trials))
	for i := range order {
		order[i] = i
	}
	group := func(x search.Trial) int {
		switch {
		case admissible(x):
			return 0
		case !math.IsNaN(value(x)):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := s.Trials[a], s.Trials[b]
		switch {
		case group(x) != group(y):
			return group(x) - group(y)
		case s.better(value(x), value(y)):
			return -1
		case s.better(value(y), value(x)):
			return 1
		}
		return cmp.Compare(x.Number, y.Number)
	})
	t.Caption = fmt.Sprintf("%d trials, the best first.", len(order))
	if len(order) > mostRows {
		t.Caption = fmt.Sprintf("The first %d of %d trials, the best first.", mostRows, len(order))
		order = order[:mostRows]
	}
	for _, i := range order {
		trial := s.Trials[i]
		row := []string{strconv.Itoa(trial.Number), s.state(trial), chart.Figure(value(trial), s.Decimals)}
		for _, p := range s.Space {
			row = append(row, word(p, trial.Point))
		}
		for _, m := range s.Scores {
			row = append(row, chart.Figure(m.Values[i], s.Decimals))
		}
		if trial.Number == s.Winner {
			t.Chosen = len(t.Rows)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// word writes the value of a parameter, a dash where the point has none.
func word(p search.Param, point search.Point) string {
	v, exists := point[p.Name]
	switch {
	case !exists:
		return chart.Dash
	case !p.Categorical():
		return chart.Short(v)
	case v >= 0 && v < float64(len(p.Choices)):
		return p.Choices[int(v)]
	}
	return chart.Dash
}
