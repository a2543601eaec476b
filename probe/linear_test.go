package probe

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"testing"
)

// goldenLinear is a case of what testdata/make_linear.py writes.
type goldenLinear struct {
	Name                           string
	Train, Dim                     int
	L2                             float64
	Features                       [][]float64
	Labels                         [][]int
	Targets, Signs, Values, Logits [][]float64
}

func readLinear(t *testing.T) []goldenLinear {
	t.Helper()
	data, err := os.ReadFile("testdata/linear.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct{ Cases []goldenLinear }
	if err := json.Unmarshal(data, &g); err != nil || len(g.Cases) != 2 {
		t.Fatalf("%d cases, %v", len(g.Cases), err)
	}
	return g.Cases
}

// split returns the items from first to end, one row each.
func (g *goldenLinear) split(name string, task Task, first, end int) Split {
	s := Split{Name: name, Task: task, Tags: tagNames(len(g.Labels[0])), Features: &Features{Layers: 1, Dim: g.Dim}}
	for i := first; i < end; i++ {
		s.Features.Items = append(s.Features.Items, i)
		for _, v := range g.Features[i] {
			s.Features.Values = append(s.Features.Values, float32(v))
		}
		if task == Regression {
			s.Targets = append(s.Targets, g.Targets[i])
			continue
		}
		var label []bool
		for _, y := range g.Labels[i] {
			label = append(label, y == 1)
		}
		s.Labels = append(s.Labels, label)
	}
	return s
}

func checkClose(t *testing.T, name string, got, want [][]float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d items, want %d", name, len(got), len(want))
	}
	for i, row := range got {
		for tag, v := range row {
			if !(math.Abs(v-want[i][tag]) <= tolerance) {
				t.Errorf("%s: item %d, tag %d: %v, want %v", name, i, tag, v, want[i][tag])
			}
		}
	}
}

func TestRidgeEqualsScikitLearn(t *testing.T) {
	const tolerance = 2e-5 // products of float32, conditioned by the strength
	for _, g := range readLinear(t) {
		cfg := DefaultHead()
		cfg.Kind, cfg.L2 = Ridge, []float64{g.L2}
		for _, c := range []struct {
			task Task
			want [][]float64
		}{{MultiLabel, g.Signs}, {Regression, g.Values}} {
			train, valid := g.split(Train, c.task, 0, g.Train), g.split(Valid, c.task, g.Train, len(g.Features))
			head, err := Fit(context.Background(), train, valid, cfg)
			if err != nil {
				t.Fatal(err)
			}
			head.Task = Regression // values instead of their sigmoids
			got, err := head.Scores(valid.Features)
			if err != nil {
				t.Fatal(err)
			}
			checkClose(t, g.Name+string(c.task), got, c.want[g.Train:], tolerance)
		}
	}
}

// TestGramSolvers holds the two ways to solve to one another, on a matrix of several tiles.
func TestGramSolvers(t *testing.T) {
	const n, rows, tags = 530, 600, 2
	train, _, _ := toy(9, rows, 1, n)
	s, err := newScaler(train.Features, []int{0}, true)
	if err != nil {
		t.Fatal(err)
	}
	right := make([]float64, n*tags)
	for i := range right {
		right[i] = float64(i%7) - 3
	}
	solutions := map[string][]float64{}
	for _, way := range []string{"spectral", "cholesky"} {
		g := &gram{n: n, data: make([]float64, n*n)}
		if err := (&reader{f: train.Features, s: s}).blocks(2, func(_ int, block [][]float32) error {
			x := make([]float32, 0, len(block)*n)
			for _, row := range block {
				x = append(x, row...)
			}
			g.add(x, len(block), 2)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		use := func(_ int, solution []float64) { solutions[way] = append(solutions[way], solution...) }
		if way == "spectral" {
			err = g.spectral([]float64{100, 3}, right, tags, use)
		} else {
			err = g.cholesky(context.Background(), []float64{100, 3}, right, tags, use)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range solutions["spectral"] {
		if want := solutions["cholesky"][i]; math.Abs(v-want) > 1e-9 {
			t.Fatalf("element %d: %v by eigenvalues, %v by Cholesky", i, v, want)
		}
	}
	if len(solutions["spectral"]) != 2*n*tags {
		t.Errorf("%d elements, want two solutions", len(solutions["spectral"]))
	}
}

// TestStreamedLogistic holds the streamed objective to scikit-learn's minimum and to the exact one.
func TestStreamedLogistic(t *testing.T) {
	const tolerance = 2e-3 // of a logit: the gradient is within 3e-5 of the rows
	for _, g := range readLinear(t) {
		train, all := g.split(Train, MultiLabel, 0, g.Train), g.split(Valid, MultiLabel, 0, len(g.Features))
		s, err := newScaler(train.Features, []int{0}, true)
		if err != nil {
			t.Fatal(err)
		}
		heads := []*linearHead{emptyLinear(g.Dim, len(train.Tags)), emptyLinear(g.Dim, len(train.Tags))}
		if err := minimiseAll(context.Background(), newStreamed(s, train), train, []float64{100, g.L2}, heads); err != nil {
			t.Fatal(err)
		}
		logits := newMeans(all.Features, len(train.Tags))
		if err := (&reader{f: all.Features, s: s}).blocks(1, func(first int, rows [][]float32) error {
			logits.add(first, heads[1].logits(rows, 1))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		checkClose(t, g.Name, logits.sums, g.Logits, tolerance)
		// alone, a strength finds the same bits
		alone := []*linearHead{emptyLinear(g.Dim, len(train.Tags))}
		if err := minimiseAll(context.Background(), newStreamed(s, train), train, []float64{g.L2}, alone); err != nil {
			t.Fatal(err)
		}
		for j, w := range alone[0].weight {
			if w != heads[1].weight[j] {
				t.Fatalf("%s: weight %d is %v alone and %v beside another strength", g.Name, j, w, heads[1].weight[j])
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := minimiseAll(ctx, newStreamed(s, train), train, []float64{1}, alone); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}
