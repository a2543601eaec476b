package matrix

import (
	"math"
	"testing"
)

// The averages that the cards and the abstract print, and those that follow from the cells, must come out of the cells.
func TestPublishedAverages(t *testing.T) {
	table := Published()
	for i, want := range []struct{ all, nonWestern, western, above, aboveWestern float64 }{
		{66.1, 66.075, 66.075, 0, 0},
		{69.3, 70.975, 66.025, 4.9, -0.05}, // the abstract's "4.9 %" are points
		{69.1, 70.475, 66.475, 4.4, 0.4},
	} {
		r := table.Rows[i]
		if got := math.Round(1000**r.Averages.All) / 10; got != want.all {
			t.Errorf("%s: average %v, printed is %v", r.Model, got, want.all)
		}
		d := table.FromBase(r)
		for _, c := range []struct {
			what string
			got  *float64
			want float64
		}{{"non-Western", r.Averages.NonWestern, want.nonWestern}, {"Western", r.Averages.Western, want.western},
			{"non-Western above the base", d.NonWestern, want.above}, {"Western above the base", d.Western, want.aboveWestern}} {
			if got := 100 * *c.got; math.Abs(got-c.want) > 1e-9 {
				t.Errorf("%s: %s %v, want %v", r.Model, c.what, got, c.want)
			}
		}
	}
	if got := math.Round(1000**table.Rows[0].Averages.F1) / 10; got != 49.3 {
		t.Errorf("average F1 of the base %v, printed is 49.3", got)
	}
	if table.Rows[1].Averages.F1 != nil {
		t.Error("an average F1 of a row whose F1 are not public")
	}
	// The older card: ROC-AUC alone rises by 4.43 points over the four non-Western datasets.
	var rise float64
	for k := range 4 {
		rise += 100 * (*table.Rows[1].Cells[k].ROCAUC.Mean - *table.Rows[0].Cells[k].ROCAUC.Mean) / 4
	}
	if math.Abs(rise-4.425) > 1e-9 {
		t.Errorf("ROC-AUC rises by %v points, want 4.425", rise)
	}
}
