package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"syncretic/checkpoint/chart"
	"syncretic/sweep/search"
)

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
