package report

import (
	"math"
	"strings"
	"testing"

	"syncretic/sweep"
)

func TestPerCultureTrialsAreListedBestFirst(t *testing.T) {
	setup := sweep.Setup{Space: sweep.Space{Mode: sweep.PerCulture, Vectors: []string{"a", "b"}}, Rule: sweep.Rule{Metric: sweep.ROCAUC}}
	var trials []sweep.Trial
	for i := range 60 {
		s := sweep.Scores{Tasks: map[string]sweep.Task{"a": {ROCAUC: float64(i%50) / 100}}}
		if i == 7 {
			s.Tasks["a"] = sweep.Task{ROCAUC: math.NaN()}
		}
		trials = append(trials, sweep.Trial{Number: i, State: "COMPLETE", Lambdas: sweep.Lambdas{"a": float64(i), "b": 0}, Scores: &s})
	}
	trials = append(trials, sweep.Trial{Number: 60, State: "WAITING"})
	var doc Document
	doc.FromTrials(setup, trials, &sweep.Selection{Trial: 49, Metric: sweep.ROCAUC, Threshold: math.NaN()}, nil)
	if len(doc.Charts) != 0 {
		t.Errorf("%d charts of a sweep with two axes", len(doc.Charts))
	}
	if got := doc.Trials; len(got.Rows) != bestTrials || got.Chosen != 0 || got.Rows[0][0] != "a=49 b=0" || got.Rows[0][2] != "0.490" || !strings.Contains(got.Caption, "50 of 60") {
		t.Errorf("table %q, chosen %d: %q", got.Caption, got.Chosen, got.Rows[0])
	}
	render(t, doc)
}
