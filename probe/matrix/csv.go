package matrix

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"

	"syncretic/checkpoint/parquet"
	"syncretic/probe"
)

// Record is a line of the long form: one metric of one model on one dataset. NaN stands for what is undefined or does not exist.
type Record struct {
	Model, Dataset, Metric string // Metric: roc_auc, average_precision, micro_f1, macro_f1
	Western, Floor         bool
	IsTheBase              bool
	Mean, SD               float64 // over seeds
	Seeds, Items, Tags     int     // 0: unknown
	Difference, Low, High  float64 // from the base
	P, Adjusted            float64
	WesternRegression      bool
}

// Records are the cells of a table, row by row.
func (t Table) Records() []Record {
	var out []Record
	for _, row := range t.Rows {
		for k, c := range row.Cells {
			d := t.Datasets[k]
			nan, against := math.NaN(), Comparison{}
			if c.Against != nil {
				against = *c.Against
			}
			for _, m := range []struct {
				name string
				of   probe.MeanSD
				diff *Difference
			}{{"roc_auc", c.ROCAUC, against.ROCAUC}, {"average_precision", c.AveragePrecision, against.AveragePrecision},
				{"micro_f1", c.MicroF1, nil}, {"macro_f1", c.MacroF1, nil}} {
				r := Record{Model: row.Model, Dataset: d.Name, Metric: m.name, Western: d.Western, Floor: row.Floor, Mean: figure(m.of.Mean), SD: nan,
					Seeds: len(c.Runs), Items: d.Items, Tags: d.Tags, Difference: nan, Low: nan, High: nan, P: nan, Adjusted: nan, IsTheBase: row.Model == t.Base}
				if len(c.Runs) > 1 {
					r.SD = m.of.SD
				}
				if m.diff != nil {
					r.Difference, r.Low, r.High, r.P, r.Adjusted = m.diff.Difference, m.diff.Low, m.diff.High, m.diff.P, m.diff.Adjusted
					r.WesternRegression = d.Western && m.diff.High < 0
				}
				out = append(out, r)
			}
		}
	}
	return out
}

// column is one of the long form, the same in every file that holds it.
type column struct {
	name string
	of   func(Record) any // string, bool, int64 or float64
}

func recordColumns() []column {
	return []column{
		{"model", func(r Record) any { return r.Model }},
		{"dataset", func(r Record) any { return r.Dataset }},
		{"metric", func(r Record) any { return r.Metric }},
		{"western", func(r Record) any { return r.Western }},
		{"floor", func(r Record) any { return r.Floor }},
		{"base", func(r Record) any { return r.IsTheBase }},
		{"mean", func(r Record) any { return r.Mean }},
		{"sd", func(r Record) any { return r.SD }},
		{"seeds", func(r Record) any { return int64(r.Seeds) }},
		{"test_items", func(r Record) any { return int64(r.Items) }},
		{"tags", func(r Record) any { return int64(r.Tags) }},
		{"difference", func(r Record) any { return r.Difference }},
		{"low", func(r Record) any { return r.Low }},
		{"high", func(r Record) any { return r.High }},
		{"p", func(r Record) any { return r.P }},
		{"p_holm", func(r Record) any { return r.Adjusted }},
		{"western_regression", func(r Record) any { return r.WesternRegression }},
	}
}

// WriteCSV writes the long form with a header; what is undefined is an empty field. Numbers have all their digits.
func WriteCSV(w io.Writer, t Table) error {
	out := csv.NewWriter(w)
	columns := recordColumns()
	line := make([]string, len(columns))
	for i, c := range columns {
		line[i] = c.name
	}
	if err := out.Write(line); err != nil {
		return err
	}
	for _, r := range t.Records() {
		for i, c := range columns {
			switch v := c.of(r).(type) {
			case string:
				line[i] = v
			case bool:
				line[i] = strconv.FormatBool(v)
			case int64:
				line[i] = strconv.FormatInt(v, 10)
			case float64:
				if line[i] = ""; !math.IsNaN(v) {
					line[i] = strconv.FormatFloat(v, 'g', -1, 64)
				}
			}
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// WriteParquet writes the long form of [WriteCSV] as a Parquet file; what is undefined is null.
func WriteParquet(w io.Writer, t Table) error {
	records := t.Records()
	var columns []parquet.Column
	for _, c := range recordColumns() {
		columns = append(columns, parquet.Column{Name: c.name, Values: typed(c, records)})
	}
	return parquet.Write(w, columns)
}

// typed are a column's values as a slice of their own type, also where there are none.
func typed(c column, records []Record) any {
	switch c.of(Record{}).(type) {
	case bool:
		return values[bool](c, records)
	case int64:
		return values[int64](c, records)
	case float64:
		return values[float64](c, records)
	}
	return values[string](c, records)
}

func values[T any](c column, records []Record) []T {
	out := make([]T, len(records))
	for i, r := range records {
		out[i] = c.of(r).(T)
	}
	return out
}
