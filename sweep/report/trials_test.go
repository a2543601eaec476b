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

func TestPerCultureTrialsHavePartialCharts(t *testing.T) {
	setup := sweep.Setup{Space: sweep.Space{Mode: sweep.PerCulture, Vectors: []string{"makam", "unheard"}}, Rule: sweep.Rule{Metric: sweep.AveragePrecision}}
	var trials []sweep.Trial
	for i := range 4 {
		l := float64(i) / 4
		trials = append(trials, sweep.Trial{Number: i, Lambdas: sweep.Lambdas{"makam": l, "unheard": 1}, Scores: &sweep.Scores{Tasks: map[string]sweep.Task{
			"makam": {AveragePrecision: 0.5 + l}, "western": {AveragePrecision: 0.5, Western: true}}}})
	}
	var doc Document
	doc.FromTrials(setup, trials, &sweep.Selection{Trial: 2}, nil)
	if len(doc.Partials) != 1 || doc.Partials[0].Title != "makam against its λ" || doc.Partials[0].Points[0].X != 0.5 || doc.Partials[0].Points[0].Y != 1 || len(doc.Partials[0].Dots[1].X) != 4 {
		t.Errorf("%+v", doc.Partials)
	}
	page := render(t, doc)
	parse(t, page)
	if !strings.Contains(page, "The search</h2>") || strings.Contains(page, "Choice of λ</h2>") {
		t.Error("partial charts stand in the wrong section")
	}
}

func TestSeriesBecomeLinesWithBands(t *testing.T) {
	nan := math.NaN()
	plain := series{name: "a", values: []float64{1, 2}, low: []float64{nan, nan}, high: []float64{nan, nan}}
	if l := plain.line(); l.Low != nil || l.High != nil || l.Kind != Culture {
		t.Errorf("without intervals %+v", l)
	}
	banded := series{name: "w", western: true, values: []float64{1, 2}, low: []float64{nan, 1.5}, high: []float64{nan, 2.5}}
	if l := banded.line(); len(l.Low) != 2 || l.High[1] != 2.5 || l.Kind != Western {
		t.Errorf("with intervals %+v", l)
	}
}
