package probe

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

func smallMLP() HeadConfig {
	cfg := DefaultHead()
	cfg.Hidden, cfg.Batch, cfg.Epochs, cfg.LR = 16, 16, 40, Rates{1e-2}
	return cfg
}

func TestMLPLearnsASeparableProblem(t *testing.T) {
	train, valid, test := toy(1, 120, 3, 6)
	for name, change := range map[string]func(*HeadConfig){
		"upper":        func(*HeadConfig) {},
		"all":          func(c *HeadConfig) { c.Layers = All },
		"one layer":    func(c *HeadConfig) { c.Layers = "2" },
		"raw features": func(c *HeadConfig) { c.Standardise = false },
	} {
		cfg := smallMLP()
		change(&cfg)
		eval, err := FitAndScore(context.Background(), train, valid, test, cfg, []uint64{1})
		if err != nil {
			t.Fatal(err)
		}
		if got := *eval.Test.ROCAUC.Mean; !(got > 0.9) { // two features 3 sd apart: 0.98 at best
			t.Errorf("%s: test ROC-AUC %v, want above 0.9", name, got)
		}
	}
}

func TestMLPOfTheWrongLayerLearnsNothing(t *testing.T) {
	train, valid, test := toy(1, 120, 3, 6)
	cfg := smallMLP()
	cfg.Layers = "0"
	eval, err := FitAndScore(context.Background(), train, valid, test, cfg, []uint64{1})
	if err != nil {
		t.Fatal(err)
	}
	if got := *eval.Test.ROCAUC.Mean; !(got < 0.75) {
		t.Errorf("test ROC-AUC %v from noise, want about 0.5", got)
	}
}

