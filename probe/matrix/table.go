package matrix

import "syncretic/probe"

// Table has a row a model and a cell a dataset.
type Table struct {
	Source   string    `json:"source,omitempty"` // of a published table
	Base     string    `json:"base"`             // the model that others are compared with
	Datasets []Dataset `json:"datasets"`
	Rows     []Row     `json:"rows"`
}

// Dataset is a column.
type Dataset struct {
	Name    string `json:"name"`
	Western bool   `json:"western"`
	Items   int    `json:"test_items,omitempty"`
	Tags    int    `json:"tags,omitempty"`
}

// Row is a model's.
type Row struct {
	Model    string   `json:"model"`
	Floor    bool     `json:"floor,omitempty"` // nobody trained it
	Cells    []Cell   `json:"cells"`           // one a dataset
	Averages Averages `json:"averages"`
}

// Cell holds test scores as mean and sample deviation over seeds.
type Cell struct {
	ROCAUC           probe.MeanSD `json:"roc_auc"`           // macro
	AveragePrecision probe.MeanSD `json:"average_precision"` // macro, the mAP of papers
	MicroF1          probe.MeanSD `json:"micro_f1"`
	MacroF1          probe.MeanSD `json:"macro_f1"`
	Runs             []Run        `json:"runs,omitempty"`
	Against          *Comparison  `json:"against_base,omitempty"` // nil of the base, and in a published table
}

// Run are the scores of one seed; nil is undefined.
type Run struct {
	Seed             uint64   `json:"seed"`
	ROCAUC           *float64 `json:"roc_auc"`
	AveragePrecision *float64 `json:"average_precision"`
	MicroF1          *float64 `json:"micro_f1"`
	MacroF1          *float64 `json:"macro_f1"`
	Threshold        float64  `json:"threshold"` // of F1
}

// Averages are the paper's: plain means over datasets of the cells' means, ROC-AUC and average precision weighing the same. nil where
// there is no such dataset, or a cell is undefined.
type Averages struct {
	All        *float64 `json:"all"`
	NonWestern *float64 `json:"non_western"`
	Western    *float64 `json:"western"`
	F1         *float64 `json:"f1"` // over all datasets, of micro and macro F1
}

// averages are those of a row.
func averages(datasets []Dataset, cells []Cell) Averages {
	over := func(in func(Dataset) bool, values func(Cell) [2]probe.MeanSD) *float64 {
		var sum float64
		n := 0
		for k, d := range datasets {
			if !in(d) {
				continue
			}
			for _, v := range values(cells[k]) {
				if v.Mean == nil {
					return nil
				}
				sum += *v.Mean
				n++
			}
		}
		if n == 0 {
			return nil
		}
		sum /= float64(n)
		return &sum
	}
	ranking := func(c Cell) [2]probe.MeanSD { return [2]probe.MeanSD{c.ROCAUC, c.AveragePrecision} }
	all := func(Dataset) bool { return true }
	western := func(d Dataset) bool { return d.Western }
	return Averages{
		All: over(all, ranking), Western: over(western, ranking), NonWestern: over(func(d Dataset) bool { return !d.Western }, ranking),
		F1: over(all, func(c Cell) [2]probe.MeanSD { return [2]probe.MeanSD{c.MicroF1, c.MacroF1} }),
	}
}

// base is the row of the model that others are compared with, nil for none.
func (t Table) base() *Row {
	for i := range t.Rows {
		if t.Rows[i].Model == t.Base {
			return &t.Rows[i]
		}
	}
	return nil
}

// FromBase is how far a row's averages lie above those of the base; nil where either is.
func (t Table) FromBase(r Row) Averages {
	b := t.base()
	if b == nil {
		return Averages{}
	}
	less := func(x, y *float64) *float64 {
		if x == nil || y == nil {
			return nil
		}
		d := *x - *y
		return &d
	}
	return Averages{All: less(r.Averages.All, b.Averages.All), NonWestern: less(r.Averages.NonWestern, b.Averages.NonWestern),
		Western: less(r.Averages.Western, b.Averages.Western), F1: less(r.Averages.F1, b.Averages.F1)}
}
