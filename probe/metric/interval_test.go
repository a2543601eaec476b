package metric

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// intervals is what testdata/make_intervals.py writes.
type intervals struct {
	MadeBy struct {
		SciPy string `json:"scipy"`
		Seed  int    `json:"seed"`
	} `json:"made_by"`
	Intervals []struct {
		Name            string
		Value           float64
		Draws, Without  []float64
		BCa, Percentile [2]float64
	}
	Tests []struct {
		Kind          string
		Labels        []int
		A, B          []float64
		Difference, P float64
	}
}

func readIntervals(t *testing.T) intervals {
	t.Helper()
	data, err := os.ReadFile("testdata/intervals.json")
	if err != nil {
		t.Fatal(err)
	}
	var g intervals
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("testdata/make_intervals.py"); err != nil || len(g.Intervals) != 3 || len(g.Tests) != 4 || g.MadeBy.SciPy == "" || g.MadeBy.Seed == 0 {
		t.Fatalf("fixtures %+v, %v", g.MadeBy, err)
	}
	return g
}

func TestIntervalsEqualSciPy(t *testing.T) {
	for _, c := range readIntervals(t).Intervals {
		low, high, err := bca(c.Value, c.Draws, c.Without)
		if err != nil {
			t.Fatal(err)
		}
		checkClose(t, c.Name+": BCa low", low, c.BCa[0])
		checkClose(t, c.Name+": BCa high", high, c.BCa[1])
		checkClose(t, c.Name+": percentile low", quantile(c.Draws, tail), c.Percentile[0])
		checkClose(t, c.Name+": percentile high", quantile(c.Draws, 1-tail), c.Percentile[1])
	}
}

func TestExactPermutationEqualsSciPy(t *testing.T) {
	for _, c := range readIntervals(t).Tests {
		s := Sampling{Replicates: 1 << len(c.A)}
		a, b, labels := make([][]float64, len(c.A)), make([][]float64, len(c.A)), make([][]bool, len(c.A))
		for i := range c.A {
			a[i], b[i], labels[i] = []float64{c.A[i]}, []float64{c.B[i]}, []bool{c.Labels != nil && c.Labels[i] == 1}
		}
		var statistic Statistic = MacroROCAUC
		if c.Kind == "mean" {
			statistic = Func(meanScore)
		}
		got, err := PairedPermutation(labels, a, b, statistic, s)
		if err != nil || !got.Exact || got.Replicates != s.Replicates {
			t.Fatalf("%s: %+v, %v", c.Kind, got, err)
		}
		checkClose(t, c.Kind+": difference", got.Difference, c.Difference)
		checkClose(t, c.Kind+": p", got.P, c.P)

		// By random exchanges p is the same within five of its standard errors, for any number of threads.
		s = Sampling{Replicates: (1 << len(c.A)) - 1, Seed: 3}
		drawn, err := PairedPermutation(labels, a, b, statistic, s)
		if err != nil || drawn.Exact || math.Abs(drawn.P-c.P) > 5*math.Sqrt(c.P/float64(s.Replicates)) {
			t.Errorf("%s: random exchanges give %+v, %v, want p near %v", c.Kind, drawn, err, c.P)
		}
		before := runtime.GOMAXPROCS(5)
		again, err := PairedPermutation(labels, a, b, statistic, s)
		runtime.GOMAXPROCS(before)
		if err != nil || again != drawn {
			t.Errorf("%s: on 5 threads %+v, %v, want %+v", c.Kind, again, err, drawn)
		}
	}
}

func meanScore(scores [][]float64, _ [][]bool) float64 {
	var sum float64
	for _, row := range scores {
		sum += row[0]
	}
	return sum / float64(len(scores))
}

// TestPermutationKeepsItsLevel: of equal taggers about 5 of 100 tests are below 0.05; more than 13 of 100 have a probability below 1e-3.
func TestPermutationKeepsItsLevel(t *testing.T) {
	low := 0
	for trial := range uint64(100) {
		scores, labels := random(300+trial, 40, 2)
		got, err := PairedPermutation(labels, noisy(2*trial, scores, 1), noisy(2*trial+1, scores, 1), MacroROCAUC, Sampling{Replicates: 199, Seed: trial})
		if err != nil {
			t.Fatal(err)
		}
		if got.P <= 0.05 {
			low++
		}
	}
	if low > 13 {
		t.Errorf("%d of 100 tests between equals find a difference", low)
	}
	scores, labels := random(1, 140, 15)
	worse := noisy(1, scores, 3)
	got, err := PairedPermutation(labels, scores, worse, MacroAveragePrecision, Sampling{Replicates: 199})
	if err != nil || got.P != 1.0/200 || got.Difference <= 0 {
		t.Errorf("a clear difference: %+v, %v, want the smallest p", got, err)
	}
	for _, row := range worse { // logits instead of probabilities: no ranking changes
		for k := range row {
			row[k] = 1000 + 5*row[k]
		}
	}
	if again, err := PairedPermutation(labels, scores, worse, MacroAveragePrecision, Sampling{Replicates: 199}); err != nil || again != got {
		t.Errorf("on another scale %+v, %v, want %+v", again, err, got)
	}
}

