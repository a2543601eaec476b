package report

import (
	"math"
	"strings"
	"testing"

	"syncretic/sweep"
	"syncretic/sweep/search"
)

// measured is a complete trial of a per-culture study.
func measured(setup sweep.Setup, number int, lambdas sweep.Lambdas, scores sweep.Scores, refs sweep.References) sweep.Trial {
	choice := sweep.Choice{Method: sweep.DefaultMethod, Mode: setup.Space.Mode, Lambdas: lambdas}
	return sweep.Trial{Number: number, State: search.Complete, Choice: choice, Point: setup.Space.Point(choice), Scores: &scores, Part: 1, Values: []float64{setup.Rule.Value(scores, refs)}}
}

// TestPerCultureTrials draws each culture against its own lambda, the front, and what mattered.
func TestPerCultureTrials(t *testing.T) {
	setup := sweep.Setup{Space: sweep.Space{Mode: sweep.PerCulture, Vectors: []string{"makam", "unheard"}, Values: []float64{0, 1}}, Rule: sweep.Rule{Metric: sweep.AveragePrecision, Rho: 0.9}}
	at := func(l float64) sweep.Scores {
		return sweep.Scores{Tasks: map[string]sweep.Task{"makam": {AveragePrecision: 0.5 + l/2}, "western": {AveragePrecision: 0.5 - l/10, Western: true}}}
	}
	refs := sweep.References{Base: at(0), Experts: map[string]sweep.Scores{"makam": at(1)}}
	var trials []sweep.Trial
	for i := range 12 {
		l := float64(i) / 12
		trials = append(trials, measured(setup, i, sweep.Lambdas{"makam": l, "unheard": float64(i%5) / 5}, at(l), refs))
	}
	trials = append(trials, sweep.Trial{Number: 12, State: search.Waiting, Point: search.Point{"lambda.makam": 1, "lambda.unheard": 1}})
	selected, err := setup.Rule.Select(trials, refs)
	if err != nil {
		t.Fatal(err)
	}
	var doc Document
	if err := doc.FromTrials(setup, trials, refs, &selected, nil); err != nil {
		t.Fatal(err)
	}
	if len(doc.Charts) != 0 || doc.Pareto == nil || doc.Importance == nil || doc.Coordinates == nil || doc.History == nil {
		t.Errorf("%d lambda curves of a sweep with two axes; front %t, importance %t, coordinates %t, history %t", len(doc.Charts), doc.Pareto != nil,
			doc.Importance != nil, doc.Coordinates != nil, doc.History != nil)
	}
	if len(doc.Partials) != 2 || !strings.Contains(doc.Partials[0].Title, "makam") || doc.Partials[0].Points[0].X != selected.Choice.Lambdas["makam"] {
		t.Errorf("%+v", doc.Partials)
	}
	if doc.History.Decimals != 3 {
		t.Errorf("%d decimals of a mean, want 3", doc.History.Decimals)
	}
	setup.Rule.Experts = map[string]string{"makam": "makam"}
	var normalised Document
	if err := normalised.FromTrials(setup, trials, refs, nil, nil); err != nil || normalised.History.Decimals != 4 {
		t.Errorf("ratios to the experts': %v with %d decimals, want 4", err, normalised.History.Decimals)
	}
	page := render(t, doc)
	parse(t, page)
	for _, want := range []string{"The search</h2>", "expert makam", "base"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q on the page", want)
		}
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
