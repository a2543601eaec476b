package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"syncretic/arithmetic"
	"syncretic/checkpoint/chart"
	"syncretic/sweep"
)

// FromTrials fills what a study's trials decide: lambda curves where one lambda is shared, one for each metric that the trials hold; and
// what FromSearch draws of the search. With a single parameter the curves say it all but the front, and the table is in the order of lambda. Selected is the choice of the study's rule, byLoss the label-free one, nil where there is none.
func (d *Document) FromTrials(setup sweep.Setup, trials []sweep.Trial, refs sweep.References, selected, byLoss *sweep.Selection) error {
	whole := slices.DeleteFunc(slices.Clone(trials), func(t sweep.Trial) bool { return t.Scores == nil || t.Part < 1 })
	single := len(setup.Space.Params()) == 1
	if setup.Space.Mode == sweep.Shared && single {
		for _, metric := range []sweep.Metric{sweep.ROCAUC, sweep.AveragePrecision, sweep.F1, sweep.MaskedLoss} {
			if c, ok := lambdaChart(metric, setup.Space, whole, refs, selected, byLoss); ok {
				d.Charts = append(d.Charts, c)
			}
		}
	}
	if err := d.FromSearch(searchOf(setup, trials, refs, selected)); err != nil {
		return err
	}
	if single {
		d.History, d.Importance, d.Coordinates, d.Partials = nil, nil, nil, nil
		d.Trials = trialTable(setup, whole, selected)
	}
	return nil
}

// FromInterference fills Interference; baseNorm is the norm of the base, 0 when unknown.
func (d *Document) FromInterference(r arithmetic.Report, baseNorm float64) {
	in := &Interference{Names: r.Names, Norms: r.Norms, BaseNorm: baseNorm, Cosine: r.Cosine, SignConflict: r.SignConflict, Trimmed: r.Trimmed}
	for _, l := range r.Layers {
		in.Groups = append(in.Groups, relationGroup(l.Name, l.Relation, l.Spectrum))
	}
	for _, t := range r.Tensors {
		in.Tensors = append(in.Tensors, relationGroup(t.Name, t.Relation, t.Spectrum))
	}
	d.Interference = in
}

func relationGroup(name string, r arithmetic.Relation, s *arithmetic.Spectrum) Group {
	g := Group{Name: name, Norms: r.Norms, Cosine: r.Cosine, SignConflict: r.SignConflict, Trimmed: r.Trimmed}
	if s != nil {
		g.Overlap, g.Chance = s.Overlap, s.Chance
		for _, rank := range s.EffectiveRank {
			g.Directions = append(g.Directions, rank/s.Rank)
		}
	}
	return g
}

// lambdaChart is one metric against the shared lambda; ok is false when no trial holds the metric.
func lambdaChart(metric sweep.Metric, space sweep.Space, trials []sweep.Trial, refs sweep.References, selected, byLoss *sweep.Selection) (c Chart, ok bool) {
	trials = slices.Clone(trials)
	lambda := func(l sweep.Lambdas) float64 { return l[space.Vectors[0]] }
	slices.SortStableFunc(trials, func(a, b sweep.Trial) int {
		switch x, y := lambda(a.Choice.Lambdas), lambda(b.Choice.Lambdas); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return a.Number - b.Number
	})
	for _, t := range trials {
		c.X = append(c.X, lambda(t.Choice.Lambdas))
	}
	measured := slices.DeleteFunc(measure(metric, trials), series.empty)
	if len(measured) == 0 {
		return Chart{}, false
	}
	c.Title, c.YLabel, c.Caption, c.Decimals = words(metric)
	c.XLabel = "λ"
	banded := false
	for i, m := range measured {
		if m.western && i > 1 && !measured[i-1].western {
			c.Lines = append(c.Lines, meanLine(metric, trials))
		}
		c.Lines = append(c.Lines, m.line())
		banded = banded || m.banded()
	}
	if !measured[len(measured)-1].western && len(measured) > 1 {
		c.Lines = append(c.Lines, meanLine(metric, trials))
	}
	if banded {
		c.Caption += " Bands are 95 % intervals of each score by itself: curves whose bands overlap may still differ."
	}
	c.Marks = marks(space, selected, byLoss)
	c.References = references(metric, refs, selected)
	return c, true
}

