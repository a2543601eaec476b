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

// FromTrials fills Charts, Partials and Trials from a study's trials. Charts are drawn for a shared lambda, one for each metric
// that the trials hold; a per-culture sweep has no single axis: for each vector with scores of its name there is a partial chart, of
// these scores by the rule's metric against its own lambda, and the table lists the best first. Selected is the choice of the study's
// rule, byLoss the label-free one, nil where there is none.
func (d *Document) FromTrials(setup sweep.Setup, trials []sweep.Trial, selected, byLoss *sweep.Selection) {
	scored := slices.DeleteFunc(slices.Clone(trials), func(t sweep.Trial) bool { return t.Scores == nil })
	if setup.Space.Mode == sweep.Shared && len(setup.Space.Vectors) > 0 {
		for _, metric := range []sweep.Metric{sweep.ROCAUC, sweep.AveragePrecision, sweep.MaskedLoss} {
			if c, ok := lambdaChart(metric, setup.Space, scored, selected, byLoss); ok {
				d.Charts = append(d.Charts, c)
			}
		}
	}
	if setup.Space.Mode == sweep.PerCulture {
		d.Partials = culturePartials(setup, scored, selected)
	}
	d.Trials = trialTable(setup, scored, selected)
}

// culturePartials are the partial charts of the vectors whose cultures were measured by the metric of the rule.
func culturePartials(setup sweep.Setup, trials []sweep.Trial, selected *sweep.Selection) []Scatter {
	var out []Scatter
	_, label, _, decimals := words(setup.Rule.Metric)
	for i, m := range measure(setup.Rule.Metric, trials) {
		if !slices.Contains(setup.Space.Vectors, m.name) {
			continue
		}
		p := partial{title: m.name + " against its λ", xLabel: "λ of " + m.name, yLabel: label, decimals: decimals, colour: i, y: m.values, chosen: -1}
		for k, t := range trials {
			p.x, p.faint = append(p.x, t.Lambdas[m.name]), append(p.faint, false)
			if selected != nil && t.Number == selected.Trial {
				p.chosen = k
			}
		}
		if s, ok := p.scatter(); ok {
			out = append(out, s)
		}
	}
	return out
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
func lambdaChart(metric sweep.Metric, space sweep.Space, trials []sweep.Trial, selected, byLoss *sweep.Selection) (c Chart, ok bool) {
	trials = slices.Clone(trials)
	lambda := func(l sweep.Lambdas) float64 { return l[space.Vectors[0]] }
	slices.SortStableFunc(trials, func(a, b sweep.Trial) int {
		switch x, y := lambda(a.Lambdas), lambda(b.Lambdas); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return a.Number - b.Number
	})
	for _, t := range trials {
		c.X = append(c.X, lambda(t.Lambdas))
	}
	measured := measure(metric, trials)
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
	c.References = references(metric, trials, selected)
	return c, true
}

func words(metric sweep.Metric) (title, label, caption string, decimals int) {
	switch metric {
	case sweep.ROCAUC:
		return "Validation ROC-AUC against λ", "ROC-AUC (macro)", "Probe on frozen features, validation split. λ is chosen here; the test split is scored once, afterwards.", 3
	case sweep.AveragePrecision:
		return "Validation average precision against λ", "average precision (macro)", "The same probes by average precision.", 3
	}
	return "Label-free masked loss against λ", "masked loss", "Held-out masked-prediction loss of the merged encoder itself: needs no labels, smaller is better.", 2
}

// marks are the chosen coefficients; one line when both ways of choosing agree.
func marks(space sweep.Space, selected, byLoss *sweep.Selection) []Mark {
	var out []Mark
	if selected != nil {
		v := selected.Lambdas[space.Vectors[0]]
		out = append(out, Mark{X: v, Label: "chosen λ " + strconv.FormatFloat(v, 'g', -1, 64)})
	}
	if byLoss == nil {
		return out
	}
	v := byLoss.Lambdas[space.Vectors[0]]
	if len(out) == 1 && out[0].X == v {
		out[0].Label += ", also by loss"
		return out
	}
	return append(out, Mark{X: v, Label: "by loss λ " + strconv.FormatFloat(v, 'g', -1, 64)})
}

// references are the base's mean, and for the metric of the rule what Western has to keep.
func references(metric sweep.Metric, trials []sweep.Trial, selected *sweep.Selection) []Reference {
	var out []Reference
	for _, t := range trials {
		if v := t.Scores.Mean(metric, false); t.Lambdas.IsBase() && !math.IsNaN(v) {
			out = append(out, Reference{Y: v, Label: "base, mean non-Western"})
			break
		}
	}
	if selected != nil && selected.Metric == metric && !math.IsNaN(selected.Threshold) {
		out = append(out, Reference{Y: selected.Threshold, Label: "Western must keep"})
	}
	return out
}

// bestTrials is how many trials of a per-culture sweep the report lists.
const bestTrials = 50

// trialTable lists the trials by lambda, or best first where lambda has several dimensions.
func trialTable(setup sweep.Setup, trials []sweep.Trial, selected *sweep.Selection) Table {
	metric := setup.Rule.Metric
	t := Table{
		Title: "Every trial", Chosen: -1, NumericFrom: 2,
		Header: []string{"λ", "state", "ROC-AUC mean non-Western", "ROC-AUC Western", "AP mean non-Western", "AP Western",
			"loss mean non-Western", "loss Western", "s"},
		Caption: fmt.Sprintf("Validation means of %d scored points.", len(trials)),
	}
	trials = slices.Clone(trials)
	sign := 1.0
	if metric == sweep.MaskedLoss {
		sign = -1
	}
	slices.SortStableFunc(trials, func(a, b sweep.Trial) int {
		if setup.Space.Mode == sweep.Shared {
			return compare(a.Lambdas[setup.Space.Vectors[0]], b.Lambdas[setup.Space.Vectors[0]])
		}
		return -compare(sign*a.Scores.Mean(metric, false), sign*b.Scores.Mean(metric, false))
	})
	if setup.Space.Mode != sweep.Shared && len(trials) > bestTrials {
		t.Caption = fmt.Sprintf("Validation means of the best %d of %d scored points.", bestTrials, len(trials))
		trials = trials[:bestTrials]
	}
	for i, trial := range trials {
		row := []string{trial.Lambdas.String(), string(trial.State)}
		for _, m := range []sweep.Metric{sweep.ROCAUC, sweep.AveragePrecision, sweep.MaskedLoss} {
			_, _, _, decimals := words(m)
			row = append(row, chart.Figure(trial.Scores.Mean(m, false), decimals), chart.Figure(trial.Scores.Mean(m, true), decimals))
		}
		t.Rows = append(t.Rows, append(row, chart.Figure(trial.Duration.Seconds(), 1)))
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
