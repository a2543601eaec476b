package report

import (
	"fmt"
	"math"
	"slices"

	"syncretic/checkpoint/chart"
	"syncretic/sweep/importance"
	"syncretic/sweep/search"
)

// Search is a study as numbers: what was searched, what was found, and what it was judged by.
type Search struct {
	Space     search.Space
	Trials    []search.Trial // in any state; those without a point are counted only
	Objective string         // what Values[0] of a trial is
	Direction search.Direction
	Winner    int      // number of the chosen trial, -1 for none
	Scores    []Series // by dataset
	Measure   string   // what Scores are, as "ROC-AUC"
	Partials  []Pair   // the partial charts; nil for one of the objective a parameter that is a number
	Trade     *Trade   // nil for none
	Decimals  int      // of the objective; 0 means 3
}

// Series is one score of every trial: Values[i] belongs to Trials[i] of the search, NaN where it is not known.
type Series struct {
	Name   string
	Values []float64
}

// Pair names the two axes of a partial chart: a parameter, and one of the Scores, or "" for the objective.
type Pair struct{ Param, Score string }

// Trade is what the search gains against what it costs: X[i] and Y[i] are of Trials[i], NaN where they are not known. More of
// both is better, or less where Smaller is set.
type Trade struct {
	XLabel, YLabel string // as "mean Western ROC-AUC", "mean non-Western ROC-AUC"
	X, Y           []float64
	Threshold      float64       // what X must keep, NaN for nothing
	Models         []chart.Point // models beside the trials, as base and experts
	Smaller        bool
}

// FromSearch fills History, Importance, Coordinates, Partials, Pareto, and Trials, from a study's trials. Charts of which
// there is nothing to show are nil. An error wraps [search.ErrSpace], or says which list is not as long as Trials.
func (d *Document) FromSearch(s Search) error {
	if err := s.check(); err != nil {
		return err
	}
	if s.Decimals == 0 {
		s.Decimals = 3
	}
	d.History = s.history()
	d.Importance = s.importance()
	d.Coordinates = s.coordinates()
	d.Partials = s.partials()
	d.Pareto = s.pareto()
	d.Trials = s.table()
	return nil
}

func (s Search) check() error {
	if err := s.Space.Check(); err != nil {
		return err
	}
	aligned := func(what string, n int) error {
		if n != len(s.Trials) {
			return fmt.Errorf("search: %s has %d values, want one of each of %d trials", what, n, len(s.Trials))
		}
		return nil
	}
	for _, m := range s.Scores {
		if err := aligned(fmt.Sprintf("score %q", m.Name), len(m.Values)); err != nil {
			return err
		}
	}
	for _, p := range s.Partials {
		if param, ok := s.Space.Param(p.Param); !ok || param.Categorical() {
			return fmt.Errorf("search: no parameter %q that is a number", p.Param)
		}
		if p.Score != "" && !slices.ContainsFunc(s.Scores, func(m Series) bool { return m.Name == p.Score }) {
			return fmt.Errorf("search: no score %q", p.Score)
		}
	}
	if s.Trade != nil {
		if err := aligned(s.Trade.XLabel, len(s.Trade.X)); err != nil {
			return err
		}
		return aligned(s.Trade.YLabel, len(s.Trade.Y))
	}
	return nil
}

// value is a trial's objective, NaN unless it is complete.
func value(t search.Trial) float64 {
	if t.State != search.Complete || len(t.Values) == 0 || math.IsInf(t.Values[0], 0) {
		return math.NaN()
	}
	return t.Values[0]
}

// admissible reports whether a trial may win.
func admissible(t search.Trial) bool { return !math.IsNaN(value(t)) && t.Feasible() }

// better reports whether a is better than b, which may be NaN.
func (s Search) better(a, b float64) bool {
	if s.Direction == search.Minimize {
		a, b = -a, -b
	}
	return a > b || math.IsNaN(b) && !math.IsNaN(a)
}

// title is what a trial says while the reader points at it.
func (s Search) title(t search.Trial) string {
	return fmt.Sprintf("trial %d: %s", t.Number, s.outcome(t))
}

// outcome is a trial's objective, and its state in words where that is not simply done.
func (s Search) outcome(t search.Trial) string {
	switch {
	case t.State == search.Complete && t.Feasible():
		return chart.Figure(value(t), s.Decimals)
	case t.State == search.Complete:
		return chart.Figure(value(t), s.Decimals) + ", not admissible"
	}
	return s.state(t)
}

func (s Search) state(t search.Trial) string {
	switch t.State {
	case search.Complete:
		if t.Feasible() {
			return "done"
		}
		return "not admissible"
	case search.Pruned:
		if n := len(t.Steps); n > 0 {
			return fmt.Sprintf("given up after %d of its parts", n)
		}
		return "given up"
	case search.Fail:
		return "failed"
	case search.Running:
		return "running"
	}
	return "waiting"
}

// importance is how much each parameter mattered for the objective.
func (s Search) importance() *Importance {
	shares := importance.PEDANOVA(s.Space, s.Trials, importance.Options{Direction: s.Direction})
	if shares == nil {
		return nil
	}
	out := &Importance{Title: "Which parameters mattered",
		Caption: fmt.Sprintf("For being among the best tenth by %s, admissible or not (PED-ANOVA). What exists under a condition is judged among the trials where it exists. All sum to 100 %%.", s.Objective)}
	for _, share := range shares {
		out.Shares = append(out.Shares, Share(share))
	}
	return out
}
