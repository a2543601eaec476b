package sweep

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"

	"syncretic/checkpoint/parquet"
	"syncretic/sweep/search"
)

// Table is a row for every trial, for notebooks: columns as Parquet has them, NaN where a trial has nothing.
//
//	number, state, method, lambda or lambda.NAME, METHOD.PARAMETER, value, western, violation, part, seconds, worker, started, finished, retries,
//	DATASET.roc_auc, DATASET.average_precision, DATASET.f1, DATASET.masked_loss
//
// Value is what the rule maximises, western the mean of its metric over Western datasets, violation by how much that misses the
// threshold; they are of the part of the data that the trial was measured on.
func Table(setup Setup, trials []Trial, refs References) []parquet.Column {
	text := func(name string, of func(Trial) string) parquet.Column {
		values := make([]string, len(trials))
		for i, t := range trials {
			values[i] = of(t)
		}
		return parquet.Column{Name: name, Values: values}
	}
	whole := func(name string, of func(Trial) int) parquet.Column {
		values := make([]int64, len(trials))
		for i, t := range trials {
			values[i] = int64(of(t))
		}
		return parquet.Column{Name: name, Values: values}
	}
	number := func(name string, of func(Trial) float64) parquet.Column {
		values := make([]float64, len(trials))
		for i, t := range trials {
			values[i] = of(t)
		}
		return parquet.Column{Name: name, Values: values}
	}
	scored := func(of func(Scores) float64) func(Trial) float64 {
		return func(t Trial) float64 {
			if t.Scores == nil {
				return math.NaN()
			}
			return of(*t.Scores)
		}
	}
	columns := []parquet.Column{whole("number", func(t Trial) int { return t.Number }), text("state", func(t Trial) string { return string(t.State) }),
		text("method", func(t Trial) string { return t.Choice.Method })}
	for _, p := range setup.Space.Params() {
		if p.Name == methodParam {
			continue
		}
		columns = append(columns, number(p.Name, func(t Trial) float64 {
			if v, ok := t.Point[p.Name]; ok {
				return v
			}
			return math.NaN()
		}))
	}
	columns = append(columns,
		number("value", scored(func(s Scores) float64 { return setup.Rule.Value(s, refs) })),
		number("western", scored(func(s Scores) float64 { return s.Mean(setup.Rule.Metric, true) })),
		number("violation", scored(func(s Scores) float64 { return setup.Rule.Violation(s, refs) })),
		number("part", func(t Trial) float64 { return t.Part }),
		number("seconds", func(t Trial) float64 { return t.Seconds["total"] }),
		text("worker", func(t Trial) string { return t.Worker }),
		text("started", func(t Trial) string { return stamp(t, false) }), text("finished", func(t Trial) string { return stamp(t, true) }),
		whole("retries", func(t Trial) int { return t.Retries }))
	for _, name := range sortedKeys(refs.Base.Tasks) {
		for _, m := range []Metric{ROCAUC, AveragePrecision, F1} {
			columns = append(columns, number(name+"."+string(m), scored(func(s Scores) float64 {
				if task, ok := s.Tasks[name]; ok {
					return task.Metric(m)
				}
				return math.NaN()
			})))
		}
	}
	for _, name := range sortedKeys(refs.Base.Losses) {
		columns = append(columns, number(name+"."+string(MaskedLoss), scored(func(s Scores) float64 {
			if l, ok := s.Losses[name]; ok {
				return l.Value
			}
			return math.NaN()
		})))
	}
	return columns
}

// stamp is a trial's start or end as RFC 3339 in UTC, "" before it.
func stamp(t Trial, end bool) string {
	at := t.Started
	if end {
		at = t.Finished
	}
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}

// WriteCSV writes columns as CSV with a header; what is NaN is empty.
func WriteCSV(w io.Writer, columns []parquet.Column) error {
	c := csv.NewWriter(w)
	header := make([]string, len(columns))
	for i, column := range columns {
		header[i] = column.Name
	}
	if err := c.Write(header); err != nil {
		return err
	}
	for row := range rows(columns) {
		if err := c.Write(cells(columns, row)); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

func rows(columns []parquet.Column) int {
	if len(columns) == 0 {
		return 0
	}
	return len(columns[0].Values.([]int64)) // number
}

func cells(columns []parquet.Column, row int) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		switch values := c.Values.(type) {
		case []string:
			out[i] = values[row]
		case []int64:
			out[i] = strconv.FormatInt(values[row], 10)
		case []float64:
			if !math.IsNaN(values[row]) {
				out[i] = strconv.FormatFloat(values[row], 'g', -1, 64)
			}
		}
	}
	return out
}

// WriteJSONLines writes every trial with all that is known of it, an object a line.
func WriteJSONLines(w io.Writer, trials []Trial) error {
	e := json.NewEncoder(w)
	for _, t := range slices.SortedFunc(slices.Values(trials), func(a, b Trial) int { return a.Number - b.Number }) {
		if err := e.Encode(t); err != nil {
			return err
		}
	}
	return nil
}

// SearchTrials are the trials as samplers see them, for what measures a search rather than models.
func SearchTrials(setup Setup, trials []Trial, refs References) []search.Trial {
	out := make([]search.Trial, len(trials))
	for i, t := range trials {
		out[i] = search.Trial{Number: t.Number, State: t.State, Point: t.Point, Values: t.Values}
		if t.Scores != nil && setup.Rule.Constrains(refs) {
			out[i].Constraints = []float64{setup.Rule.Violation(*t.Scores, refs)}
		}
	}
	return out
}
