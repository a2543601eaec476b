package metric

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// noisy returns scores plus noise of the given size.
func noisy(seed uint64, scores [][]float64, size float64) [][]float64 {
	r := rand.New(rand.NewPCG(seed, 9))
	out := make([][]float64, len(scores))
	for i, row := range scores {
		for _, s := range row {
			out[i] = append(out[i], s+size*r.NormFloat64())
		}
	}
	return out
}

func TestBootstrapOfEqualTaggers(t *testing.T) {
	scores, labels := random(5, 50, 4)
	got, err := PairedBootstrap(labels, scores, scores, MacroROCAUC, 200, 1)
	if want := (Interval{Replicates: 200}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestBootstrapSeesAClearDifference(t *testing.T) {
	scores, labels := random(6, 140, 15)
	worse := noisy(1, scores, 3)
	for name, statistic := range map[string]Statistic{"auc": MacroROCAUC, "ap": MacroAveragePrecision} {
		got, err := PairedBootstrap(labels, scores, worse, statistic, 300, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Significant || !(got.Low > 0 && got.Low < got.Difference && got.Difference < got.High) {
			t.Errorf("%s: got %+v, want a significant difference above 0 inside the interval", name, got)
		}
		back, err := PairedBootstrap(labels, worse, scores, statistic, 300, 1)
		if err != nil || back.Difference != -got.Difference || math.Abs(back.Low+got.High) > exact || math.Abs(back.High+got.Low) > exact || !back.Significant {
			t.Errorf("%s: exchanged taggers give %+v, %v, want the mirror of %+v", name, back, err, got)
		}
	}
}

// TestBootstrapCoverage checks the size of the interval: between two taggers with equal noise about 95 of 100 intervals hold
// 0. With 60 trials fewer than 51 have a probability below 1e-3 at 95 %; percentile intervals run a little short.
func TestBootstrapCoverage(t *testing.T) {
	const trials = 60
	holds := 0
	for trial := range uint64(trials) {
		scores, labels := random(100+trial, 80, 3)
		got, err := PairedBootstrap(labels, noisy(2*trial, scores, 1), noisy(2*trial+1, scores, 1), MacroROCAUC, 200, trial)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Significant {
			holds++
		}
	}
	if holds < 51 {
		t.Errorf("%d of %d intervals hold 0, want at least 51", holds, trials)
	}
}

func TestBootstrapIsTheSameForAnyGOMAXPROCS(t *testing.T) {
	scores, labels := random(7, 60, 5)
	other := noisy(3, scores, 1)
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	want, err := PairedBootstrap(labels, scores, other, MacroROCAUC, 101, 42)
	if err != nil {
		t.Fatal(err)
	}
	for _, threads := range []int{2, 5} {
		runtime.GOMAXPROCS(threads)
		if got, err := PairedBootstrap(labels, scores, other, MacroROCAUC, 101, 42); err != nil || got != want {
			t.Errorf("%d threads: got %+v, %v, want %+v", threads, got, err, want)
		}
	}
	if got, err := PairedBootstrap(labels, scores, other, MacroROCAUC, 101, 43); err != nil || got.Low == want.Low {
		t.Errorf("another seed: got %+v, %v, want other bounds than %+v", got, err, want)
	}
}

func TestBootstrapIsPaired(t *testing.T) {
	// Two taggers that differ by a constant on every item: the difference of means is that constant in every draw.
	scores, labels := random(8, 40, 2)
	shifted := make([][]float64, len(scores))
	for i, row := range scores {
		for _, s := range row {
			shifted[i] = append(shifted[i], s+0.25)
		}
	}
	first := func(scores [][]float64, _ [][]bool) float64 {
		var sum float64
		for _, row := range scores {
			sum += row[0]
		}
		return sum / float64(len(scores))
	}
	got, err := PairedBootstrap(labels, shifted, scores, Func(first), 100, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []float64{got.Difference, got.Low, got.High} {
		checkClose(t, "difference", v, 0.25)
	}
}

// TestRankStatisticsEqualTheirDefinition compares with the metrics on rows that are really repeated, bit for bit.
func TestRankStatisticsEqualTheirDefinition(t *testing.T) {
	scores, labels := random(12, 30, 4)
	for i, row := range scores {
		row[1] = math.Round(row[1]) // ties
		labels[i][3] = i < 2        // a tag that draws may miss
	}
	for _, c := range []struct {
		name       string
		statistic  Statistic
		definition Func
	}{
		{"MacroROCAUC", MacroROCAUC, func(scores [][]float64, labels [][]bool) float64 {
			s, err := ROCAUC(scores, labels)
			if err != nil {
				t.Error(err)
			}
			return s.Macro
		}},
		{"MacroAveragePrecision", MacroAveragePrecision, func(scores [][]float64, labels [][]bool) float64 {
			s, err := AveragePrecision(scores, labels)
			if err != nil {
				t.Error(err)
			}
			for tag := range s.PerTag {
				if s.PerTag[tag] == 0 { // no positives: a positive's precision is above 0
					s.PerTag[tag] = math.NaN()
				}
			}
			macro, _ := mean(s.PerTag)
			return macro
		}},
	} {
		r := rand.New(rand.NewPCG(1, 1))
		fast, slow := c.statistic.Prepare(scores, labels), c.definition.Prepare(scores, labels)
		once := slices.Repeat([]int{1}, len(labels))
		if got, want := fast(once), c.definition(scores, labels); got != want {
			t.Errorf("%s is %v, want %v", c.name, got, want)
		}
		for range 50 {
			counts := make([]int, len(scores))
			for range counts {
				counts[r.IntN(len(counts))]++
			}
			if got, want := fast(counts), slow(counts); got != want {
				t.Fatalf("%s, counts %v: got %v, want %v", c.name, counts, got, want)
			}
		}
		if got := fast(make([]int, len(scores))); !math.IsNaN(got) {
			t.Errorf("%s of no items is %v, want NaN", c.name, got)
		}
	}
}

func TestBootstrapRefuses(t *testing.T) {
	scores, labels := random(9, 20, 2)
	narrow, _ := random(9, 20, 1)
	one := [][]bool{{true}, {true}}
	rare := make([][]bool, 40) // a draw holds the only positive with probability 1 - (39/40)^40 = 0.64
	flat := make([][]float64, 40)
	for i := range rare {
		rare[i], flat[i] = []bool{i == 0}, []float64{float64(i)}
	}
	never := func(scores [][]float64, _ [][]bool) float64 {
		if scores[0][0] == 0 && scores[1][0] == 1 && scores[2][0] == 2 { // all items in order, hardly a draw
			return 1
		}
		return math.NaN()
	}
	for _, c := range []struct {
		name string
		call func() (Interval, error)
	}{
		{"tags differ", func() (Interval, error) { return PairedBootstrap(labels, scores, narrow, MacroROCAUC, 10, 1) }},
		{"one replicate", func() (Interval, error) { return PairedBootstrap(labels, scores, scores, MacroROCAUC, 1, 1) }},
		{"undefined", func() (Interval, error) {
			return PairedBootstrap(one, [][]float64{{1}, {2}}, [][]float64{{1}, {2}}, MacroROCAUC, 10, 1)
		}},
		{"mostly undefined", func() (Interval, error) { return PairedBootstrap(rare, flat, flat, Func(never), 50, 1) }},
	} {
		if got, err := c.call(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %+v, %v, want ErrInvalid", c.name, got, err)
		}
	}
	got, err := PairedBootstrap(rare, flat, flat, MacroROCAUC, 200, 1)
	if err != nil || got.Replicates < 100 || got.Replicates == 200 {
		t.Errorf("a rare tag: got %+v, %v, want some draws left out", got, err)
	}
}

// BenchmarkPairedBootstrap is one pair of a demonstration's table: 1000 draws of 140 items and 15 tags.
func BenchmarkPairedBootstrap(b *testing.B) {
	scores, labels := random(10, 140, 15)
	other := noisy(4, scores, 1)
	for b.Loop() {
		if _, err := PairedBootstrap(labels, scores, other, MacroROCAUC, 1000, 1); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMultiLabel is a MagnaTagATune test split: 4332 items, 50 tags.
func BenchmarkMultiLabel(b *testing.B) {
	scores, labels := random(11, 4332, 50)
	for b.Loop() {
		if _, err := MultiLabel(scores, labels, 0.5); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPairedBootstrapFunc is the same by the plain definition.
func BenchmarkPairedBootstrapFunc(b *testing.B) {
	scores, labels := random(10, 140, 15)
	other := noisy(4, scores, 1)
	plain := Func(func(scores [][]float64, labels [][]bool) float64 {
		s, _ := ROCAUC(scores, labels)
		return s.Macro
	})
	for b.Loop() {
		if _, err := PairedBootstrap(labels, scores, other, plain, 1000, 1); err != nil {
			b.Fatal(err)
		}
	}
}
