package probe

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"testing"
)

// goldenMLP is what testdata/make_mlp.py writes.
type goldenMLP struct {
	MadeBy struct {
		Torch string `json:"torch"`
		Seed  int    `json:"seed"`
	} `json:"made_by"`
	Items, Layers, Dim, Hidden, Tags int
	LR                               float64
	X, Logits                        []float32
	Y                                [][]int
	Before, After                    map[string][]float32
	Losses, Values, Rates            []float64
}

func readMLP(t *testing.T) goldenMLP {
	t.Helper()
	data, err := os.ReadFile("testdata/mlp.json")
	if err != nil {
		t.Fatal(err)
	}
	var g goldenMLP
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if g.MadeBy.Torch == "" || g.MadeBy.Seed == 0 || len(g.Losses) != 10 || len(g.Rates) != 60 || len(g.After) != 5 {
		t.Fatalf("made by %+v: %d losses, %d rates, %d weights", g.MadeBy, len(g.Losses), len(g.Rates), len(g.After))
	}
	return g
}

// TestTrainingEqualsPyTorch takes ten full-batch steps from PyTorch's initial weights, without dropout. The order of the
// items changes with each epoch, which a full batch feels in its rounding only.
func TestTrainingEqualsPyTorch(t *testing.T) {
	const tolerance = 2e-5 // ten float32 Adam steps of 0.01
	g := readMLP(t)
	m := emptyMLP(g.Layers, g.Dim, g.Hidden, g.Tags)
	for _, w := range m.tensors() {
		if copy(w.Data, g.Before[w.Name]) != len(w.Data) {
			t.Fatalf("%s has %d values, want %d", w.Name, len(g.Before[w.Name]), len(w.Data))
		}
	}
	labels := make([][]bool, g.Items)
	for i, row := range g.Y {
		for _, y := range row {
			labels[i] = append(labels[i], y == 1)
		}
	}
	cfg := DefaultHead()
	cfg.Hidden, cfg.Dropout, cfg.Batch, cfg.LR = g.Hidden, 0, g.Items, Rates{g.LR}
	train := Split{Tags: tagNames(g.Tags), Labels: labels, Features: &Features{Layers: g.Layers, Dim: g.Dim, Values: g.X}}
	for i := range g.Items {
		train.Features.Items = append(train.Features.Items, i)
	}
	raw, err := newScaler(train.Features, span(0, g.Layers), false)
	if err != nil {
		t.Fatal(err)
	}
	c := newCourse(raw, train, train, cfg, []candidate{{picked: span(0, g.Layers), lr: g.LR}})
	c.lanes[0].mlp.copyFrom(m)
	m = c.lanes[0].mlp
	for step, want := range g.Losses {
		c.lanes[0].loss = 0
		if err := c.epoch(context.Background(), func() int { return 2 }); err != nil {
			t.Fatal(err)
		}
		got := c.lanes[0].loss / float64(g.Items)
		if math.Abs(got-want) > tolerance {
			t.Errorf("step %d: loss %v, want %v", step, got, want)
		}
	}
	for _, w := range m.tensors() {
		for j, want := range g.After[w.Name] {
			if math.Abs(float64(w.Data[j]-want)) > tolerance {
				t.Errorf("%s[%d] is %v, want %v", w.Name, j, w.Data[j], want)
			}
		}
	}
	rows, err := c.valid.read(span(0, g.Items), 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range m.logits(rows, 1) {
		if want := g.Logits[i]; math.Abs(float64(got-want)) > 10*tolerance {
			t.Errorf("item %d, tag %d: logit %v, want %v", i/g.Tags, i%g.Tags, got, want)
		}
	}
}

func TestPlateauEqualsPyTorch(t *testing.T) {
	g := readMLP(t)
	p := plateau{lr: 1, patience: 3, best: math.Inf(-1)}
	for i, value := range g.Values {
		if p.step(value); p.lr != g.Rates[i] {
			t.Fatalf("step %d: lr %v, want %v", i, p.lr, g.Rates[i])
		}
	}
	if last := g.Rates[len(g.Rates)-1]; !(last < 0.5) {
		t.Errorf("the fixture ends at %v: it hardly tests halving", last)
	}
}

// TestNewMLPDrawsLikePyTorch checks the range and the spread of the initial weights.
func TestNewMLPDrawsLikePyTorch(t *testing.T) {
	cfg := DefaultHead()
	train, valid, _ := wide(8, 8, 8, 13, 64, 20)
	cfg.Epochs, cfg.LR = 1, Rates{1e-12}
	head, err := Fit(context.Background(), train, valid, cfg)
	if err != nil {
		t.Fatal(err)
	}
	m := head.model.(*mlp)
	for name, c := range map[string]struct {
		weights []float32
		in      float64
	}{"hidden": {m.hiddenWeight, 64}, "output": {m.outputWeight, 512}} {
		bound := 1 / math.Sqrt(c.in)
		var square float64
		for _, w := range c.weights {
			square += float64(w) * float64(w)
		}
		const slack = 1.0001
		if most := float64(max(slices.Max(c.weights), -slices.Min(c.weights))); most > bound*slack || most < 0.99*bound {
			t.Errorf("%s: largest weight %v, want just below %v", name, most, bound)
		}
		// the variance of U(±b) is b²/3; 10^4 draws hold it to 2 %
		if got, want := square/float64(len(c.weights)), bound*bound/3; math.Abs(got/want-1) > 0.05 {
			t.Errorf("%s: variance %v, want about %v", name, got, want)
		}
	}
}

func TestEach(t *testing.T) {
	early, late := errors.New("early"), errors.New("late")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		n    int
		f    func(i int) error
		want error
	}{
		{"nothing", context.Background(), 0, func(int) error { return early }, nil},
		{"all well", context.Background(), 50, func(int) error { return nil }, nil},
		{"one fails", context.Background(), 50, func(i int) error {
			if i == 30 {
				return late
			}
			return nil
		}, late},
		{"the first of several", context.Background(), 1, func(int) error { return early }, early},
		{"cancelled before", ctx, 50, func(int) error { return early }, context.Canceled},
		{"a job reports the cancellation", ctx, 0, func(int) error { return nil }, context.Canceled},
	} {
		if err := each(c.ctx, c.n, nil, c.f); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	done := make([]bool, 200)
	if err := each(context.Background(), len(done), nil, func(i int) error { done[i] = true; return nil }); err != nil || slices.Contains(done, false) {
		t.Errorf("not every job ran: %v", err)
	}
}
