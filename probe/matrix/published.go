package matrix

import "syncretic/probe"

// published are test scores in percent as printed: ROC-AUC, average precision and, of the one model whose row is public, micro and macro
// F1, by dataset. Averages are computed from them.
var published = []struct {
	model  string
	scores [6][2]float64
	f1     [][2]float64
}{
	{"MERT-v1-95M", [6][2]float64{{83.2, 53.3}, {82.4, 52.9}, {74.9, 39.7}, {85.7, 56.5}, {90.7, 48.1}, {89.6, 35.9}},
		[][2]float64{{73.0, 38.9}, {71.1, 33.2}, {80.1, 30.0}, {72.4, 42.6}, {57.0, 36.9}, {35.7, 21.2}}},
	{"CultureMERT-95M", [6][2]float64{{89.6, 60.6}, {88.2, 63.5}, {79.2, 43.1}, {86.9, 56.7}, {90.7, 48.1}, {89.4, 35.9}}, nil},
	{"CultureMERT-TA-95M", [6][2]float64{{89.0, 61.0}, {87.5, 59.3}, {79.1, 43.3}, {87.3, 57.3}, {90.8, 49.1}, {89.6, 36.4}}, nil},
}

// Published is the table of CultureMERT (Kanatas et al. 2025, arXiv 2506.17818) as its model cards print it. Deviations over seeds are
// not public, nor are the F1 of the adapted models.
func Published() Table {
	t := Table{
		Source: "model cards of ntua-slp/CultureMERT-95M and ntua-slp/CultureMERT-TA-95M (arXiv 2506.17818): test splits, mean of 5 seeds",
		Base:   published[0].model,
		Datasets: []Dataset{{Name: "Turkish-makam"}, {Name: "Hindustani"}, {Name: "Carnatic"}, {Name: "Lyra"},
			{Name: "FMA-medium", Western: true}, {Name: "MTAT", Western: true}},
	}
	fraction := func(percent float64) probe.MeanSD {
		v := percent / 100
		return probe.MeanSD{Mean: &v}
	}
	for _, p := range published {
		row := Row{Model: p.model}
		for k, s := range p.scores {
			c := Cell{ROCAUC: fraction(s[0]), AveragePrecision: fraction(s[1])}
			if p.f1 != nil {
				c.MicroF1, c.MacroF1 = fraction(p.f1[k][0]), fraction(p.f1[k][1])
			}
			row.Cells = append(row.Cells, c)
		}
		row.Averages = averages(t.Datasets, row.Cells)
		t.Rows = append(t.Rows, row)
	}
	return t
}
