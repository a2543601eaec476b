package summary

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"syncretic/checkpoint/chart"
)

// mostBases is how many corpora have the base's level drawn beside their curves.
const mostBases = 3

// corpora are the names in heldout.jsonl, in their order.
func (s *Summary) corpora() (names []string) {
	for _, m := range s.heldout {
		if !slices.Contains(names, m.Corpus) {
			names = append(names, m.Corpus)
		}
	}
	return names
}

// base is the measurement of a corpus before the first step.
func (s *Summary) base(corpus string) (measurement, bool) {
	for _, m := range s.heldout {
		if m.Corpus == corpus {
			return m, m.Step == 0 && m.Reason == ""
		}
	}
	return measurement{}, false
}

func (s *Summary) last(corpus string) (last measurement) {
	for _, m := range s.heldout {
		if m.Corpus == corpus {
			last = m
		}
	}
	return last
}

// heldoutSection are the curves of heldout.jsonl and what they came to.
func (s *Summary) heldoutSection() (section, error) {
	sec := section{ID: "heldout", Title: "Held-out audio"}
	names := s.corpora()
	if len(names) == 0 {
		return sec, nil
	}
	sec.Words = "The model on audio that it does not learn from, always the same crops under the same masks. Below the base: learnt. Above it: forgotten."
	x := s.heldoutSteps()
	places, every := x, ""
	if n := (len(x) + mostPoints - 1) / mostPoints; n > 1 {
		places = nil
		for i := 0; i < len(x); i += n {
			places = append(places, x[i])
		}
		if last := x[len(x)-1]; places[len(places)-1] != last {
			places = append(places, last)
		}
		every = fmt.Sprintf(" One measurement in %d is drawn.", n)
	}
	ce := func(m measurement) float64 { return float64(m.CE) }
	cqt := func(m measurement) float64 { return float64(m.CQT) }
	change := func(m measurement) float64 {
		base, ok := s.base(m.Corpus)
		if !ok {
			return math.NaN()
		}
		return float64(m.CE - base.CE)
	}
	for i, c := range []struct {
		title, label, caption string
		of                    func(measurement) float64
		decimals              int
		levels                bool
	}{
		{"Cross-entropy, change from the base", "nats a frame", "Summed over codebooks.", change, 3, false},
		{"Cross-entropy", "nats a frame", "Summed over codebooks.", ce, 3, true},
		{"Error of the spectrum", "mean squared error", "", cqt, 4, true},
	} {
		chartOf := chart.Chart{Title: c.title, YLabel: c.label, XLabel: "step", X: places, Steps: true, Dense: len(places) > 40, Decimals: c.decimals}
		known := false
		for _, name := range names {
			y, ok := s.curve(name, places, c.of)
			known = known || ok
			chartOf.Lines = append(chartOf.Lines, chart.Line{Name: name, Kind: s.kind(name), Y: y})
			if base, ok := s.base(name); c.levels && ok && len(names) <= mostBases {
				chartOf.References = append(chartOf.References, chart.Reference{Y: c.of(base), Label: "base, " + name})
			}
		}
		if !known {
			continue
		}
		if !c.levels {
			chartOf.References = []chart.Reference{{Y: 0, Label: "base"}}
		}
		if len(s.steps) > 0 {
			chartOf.Marks = s.marks([]float64{x[0], x[len(x)-1]})
		}
		chartOf.Caption = c.caption + every
		plot, err := chart.NewPlot(fmt.Sprintf("heldout-%d", i+1), chartOf)
		if err != nil {
			return sec, err
		}
		sec.Plots = append(sec.Plots, plot)
	}
	sec.Tables = append(sec.Tables, s.outcome(names))
	return sec, nil
}

// heldoutSteps are the steps at which any corpus was measured.
func (s *Summary) heldoutSteps() (steps []float64) {
	for _, m := range s.heldout {
		steps = append(steps, float64(m.Step))
	}
	slices.Sort(steps)
	return slices.Compact(steps)
}

// curve is a corpus's figure at the given steps, NaN where it was not measured; ok where any is known.
func (s *Summary) curve(corpus string, steps []float64, of func(measurement) float64) (y []float64, ok bool) {
	at := map[int]float64{}
	for _, m := range s.heldout {
		if m.Corpus == corpus {
			at[m.Step] = of(m)
		}
	}
	for _, step := range steps {
		v, there := at[int(step)]
		if !there {
			v = math.NaN()
		}
		ok = ok || !math.IsNaN(v)
		y = append(y, v)
	}
	return y, ok
}

// kind draws replayed corpora, and what is called Western, as what is not to be forgotten.
func (s *Summary) kind(corpus string) chart.Kind {
	for _, c := range s.made.Config.Corpora {
		if c.Name == corpus && c.Replay {
			return chart.Western
		}
	}
	if strings.EqualFold(corpus, "western") {
		return chart.Western
	}
	return chart.Culture
}

// outcome compares the last measurement of each corpus with the base's.
func (s *Summary) outcome(names []string) chart.Grid {
	g := chart.Grid{ID: "outcome", Title: "Base and last measurement", Class: "figures",
		Header: []string{"Corpus", "clips", "at step", "cross-entropy", "of the base", "change", "spectrum", "of the base", "accuracy", "of the base"}}
	for _, name := range names {
		last := s.last(name)
		base, ok := s.base(name)
		ofBase := func(v float64, decimals int) chart.Cell {
			if !ok {
				v = math.NaN()
			}
			return chart.Cell{Text: chart.Figure(v, decimals)}
		}
		g.Rows = append(g.Rows, chart.Row{Name: name, Note: last.Reason, Cells: []chart.Cell{
			{Text: fmt.Sprint(last.Clips)}, {Text: fmt.Sprint(last.Step)},
			{Text: chart.Figure(float64(last.CE), 3)}, ofBase(float64(base.CE), 3), changed(float64(last.CE-base.CE), ok),
			{Text: chart.Figure(float64(last.CQT), 4)}, ofBase(float64(base.CQT), 4),
			{Text: percent(meanOf(last.Accuracy))}, {Text: percent(meanOf(base.Accuracy))},
		}})
	}
	return g
}

// changed is a cell of a loss's change: lower is better.
func changed(v float64, known bool) chart.Cell {
	if !known {
		return chart.Cell{Text: chart.Dash}
	}
	cell := chart.Cell{Text: chart.Signed(v, 3)}
	switch {
	case math.IsNaN(v):
	case v < 0:
		cell.Class, cell.Small = "up", "better"
	case v > 0:
		cell.Class, cell.Small = "down", "worse"
	}
	return cell
}

func percent(share float64) string {
	if math.IsNaN(share) {
		return chart.Dash
	}
	return chart.Figure(100*share, 1) + " %"
}