// TestGroupsAreDrawnWhole: items repeated four times as crops of one recording must not make the interval narrower.
func TestGroupsAreDrawnWhole(t *testing.T) {
	scores, labels := random(20, 60, 3)
	crops := make([]int, 0, 240)
	for i := range 240 {
		crops = append(crops, 7-1000*(i%60))
	}
	s4, l4 := slices.Repeat(scores, 4), slices.Repeat(labels, 4)
	f, f4 := MacroROCAUC.Prepare(scores, labels), MacroROCAUC.Prepare(s4, l4)
	for name, of := range map[string]func(int, func([]int) float64, Sampling) (Estimate, error){"percentile": Bootstrap, "BCa": BCa} {
		want, err := of(60, f, Sampling{Replicates: 200, Seed: 1})
		if err != nil || !(want.Low < want.Value && want.Value < want.High) {
			t.Fatalf("%s: %+v, %v", name, want, err)
		}
		got, err := of(240, f4, Sampling{Replicates: 200, Seed: 1, Groups: crops})
		if err != nil || got.Replicates != want.Replicates {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		checkClose(t, name+" value", got.Value, want.Value)
		checkClose(t, name+" low", got.Low, want.Low)
		checkClose(t, name+" high", got.High, want.High)
		if naive, err := of(240, f4, Sampling{Replicates: 200, Seed: 1}); err != nil || naive.High-naive.Low > 0.7*(want.High-want.Low) {
			t.Errorf("%s: crops as items %+v, %v, want a narrower interval than %+v", name, naive, err, want)
		}
	}
	other := noisy(1, scores, 1)
	want, err := PairedPermutation(labels, scores, other, MacroROCAUC, Sampling{Replicates: 99, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	got, err := PairedPermutation(l4, s4, slices.Repeat(other, 4), MacroROCAUC, Sampling{Replicates: 99, Seed: 2, Groups: crops})
	if err != nil || got.P != want.P {
		t.Errorf("exchanged in groups: %+v, %v, want p %v", got, err, want.P)
	}
}

func TestEstimateIsTheSameForAnyGOMAXPROCS(t *testing.T) {
	scores, labels := random(21, 50, 4)
	f := F1Statistic{Average: Micro, Threshold: 0.5}.Prepare(scores, labels)
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	want, err := BCa(50, f, Sampling{Replicates: 101, Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GOMAXPROCS(5)
	if got, err := BCa(50, f, Sampling{Replicates: 101, Seed: 4}); err != nil || got != want {
		t.Errorf("5 threads: %+v, %v, want %+v", got, err, want)
	}
}

func TestBCaRefusesWhatItCannotCorrect(t *testing.T) {
	scores, labels := [][]float64{{1}, {2}, {3}, {4}}, [][]bool{{false}, {false}, {true}, {true}}
	if got, err := BCa(4, MacroROCAUC.Prepare(scores, labels), Sampling{Replicates: 50}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "percentiles") {
		t.Errorf("a perfect tagger: %+v, %v, want the advice to use percentiles", got, err)
	}
	if a := acceleration([]float64{2, 2, 2}); a != 0 {
		t.Errorf("acceleration of equal values is %v", a)
	}
}

func TestSamplingRefuses(t *testing.T) {
	undefined := func([]int) float64 { return math.NaN() }
	one := func([]int) float64 { return 1 }
	after := func(counts []int) float64 { // defined as the data are, not after exchanges
		if counts[0] == counts[1] {
			return 1
		}
		return math.NaN()
	}
	for _, c := range []struct {
		name, want string
		call       func() error
	}{
		{"no items", "no items", func() error { _, err := Bootstrap(0, one, Sampling{Replicates: 2}); return err }},
		{"groups", "groups of 1 items, want 2", func() error { _, err := BCa(2, one, Sampling{Replicates: 2, Groups: []int{1}}); return err }},
		{"replicates", "1 replicates", func() error { _, err := Exchange(2, one, Sampling{Replicates: 1}); return err }},
		{"undefined", "undefined on these items", func() error { _, err := Exchange(2, undefined, Sampling{Replicates: 2}); return err }},
		{"undefined later", "undefined after some exchanges", func() error { _, err := Exchange(2, after, Sampling{Replicates: 9}); return err }},
		{"undefined estimate", "undefined on these items", func() error { _, err := BCa(2, undefined, Sampling{Replicates: 2}); return err }},
		{"Holm", "p-value 1 is NaN", func() error { _, err := Holm([]float64{0, math.NaN()}); return err }},
		{"Holm above 1", "p-value 0 is 1.5", func() error { _, err := Holm([]float64{1.5}); return err }},
	} {
		if err := c.call(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want ErrInvalid with %q", c.name, err, c.want)
		}
	}
}

// TestHolm follows the definition by hand: 4·0.005, 3·0.01, 2·0.03, and 0.04 raised to what 0.03 became.
func TestHolm(t *testing.T) {
	got, err := Holm([]float64{0.01, 0.04, 0.03, 0.005})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		checkClose(t, "adjusted", got[i], want)
	}
	if got, err := Holm([]float64{0.9, 0.8}); err != nil || got[0] != 1 || got[1] != 1 {
		t.Errorf("large values: %v, %v, want 1 and 1", got, err)
	}
	if got, err := Holm(nil); err != nil || len(got) != 0 {
		t.Errorf("of nothing: %v, %v", got, err)
	}
}
