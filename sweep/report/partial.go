package report

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"syncretic/checkpoint/chart"
	"syncretic/sweep/search"
)

// A partial is what a partial chart is made of: one score against one parameter, whatever the others were.
type partial struct {
	title, xLabel, yLabel string
	decimals, colour      int
	log                   bool
	x, y                  []float64
	faint                 []bool
	chosen                int // index, -1 for none
}

// mostPlaces is the number of different values of a parameter up to which each has a median of its own.
const mostPlaces = 12

// scatter is the chart; ok is false where no trial has both figures.
func (p partial) scatter() (s Scatter, ok bool) {
	s = Scatter{Title: p.title, XLabel: p.xLabel, YLabel: p.yLabel, Decimals: p.decimals, XDigits: 3, Log: p.log, Small: true}
	kept, broken := chart.Dots{Name: "a trial", Colour: p.colour}, chart.Dots{Name: "not admissible", Tone: chart.Faint}
	for i, x := range p.x {
		if math.IsNaN(x+p.y[i]) || math.IsInf(x+p.y[i], 0) {
			continue
		}
		set := &kept
		if p.faint[i] {
			set = &broken
		}
		set.X, set.Y = append(set.X, x), append(set.Y, p.y[i])
		if i == p.chosen {
			s.Points = append(s.Points, chart.Point{Name: "chosen", X: x, Y: p.y[i], Chosen: true})
		}
	}
	if len(kept.X)+len(broken.X) == 0 {
		return s, false
	}
	s.Dots = []chart.Dots{broken, kept}
	if x, y := p.medians(slices.Concat(kept.X, broken.X), slices.Concat(kept.Y, broken.Y)); len(x) > 1 && 2*len(x) <= len(kept.X)+len(broken.X) { // medians of single trials would join the dots
		s.Curves = []chart.Curve{{Name: "median", X: x, Y: y}}
	}
	return s, true
}

// medians are those of y by value of x, or where there are many values by tenths of x's range.
func (p partial) medians(x, y []float64) (at, median []float64) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	sorted := slices.Sorted(slices.Values(x))
	low, high := sorted[0], sorted[len(sorted)-1]
	place := func(v float64) float64 { return v }
	if len(slices.Compact(sorted)) > mostPlaces {
		scaled := func(v float64) float64 {
			if p.log {
				return math.Log(v/low) / math.Log(high/low)
			}
			return (v - low) / (high - low)
		}
		place = func(v float64) float64 { return min(9, math.Floor(10*scaled(v))) }
	}
	for from := 0; from < len(order); {
		to := from
		var xs, ys []float64
		for ; to < len(order) && place(x[order[to]]) == place(x[order[from]]); to++ {
			xs, ys = append(xs, x[order[to]]), append(ys, y[order[to]])
		}
		if to == from { // a place that is no number
			to++
		} else {
			at, median = append(at, middle(xs)), append(median, middle(ys))
		}
		from = to
	}
	return at, median
}

// middle is the median of some numbers; of an even number of them the mean of the two in the middle.
func middle(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
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
