package probe

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"runtime"
	"testing"
)

type goldenLogistic struct {
	MadeBy struct {
		NumPy   string `json:"numpy"`
		SKLearn string `json:"sklearn"`
		Seed    int    `json:"seed"`
	} `json:"made_by"`
	Cases []struct {
		Name          string      `json:"name"`
		Train         int         `json:"train"`
		Layers        int         `json:"layers"`
		Dim           int         `json:"dim"`
		L2            float64     `json:"l2"`
		Features      [][]float32 `json:"features"`
		Labels        [][]int     `json:"labels"`
		Probabilities [][]float64 `json:"probabilities"`
	} `json:"cases"`
}

// TestLogisticEqualsScikitLearn fits the train rows of testdata/logistic.json and compares the probabilities of all rows.
func TestLogisticEqualsScikitLearn(t *testing.T) {
	const tolerance = 1e-5 // scikit-learn stops at a gradient of 1e-12 of the mean loss; weights here are float32
	data, err := os.ReadFile("testdata/logistic.json")
	if err != nil {
		t.Fatal(err)
	}
	var g goldenLogistic
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Cases) != 5 || g.MadeBy.SKLearn == "" || g.MadeBy.NumPy == "" || g.MadeBy.Seed == 0 {
		t.Fatalf("%d cases made by %+v, want 5 and their provenance", len(g.Cases), g.MadeBy)
	}
	for _, c := range g.Cases {
		t.Run(c.Name, func(t *testing.T) {
			all := &Features{Layers: c.Layers, Dim: c.Dim}
			labels := make([][]bool, len(c.Labels))
			for i, row := range c.Features {
				all.Items = append(all.Items, i)
				all.Values = append(all.Values, row...)
				for _, y := range c.Labels[i] {
					labels[i] = append(labels[i], y == 1)
				}
			}
			tags := tagNames(len(labels[0]))
			train := Split{Name: Train, Tags: tags, Features: all.slice(0, c.Train), Labels: labels[:c.Train]}
			valid := Split{Name: Valid, Tags: tags, Features: all.slice(c.Train, len(labels)), Labels: labels[c.Train:]}
			cfg := DefaultHead()
			cfg.Kind, cfg.L2 = Logistic, []float64{c.L2}
			head, err := Fit(context.Background(), train, valid, cfg)
			if err != nil {
				t.Fatal(err)
			}
			scores, err := head.Scores(all)
			if err != nil {
				t.Fatal(err)
			}
			var worst float64
			for i, row := range c.Probabilities {
				for tag, want := range row {
					worst = max(worst, math.Abs(scores[i][tag]-want))
				}
			}
			if !(worst <= tolerance) {
				t.Errorf("a probability differs by %.2g, want at most %g", worst, tolerance)
			}
		})
	}
}

// slice returns the items [from, to) of f, sharing its values.
func (f *Features) slice(from, to int) *Features {
	size := f.Layers * f.Dim
	return &Features{Layers: f.Layers, Dim: f.Dim, Items: f.Items[from:to], Values: f.Values[from*size : to*size]}
}

func tagNames(n int) []string {
	var tags []string
	for t := range n {
		tags = append(tags, string(rune('a'+t)))
	}
	return tags
}

func TestLogisticChoosesStrengthOnValid(t *testing.T) {
	train, valid, _ := toy(1, 60, 3, 8)
	cfg := logisticHead(0.01, 1000, 1, 1, 100)
	head, err := Fit(context.Background(), train, valid, cfg)
	if err != nil {
		t.Fatal(err)
	}
	trials := head.Chosen.Trials
	if len(trials) != 4 || trials[0].L2 != 1000 || trials[3].L2 != 0.01 {
		t.Fatalf("trials %+v, want the 4 different strengths, strongest first", trials)
	}
	for _, trial := range trials {
		if trial.Score > head.Valid.ROCAUC.Macro || trial.L2 == head.Chosen.L2 && trial.Score != head.Valid.ROCAUC.Macro {
			t.Errorf("chosen %g with %v, but %+v", head.Chosen.L2, head.Valid.ROCAUC.Macro, trial)
		}
	}
	alone, err := Fit(context.Background(), train, valid, logisticHead(head.Chosen.L2))
	if err != nil {
		t.Fatal(err)
	}
	const tolerance = 1e-5 // one starts at the solution of a stronger penalty, the other at 0
	a, _ := head.Scores(valid.Features)
	b, _ := alone.Scores(valid.Features)
	for i, row := range a {
		for tag, p := range row {
			if math.Abs(p-b[i][tag]) > tolerance {
				t.Errorf("item %d, tag %d: %v, alone %v", i, tag, p, b[i][tag])
			}
		}
	}
}

