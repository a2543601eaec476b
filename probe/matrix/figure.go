package matrix

import (
	"math"

	"syncretic/probe"
)

var nan = math.NaN()

// figure is the value, NaN for none.
func figure(v *float64) float64 {
	if v == nil {
		return nan
	}
	return *v
}

// Best is the highest mean of each dataset as printed with one decimal of a percentage, so that equals in print are all best; NaN for
// none.
func (t Table) best(of func(Cell) probe.MeanSD) []float64 {
	out := make([]float64, len(t.Datasets))
	for k := range out {
		out[k] = nan
		for _, r := range t.Rows {
			if v := printed(of(r.Cells[k]).Mean); !(v <= out[k]) && v == v {
				out[k] = v
			}
		}
	}
	return out
}

// printed is a fraction as a percentage with one decimal.
func printed(v *float64) float64 { return math.Round(1000*figure(v)) / 10 }

func rocAUC(c Cell) probe.MeanSD           { return c.ROCAUC }
func averagePrecision(c Cell) probe.MeanSD { return c.AveragePrecision }