func TestMLPWeighsTheLayerThatHelps(t *testing.T) {
	train, valid, _ := toy(2, 160, 4, 6)
	cfg := smallMLP()
	cfg.Epochs, cfg.Stop = 60, 60
	head, err := Fit(context.Background(), train, valid, cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := head.Chosen.LayerWeights
	var sum float64
	for _, v := range w {
		sum += v
	}
	if len(w) != 3 || math.Abs(sum-1) > 1e-12 {
		t.Errorf("layer weights %v, want 3 that sum to 1", w)
	}
	initial := emptyMLP(3, 6, 16, 2)
	*initial = *newMLP(3, 6, 16, 2, rand.New(rand.NewPCG(cfg.Seed, 1)))
	if before := softmax(initial.mix); !(w[2] > before[2]) {
		t.Errorf("the useful layer's weight went from %v to %v, want a rise", before[2], w[2])
	}
}

func TestMLPIsDeterministic(t *testing.T) {
	train, valid, test := toy(3, 50, 3, 8)
	cfg := smallMLP()
	cfg.Epochs, cfg.Seed = 4, 7
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	first, err := Fit(context.Background(), train, valid, cfg)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GOMAXPROCS(4)
	second, err := Fit(context.Background(), train, valid, cfg)
	if err != nil {
		t.Fatal(err)
	}
	checkSameScores(t, first, second, test.Features)
	cfg.Seed = 8
	other, err := Fit(context.Background(), train, valid, cfg)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := first.Scores(test.Features)
	b, _ := other.Scores(test.Features)
	if a[0][0] == b[0][0] && a[1][1] == b[1][1] {
		t.Error("another seed gave the same scores")
	}
}

// TestMLPDropsNothingWhenScoring checks that scores are those of the weights, and that training does drop.
func TestMLPDropsNothingWhenScoring(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	m := newMLP(2, 3, 32, 2, r)
	x := []float32{1, 2, 3, 4, 5, 6}
	mix := softmax(m.mix)
	h := make([]float64, 3)
	for l, share := range mix {
		for d := range h {
			h[d] += share * float64(x[l*3+d])
		}
	}
	want := []float64{float64(m.outputBias[0]), float64(m.outputBias[1])}
	for k := range 32 {
		a := float64(m.hiddenBias[k])
		for d, v := range h {
			a += float64(m.hiddenWeight[k*3+d]) * v
		}
		for tag := range want {
			want[tag] += float64(m.outputWeight[tag*32+k]) * max(a, 0)
		}
	}
	const tolerance = 1e-5 // float32 over 32 units
	rows := [][]float32{x}
	got := m.logits(rows, 1)
	for tag := range want {
		if math.Abs(float64(got[tag])-want[tag]) > tolerance {
			t.Errorf("tag %d: logit %v, want %v", tag, got[tag], want[tag])
		}
	}
	var a activations
	m.forward(&a, rows, dropout{p: 0.5, seed: 3}, 1)
	if math.Abs(float64(a.z[0])-want[0]) < tolerance {
		t.Error("dropout of one half changed nothing")
	}
}

// TestMLPRestoresTheBestEpoch trains with a rate that overshoots, so that later epochs are worse.
func TestMLPRestoresTheBestEpoch(t *testing.T) {
	train, valid, _ := wide(4, 40, 30, 2, 10, 3)
	cfg := smallMLP()
	cfg.Epochs, cfg.Stop, cfg.LR = 30, 5, Rates{0.05}
	head, err := Fit(context.Background(), train, valid, cfg)
	if err != nil {
		t.Fatal(err)
	}
	trials := head.Chosen.Trials
	best := trials[head.Chosen.Epoch-1]
	if head.Valid.ROCAUC.Macro != best.Score {
		t.Errorf("valid ROC-AUC %v, want that of epoch %d, %v", head.Valid.ROCAUC.Macro, best.Epoch, best.Score)
	}
	for _, trial := range trials {
		if trial.Score > best.Score || trial.Score == best.Score && trial.Epoch < best.Epoch {
			t.Errorf("epoch %d kept with %v, but epoch %d has %v", best.Epoch, best.Score, trial.Epoch, trial.Score)
		}
	}
	if len(trials) != head.Chosen.Epoch+cfg.Stop || len(trials) == cfg.Epochs {
		t.Errorf("%d epochs run, best %d, want a stop %d later and before %d", len(trials), head.Chosen.Epoch, cfg.Stop, cfg.Epochs)
	}
	short := cfg
	short.Epochs = head.Chosen.Epoch
	again, err := Fit(context.Background(), train, valid, short)
	if err != nil {
		t.Fatal(err)
	}
	checkSameScores(t, head, again, valid.Features)
}

// TestPlateau follows PyTorch's ReduceLROnPlateau(mode="max", factor=0.5, patience=2).
func TestPlateau(t *testing.T) {
	p := plateau{lr: 1, patience: 2, best: math.Inf(-1)}
	for i, step := range []struct{ value, lr float64 }{
		{0.5, 1}, {0.50004, 1}, {0.4, 1}, {0.5, 0.5}, // a ten-thousandth better is not better
		{0.5, 0.5}, {0.6, 0.5}, {0.1, 0.5}, {0.1, 0.5}, {0.1, 0.25},
	} {
		if p.step(step.value); p.lr != step.lr {
			t.Fatalf("step %d: lr %v, want %v", i, p.lr, step.lr)
		}
	}
}

// TestMLPGradients compares the gradient of every weight with central differences.
func TestMLPGradients(t *testing.T) {
	m := newMLP(3, 4, 5, 2, rand.New(rand.NewPCG(5, 5)))
	r := rand.New(rand.NewPCG(6, 6))
	rows := make([][]float32, 7)
	for i := range rows {
		for range 12 {
			rows[i] = append(rows[i], float32(r.NormFloat64()))
		}
	}
	targets := []float32{1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1}
	grads := emptyMLP(3, 4, 5, 2)
	var a activations
	loss := func() float64 {
		m.forward(&a, rows, dropout{}, 1)
		return MultiLabel.gradient(a.z, targets, 2)
	}
	loss()
	m.backward(grads, &a, rows, dropout{}, 1)
	const step, tolerance = 1e-3, 2e-4 // float32 losses near 0.7; no hidden unit is nearer than a step to the kink
	for i, w := range m.tensors() {
		grad := grads.tensors()[i].Data
		for j := range w.Data {
			at := w.Data[j]
			w.Data[j] = at + step
			above := loss()
			w.Data[j] = at - step
			below := loss()
			w.Data[j] = at
			if want := (above - below) / (2 * step); math.Abs(float64(grad[j])-want) > tolerance {
				t.Errorf("%s[%d]: gradient %v, want %v", w.Name, j, grad[j], want)
			}
		}
	}
}

func TestMLPStopsWhenCancelledOrDiverging(t *testing.T) {
	train, valid, _ := toy(6, 30, 2, 4)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Fit(ctx, train, valid, smallMLP()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	cfg := smallMLP()
	cfg.LR = Rates{1e30}
	if _, err := Fit(context.Background(), train, valid, cfg); !errors.Is(err, ErrInvalid) {
		t.Errorf("diverging: got %v, want ErrInvalid", err)
	}
}

// BenchmarkMLP is five epochs of MARBLE's probe on features of MERT-95M: 12 of 13 layers of 768, 20 tags.
func BenchmarkMLP(b *testing.B) {
	train, valid, _ := wide(7, 256, 64, 13, 768, 20)
	cfg := DefaultHead()
	cfg.Epochs = 5
	for b.Loop() {
		if _, err := Fit(context.Background(), train, valid, cfg); err != nil {
			b.Fatal(err)
		}
	}
}
