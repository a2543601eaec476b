package report

import (
	"fmt"
	"math"
	"slices"

	"syncretic/checkpoint/chart"
	"syncretic/sweep"
	"syncretic/sweep/search"
)

// searchOf is a study's search as numbers.
func searchOf(setup sweep.Setup, trials []sweep.Trial, refs sweep.References, selected *sweep.Selection) Search {
	rule := setup.Rule
	_, label, _, decimals := words(rule.Metric)
	s := Search{Space: setup.Space.Params(), Trials: sweep.SearchTrials(setup, trials, refs), Objective: "mean non-Western " + label, Direction: search.Maximize,
		Winner: -1, Measure: label, Decimals: decimals}
	if rule.Experts != nil {
		s.Objective += " over the experts'"
		s.Decimals = max(4, decimals) // ratios near 1, which differ little
	}
	if rule.Metric == sweep.MaskedLoss {
		s.Direction = search.Minimize
	}
	if selected != nil {
		s.Winner = selected.Trial
	}
	western := slices.Repeat([]float64{math.NaN()}, len(trials))
	gain := slices.Clone(western)
	for _, culture := range []bool{true, false} {
		for name := range refs.Base.Of(rule.Metric, !culture) {
			m := Series{Name: name, Values: slices.Repeat([]float64{math.NaN()}, len(trials))}
			for i, t := range trials {
				if v, ok := whole(t, rule.Metric, !culture)[name]; ok {
					m.Values[i] = v
				}
			}
			s.Scores = append(s.Scores, m)
		}
	}
	slices.SortFunc(s.Scores, func(a, b Series) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	for i, t := range trials {
		if t.Scores != nil && t.Part == 1 {
			western[i], gain[i] = t.Scores.Mean(rule.Metric, true), rule.Value(*t.Scores, refs)
		}
	}
	s.Partials = pairs(setup, refs)
	if len(refs.Base.Of(rule.Metric, true)) == 0 {
		return s
	}
	s.Trade = &Trade{XLabel: "mean Western " + label, YLabel: s.Objective, X: western, Y: gain, Threshold: rule.Threshold(refs), Smaller: rule.Metric == sweep.MaskedLoss}
	model := func(name string, scores sweep.Scores) {
		s.Trade.Models = append(s.Trade.Models, chart.Point{Name: name, X: scores.Mean(rule.Metric, true), Y: rule.Value(scores, refs)})
	}
	model("base", refs.Base)
	for _, name := range setup.Space.Vectors {
		if scores, ok := refs.Experts[name]; ok {
			model(fmt.Sprintf("expert %s", name), scores)
		}
	}
	if refs.Multi != nil {
		model("multi-culture", *refs.Multi)
	}
	return s
}

// whole are a trial's scores where it was measured in full.
func whole(t sweep.Trial, metric sweep.Metric, western bool) map[string]float64 {
	if t.Scores == nil || t.Part < 1 {
		return nil
	}
	return t.Scores.Of(metric, western)
}

// pairs are what partial charts show: each culture's score against its own lambda, and the objective against every other number.
func pairs(setup sweep.Setup, refs sweep.References) []Pair {
	own := map[string]string{}
	for name := range refs.Base.Of(setup.Rule.Metric, false) {
		vector := name
		if v, ok := setup.Rule.Experts[name]; ok {
			vector = v
		}
		own["lambda."+vector] = name
	}
	var out []Pair
	for _, p := range setup.Space.Params() {
		if p.Categorical() {
			continue
		}
		pair := Pair{Param: p.Name}
		if setup.Space.Mode == sweep.PerCulture {
			pair.Score = own[p.Name]
		}
		out = append(out, pair)
	}
	return out
}
