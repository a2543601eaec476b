package metric

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// exact is how far a value may be from scikit-learn's: both sum a few hundred fractions.
const exact = 1e-12

// golden is what testdata/make_sklearn.py writes.
type golden struct {
	MadeBy struct {
		NumPy   string `json:"numpy"`
		SKLearn string `json:"sklearn"`
		Seed    int    `json:"seed"`
	} `json:"made_by"`
	Cases []struct {
		Name             string      `json:"name"`
		Labels           [][]int     `json:"labels"`
		Scores           [][]float64 `json:"scores"`
		ROCAUC           Summary     `json:"roc_auc"`
		AveragePrecision Summary     `json:"average_precision"`
		F1               F1Summary   `json:"f1"`
		BestMacro        *best       `json:"best_macro"`
		BestMicro        *best       `json:"best_micro"`
	} `json:"cases"`
	Quantiles []struct {
		Values    []float64 `json:"values"`
		Low, High float64
	} `json:"quantiles"`
}

type best struct{ F1, Threshold float64 }

func readGolden(t *testing.T) golden {
	t.Helper()
	data, err := os.ReadFile("testdata/sklearn.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestFixtures guards against a golden file that is empty or lost its provenance: the loops below would pass on it.
func TestFixtures(t *testing.T) {
	if _, err := os.Stat("testdata/make_sklearn.py"); err != nil {
		t.Error(err)
	}
	g := readGolden(t)
	if len(g.Cases) != 12 || len(g.Quantiles) != 6 {
		t.Errorf("%d cases and %d quantiles, want 12 and 6", len(g.Cases), len(g.Quantiles))
	}
	if g.MadeBy.SKLearn == "" || g.MadeBy.NumPy == "" || g.MadeBy.Seed == 0 {
		t.Errorf("versions or seed missing: %+v", g.MadeBy)
	}
}

func TestMultiLabelEqualsScikitLearn(t *testing.T) {
	for _, c := range readGolden(t).Cases {
		t.Run(c.Name, func(t *testing.T) {
			got, err := MultiLabel(c.Scores, bools(c.Labels), c.F1.Threshold)
			if err != nil {
				t.Fatal(err)
			}
			checkSummary(t, "roc_auc", got.ROCAUC, c.ROCAUC)
			checkSummary(t, "average_precision", got.AveragePrecision, c.AveragePrecision)
			checkClose(t, "f1 macro", got.F1.Macro, c.F1.Macro)
			checkClose(t, "f1 micro", got.F1.Micro, c.F1.Micro)
			for i, want := range c.F1.PerTag {
				checkClose(t, "f1 per tag", got.F1.PerTag[i], want)
			}
			if got.F1.Threshold != c.F1.Threshold || got.Items != len(c.Labels) || got.Tags != len(c.Labels[0]) {
				t.Errorf("threshold %v, %d items, %d tags", got.F1.Threshold, got.Items, got.Tags)
			}
		})
	}
}

func TestBestThresholdEqualsSearchWithScikitLearn(t *testing.T) {
	for _, c := range readGolden(t).Cases {
		for average, want := range map[Average]*best{Macro: c.BestMacro, Micro: c.BestMicro} {
			if want == nil { // one tag: scikit-learn has no averages
				continue
			}
			threshold, f1, err := BestThreshold(c.Scores, bools(c.Labels), average)
			if err != nil {
				t.Fatal(err)
			}
			checkClose(t, c.Name+": best f1", f1, want.F1)
			if threshold != want.Threshold {
				t.Errorf("%s: threshold %v, want %v", c.Name, threshold, want.Threshold)
			}
		}
	}
}

func TestQuantileEqualsNumPy(t *testing.T) {
	for _, q := range readGolden(t).Quantiles {
		checkClose(t, "low", quantile(q.Values, 0.025), q.Low)
		checkClose(t, "high", quantile(q.Values, 0.975), q.High)
	}
}

func checkSummary(t *testing.T, name string, got, want Summary) {
	t.Helper()
	checkClose(t, name+" macro", got.Macro, want.Macro)
	checkClose(t, name+" micro", got.Micro, want.Micro)
	if got.LeftOut != want.LeftOut || len(got.PerTag) != len(want.PerTag) {
		t.Fatalf("%s: %d tags, %d left out, want %d and %d", name, len(got.PerTag), got.LeftOut, len(want.PerTag), want.LeftOut)
	}
	for i := range want.PerTag {
		checkClose(t, name+" per tag", got.PerTag[i], want.PerTag[i])
	}
}

func checkClose(t *testing.T, name string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) && math.IsNaN(want) {
		return
	}
	if !(math.Abs(got-want) <= exact) {
		t.Errorf("%s: got %v, want %v", name, got, want)
	}
}

func bools(labels [][]int) [][]bool {
	out := make([][]bool, len(labels))
	for i, row := range labels {
		out[i] = make([]bool, len(row))
		for t, v := range row {
			out[i][t] = v == 1
		}
	}
	return out
}