func TestLogisticStrongerPenaltyShrinks(t *testing.T) {
	train, valid, _ := toy(2, 50, 2, 6)
	last := math.Inf(1)
	for _, strength := range []float64{0.1, 10, 1000, 1e6} {
		head, err := Fit(context.Background(), train, valid, logisticHead(strength))
		if err != nil {
			t.Fatal(err)
		}
		var norm float64
		for _, w := range head.model.(*linearHead).weight {
			norm += float64(w) * float64(w)
		}
		if !(norm < last) {
			t.Errorf("strength %g: squared norm %g, want below %g", strength, norm, last)
		}
		last = norm
	}
}

// TestLogisticGradient compares with central differences.
func TestLogisticGradient(t *testing.T) {
	train, _, _ := toy(3, 12, 2, 3)
	s, err := newScaler(train.Features, []int{0, 1}, true)
	if err != nil {
		t.Fatal(err)
	}
	x, err := s.float64s(train.Features)
	if err != nil {
		t.Fatal(err)
	}
	p := newExact(x, 12, 6, newTargets(train))
	w := []float64{0.3, -0.2, 0.5, 0.1, -0.7, 0.2, -0.4}
	grad := make([]float64, len(w))
	if _, err := p.evaluate(context.Background(), 0, w, grad); err != nil {
		t.Fatal(err)
	}
	loss := func() float64 {
		sum, _ := p.evaluate(context.Background(), 0, w, make([]float64, len(w)))
		return sum
	}
	const step, tolerance = 1e-5, 1e-8
	for j := range w {
		at := w[j]
		w[j] = at + step
		above := loss()
		w[j] = at - step
		below := loss()
		w[j] = at
		if want := (above - below) / (2 * step); math.Abs(grad[j]-want) > tolerance {
			t.Errorf("gradient %d is %v, want %v", j, grad[j], want)
		}
	}
}

// TestLogisticTagWithOneLabel checks the tag that has no minimum: a constant score, its smoothed frequency.
func TestLogisticTagWithOneLabel(t *testing.T) {
	train, valid, _ := toy(4, 20, 2, 3)
	for i := range train.Labels {
		train.Labels[i] = []bool{train.Labels[i][0], true}
	}
	head, err := Fit(context.Background(), train, valid, logisticHead(1))
	if err != nil {
		t.Fatal(err)
	}
	scores, err := head.Scores(valid.Features)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range scores {
		if want := 20.5 / 21; math.Abs(row[1]-want) > 1e-6 {
			t.Fatalf("score %v, want %v", row[1], want)
		}
	}
}

func TestLogisticIsTheSameForAnyGOMAXPROCS(t *testing.T) {
	train, valid, test := toy(5, 40, 4, 30)
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	want, err := Fit(context.Background(), train, valid, logisticHead(1, 100))
	if err != nil {
		t.Fatal(err)
	}
	runtime.GOMAXPROCS(4)
	got, err := Fit(context.Background(), train, valid, logisticHead(1, 100))
	if err != nil {
		t.Fatal(err)
	}
	checkSameScores(t, got, want, test.Features)
}

// BenchmarkLogistic is one probe of the demonstration: 200 items, 4 x 96 features, 15 tags, 3 strengths.
func BenchmarkLogistic(b *testing.B) {
	train, valid, _ := wide(6, 200, 60, 4, 96, 15)
	for b.Loop() {
		if _, err := Fit(context.Background(), train, valid, logisticHead(10, 100, 1000)); err != nil {
			b.Fatal(err)
		}
	}
}

func logisticHead(l2 ...float64) HeadConfig {
	cfg := DefaultHead()
	cfg.Kind, cfg.L2 = Logistic, l2
	return cfg
}

func checkSameScores(t *testing.T, a, b *Fitted, f *Features) {
	t.Helper()
	x, errX := a.Scores(f)
	y, errY := b.Scores(f)
	if errX != nil || errY != nil {
		t.Fatal(errX, errY)
	}
	for i := range x {
		for tag := range x[i] {
			if x[i][tag] != y[i][tag] {
				t.Fatalf("item %d, tag %d: %v and %v, want the same bits", i, tag, x[i][tag], y[i][tag])
			}
		}
	}
}
