package report

import (
	"maps"
	"math"
	"slices"

	"syncretic/sweep"
)

// This file alone knows where a trial keeps its scores.

// A series is one metric of one dataset by trial, NaN where it is not known.
type series struct {
	name              string
	western           bool
	values, low, high []float64
}

// A score is a value and the ends of its 95 % interval, NaN where there is none.
type score struct{ value, low, high float64 }

// scores reads a metric of every dataset of a trial.
func scores(s *sweep.Scores, metric sweep.Metric) (byName map[string]score, western map[string]bool) {
	byName, western = map[string]score{}, map[string]bool{}
	if metric == sweep.MaskedLoss {
		for name, l := range s.Losses {
			byName[name], western[name] = score{l.Value, math.NaN(), math.NaN()}, l.Western
		}
		return byName, western
	}
	for name, t := range s.Tasks {
		v := score{t.Metric(metric), math.NaN(), math.NaN()}
		if b, ok := t.Intervals[metric]; ok {
			v.low, v.high = b.Low, b.High
		}
		byName[name], western[name] = v, t.Western
	}
	return byName, western
}

// measure is every dataset that any trial measured by the metric: by name, Western ones last.
func measure(metric sweep.Metric, trials []sweep.Trial) []series {
	found := map[string]*series{}
	for i, t := range trials {
		byName, western := scores(t.Scores, metric)
		for name, v := range byName {
			m := found[name]
			if m == nil {
				nothing := slices.Repeat([]float64{math.NaN()}, len(trials))
				m = &series{name: name, values: nothing, low: slices.Clone(nothing), high: slices.Clone(nothing)}
				found[name] = m
			}
			m.values[i], m.low[i], m.high[i], m.western = v.value, v.low, v.high, western[name]
		}
	}
	var out []series
	for _, western := range []bool{false, true} {
		for _, name := range slices.Sorted(maps.Keys(found)) {
			if found[name].western == western {
				out = append(out, *found[name])
			}
		}
	}
	return out
}

// empty reports whether no value is known.
func (m series) empty() bool {
	return !slices.ContainsFunc(m.values, func(v float64) bool { return !math.IsNaN(v) })
}

// banded reports whether any interval is known.
func (m series) banded() bool {
	return slices.ContainsFunc(m.low, func(v float64) bool { return !math.IsNaN(v) })
}

// line is the series as one of a chart.
func (m series) line() Line {
	l := Line{Name: m.name, Y: m.values}
	if m.western {
		l.Kind = Western
	}
	if m.banded() {
		l.Low, l.High = m.low, m.high
	}
	return l
}

// meanLine is the mean over the datasets that are not Western.
func meanLine(metric sweep.Metric, trials []sweep.Trial) Line {
	l := Line{Name: "mean non-Western", Kind: Mean}
	for _, t := range trials {
		l.Y = append(l.Y, t.Scores.Mean(metric, false))
	}
	return l
}