func words(metric sweep.Metric) (title, label, caption string, decimals int) {
	switch metric {
	case sweep.ROCAUC:
		return "Validation ROC-AUC against λ", "ROC-AUC (macro)", "Probe on frozen features, validation split. λ is chosen here; the test split is scored once, afterwards.", 3
	case sweep.AveragePrecision:
		return "Validation average precision against λ", "average precision (macro)", "The same probes by average precision.", 3
	case sweep.F1:
		return "Validation F1 against λ", "F1 (macro)", "The same probes by F1, at the threshold that the validation items decided.", 3
	}
	return "Label-free masked loss against λ", "masked loss", "Held-out masked-prediction loss of the merged encoder itself: needs no labels, smaller is better.", 2
}

// marks are the chosen coefficients; one line when both ways of choosing agree.
func marks(space sweep.Space, selected, byLoss *sweep.Selection) []Mark {
	var out []Mark
	if selected != nil {
		v := selected.Choice.Lambdas[space.Vectors[0]]
		out = append(out, Mark{X: v, Label: "chosen λ " + strconv.FormatFloat(v, 'g', -1, 64)})
	}
	if byLoss == nil {
		return out
	}
	v := byLoss.Choice.Lambdas[space.Vectors[0]]
	if len(out) == 1 && out[0].X == v {
		out[0].Label += ", also by loss"
		return out
	}
	return append(out, Mark{X: v, Label: "by loss λ " + strconv.FormatFloat(v, 'g', -1, 64)})
}

// references are the base's mean, and for the metric of the rule what Western has to keep.
func references(metric sweep.Metric, refs sweep.References, selected *sweep.Selection) []Reference {
	var out []Reference
	if v := refs.Base.Mean(metric, false); !math.IsNaN(v) {
		out = append(out, Reference{Y: v, Label: "base, mean non-Western"})
	}
	if selected != nil && selected.Metric == metric && !math.IsNaN(selected.Threshold) {
		out = append(out, Reference{Y: selected.Threshold, Label: "Western must keep"})
	}
	return out
}

// trialTable lists the trials by lambda.
func trialTable(setup sweep.Setup, trials []sweep.Trial, selected *sweep.Selection) Table {
	t := Table{
		Title: "Every trial", Chosen: -1, NumericFrom: 2,
		Header: []string{"λ", "state", "ROC-AUC mean non-Western", "ROC-AUC Western", "AP mean non-Western", "AP Western",
			"loss mean non-Western", "loss Western", "s"},
		Caption: fmt.Sprintf("Validation means of %d scored points.", len(trials)),
	}
	trials = slices.Clone(trials)
	slices.SortStableFunc(trials, func(a, b sweep.Trial) int {
		return compare(a.Choice.Lambdas[setup.Space.Vectors[0]], b.Choice.Lambdas[setup.Space.Vectors[0]])
	})
	for i, trial := range trials {
		row := []string{trial.Choice.Lambdas.String(), string(trial.State)}
		for _, m := range []sweep.Metric{sweep.ROCAUC, sweep.AveragePrecision, sweep.MaskedLoss} {
			_, _, _, decimals := words(m)
			row = append(row, chart.Figure(trial.Scores.Mean(m, false), decimals), chart.Figure(trial.Scores.Mean(m, true), decimals))
		}
		t.Rows = append(t.Rows, append(row, chart.Figure(trial.Seconds["total"], 1)))
		if selected != nil && trial.Number == selected.Trial {
			t.Chosen = i
		}
	}
	return t
}

// compare orders numbers with NaN before all others.
func compare(a, b float64) int {
	switch {
	case a < b || math.IsNaN(a) && !math.IsNaN(b):
		return -1
	case a > b || math.IsNaN(b) && !math.IsNaN(a):
		return 1
	}
	return 0
}
