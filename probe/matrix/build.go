package matrix

import (
	"errors"
	"fmt"
	"slices"

	"syncretic/probe"
	"syncretic/probe/metric"
)

// Found is a model with its finished cells.
type Found struct {
	Model string
	Floor bool
	Cells []*Stored // one a dataset
}

// Column is a dataset of a study.
type Column struct {
	*probe.Dataset
	Western bool
}

// replicates of intervals and tests: p-values go down to a thousandth.
const replicates = 1000

// Build makes the table of a study: the averages of each model, and each difference from the model named base. Errors wrap
// [probe.ErrInvalid]: a base that is none of the models, and models of which not the same items were tested.
func Build(columns []Column, found []Found, base string) (Table, error) {
	t := Table{Base: base}
	for k, c := range columns {
		d := Dataset{Name: c.Name, Western: c.Western, Tags: len(c.Tags)}
		if len(found) > 0 {
			d.Items = len(found[0].Cells[k].Items)
		}
		t.Datasets = append(t.Datasets, d)
	}
	from := slices.IndexFunc(found, func(f Found) bool { return f.Model == base })
	if from < 0 {
		return t, fmt.Errorf("%w: base %q is none of the models", probe.ErrInvalid, base)
	}
	for i, f := range found {
		row := Row{Model: f.Model, Floor: f.Floor}
		for _, s := range f.Cells {
			row.Cells = append(row.Cells, s.Cell)
		}
		row.Averages = averages(t.Datasets, row.Cells)
		if i != from {
			if err := row.compare(columns, f, found[from]); err != nil {
				return t, err
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

// Comparison is a cell's difference from the base's on the same test items, of the scores averaged over the seeds: so it may differ a
// little from the difference of the means over seeds, which the cells hold.
type Comparison struct {
	ROCAUC           *Difference `json:"roc_auc"`
	AveragePrecision *Difference `json:"average_precision"` // over the tags with a positive
	// WesternRegression: the dataset is Western, and the interval of either difference lies below 0, uncorrected for the number of
	// datasets, since a loss that is named in vain costs less than one that is missed.
	WesternRegression bool `json:"western_regression"`
	// Undefined says why there are no differences: too few test items for resampling.
	Undefined string `json:"undefined,omitempty"`
}

// Difference has a 95 % bootstrap interval over recordings and the p-value of a paired permutation test, both of 1000 draws.
type Difference struct {
	Difference float64 `json:"difference"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	P          float64 `json:"p"`
	Adjusted   float64 `json:"p_holm"` // for the number of datasets
}

func (r *Row) compare(columns []Column, model, base Found) error {
	for k, c := range columns {
		against, err := compare(c.Dataset, model.Cells[k], base.Cells[k])
		if err != nil {
			return fmt.Errorf("%s against %s: dataset %q: %w", model.Model, base.Model, c.Name, err)
		}
		for _, d := range []*Difference{against.ROCAUC, against.AveragePrecision} {
			if c.Western && d != nil && d.High < 0 {
				against.WesternRegression = true
			}
		}
		r.Cells[k].Against = &against
	}
	for _, of := range []func(*Comparison) *Difference{
		func(c *Comparison) *Difference { return c.ROCAUC }, func(c *Comparison) *Difference { return c.AveragePrecision },
	} {
		var p []float64
		var into []*Difference
		for _, cell := range r.Cells {
			if d := of(cell.Against); d != nil {
				p, into = append(p, d.P), append(into, d)
			}
		}
		adjusted, err := metric.Holm(p)
		if err != nil {
			return err
		}
		for i, d := range into {
			d.Adjusted = adjusted[i]
		}
	}
	return nil
}

// compare tests one dataset. Crops of one file are drawn together.
func compare(ds *probe.Dataset, model, base *Stored) (Comparison, error) {
	if !slices.Equal(model.Items, base.Items) {
		return Comparison{}, fmt.Errorf("%w: %d test items and %d, not the same ones", probe.ErrInvalid, len(model.Items), len(base.Items))
	}
	labels, groups, seen := make([][]bool, len(model.Items)), make([]int, len(model.Items)), map[string]int{}
	for k, i := range model.Items {
		if i < 0 || i >= len(ds.Items) {
			return Comparison{}, fmt.Errorf("%w: test item %d, there are %d", probe.ErrInvalid, i, len(ds.Items))
		}
		labels[k] = ds.Items[i].Labels
		path := ds.Items[i].Path
		if _, ok := seen[path]; !ok {
			seen[path] = len(seen)
		}
		groups[k] = seen[path]
	}
	auc, err := difference(labels, model.Scores, base.Scores, metric.MacroROCAUC, groups)
	if err == nil {
		var ap *Difference
		if ap, err = difference(labels, model.Scores, base.Scores, metric.MacroAveragePrecision, groups); err == nil {
			return Comparison{ROCAUC: auc, AveragePrecision: ap}, nil
		}
	}
	if errors.Is(err, metric.ErrInvalid) { // the scores stand all the same
		return Comparison{Undefined: err.Error()}, nil
	}
	return Comparison{}, err
}

func difference(labels [][]bool, model, base [][]float64, statistic metric.Statistic, groups []int) (*Difference, error) {
	s := metric.Sampling{Replicates: replicates, Seed: 1, Groups: groups}
	test, err := metric.PairedPermutation(labels, model, base, statistic, s) // validates
	if err != nil {
		return nil, err
	}
	i, err := metric.Difference(len(labels), statistic.Prepare(model, labels), statistic.Prepare(base, labels), s)
	if err != nil {
		return nil, err
	}
	return &Difference{Difference: i.Difference, Low: i.Low, High: i.High, P: test.P}, nil
}
