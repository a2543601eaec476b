package probe

import (
	"context"
	"errors"
	"math"
	"runtime"
	"testing"
)

// TestSeedsAndGridChangeNoBit compares heads that were fitted together, on several threads, with each fitted alone on one.
func TestSeedsAndGridChangeNoBit(t *testing.T) {
	train, valid, test := wide(4, 90, 40, 3, 16, 3)
	cfg := smallMLP()
	cfg.Epochs, cfg.Layers, cfg.LR = 4, Grid, Rates{1e-3, 1e-2}
	before := runtime.GOMAXPROCS(4)
	defer runtime.GOMAXPROCS(before)
	together, err := FitSeeds(context.Background(), train, valid, cfg, []uint64{5, 6, 7})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GOMAXPROCS(1)
	for i, seed := range []uint64{5, 6, 7} {
		chosen := together[i].Chosen
		if len(chosen.Candidates) != 8 { // upper and layers 0 to 2, two rates each
			t.Fatalf("%d candidates, want 8", len(chosen.Candidates))
		}
		for _, c := range chosen.Candidates {
			if c.Score > chosen.Score {
				t.Errorf("seed %d: chose %s at %g with %v, but %+v", seed, chosen.Layers, chosen.StartLR, chosen.Score, c)
			}
			alone := cfg
			alone.Layers, alone.LR, alone.Seed = c.Layers, Rates{c.LR}, seed
			head, err := Fit(context.Background(), train, valid, alone)
			if err != nil {
				t.Fatal(err)
			}
			if math.Float64bits(head.Chosen.Score) != math.Float64bits(c.Score) || head.Chosen.Epoch != c.Epoch {
				t.Errorf("seed %d, %s at %g: %v at epoch %d alone, %v at %d in the grid", seed, c.Layers, c.LR, head.Chosen.Score, head.Chosen.Epoch, c.Score, c.Epoch)
			}
			if c.Layers == chosen.Layers && c.LR == chosen.StartLR {
				checkSameScores(t, head, together[i], test.Features)
			}
		}
	}
}

// TestTasks fits heads of the other two tasks where the first two inputs of the last layer decide, and checks their scores.
func TestTasks(t *testing.T) {
	for _, kind := range []string{MLP, Ridge, Logistic} {
		for _, task := range []Task{SingleLabel, Regression} {
			train, valid, test := toy(8, 120, 2, 6)
			for _, s := range []*Split{&train, &valid, &test} {
				s.Task = task
				for i := range s.Labels {
					row, err := s.Features.Row(i, nil)
					if err != nil {
						t.Fatal(err)
					}
					if task == SingleLabel {
						s.Labels[i] = []bool{row[6] > row[7], row[6] <= row[7]}
						continue
					}
					s.Targets = append(s.Targets, []float64{100 + 20*float64(row[6]), 5 - 0.1*float64(row[7])})
				}
				if task == Regression {
					s.Labels = nil
				}
			}
			cfg := smallMLP()
			cfg.Kind, cfg.L2 = kind, []float64{1, 10}
			eval, err := FitAndScore(context.Background(), train, valid, test, cfg, []uint64{1, 2})
			if kind == Logistic && task == Regression {
				if !errors.Is(err, ErrConfig) {
					t.Errorf("logistic regression of values: %v, want ErrConfig", err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s, %s: %v", kind, task, err)
			}
			if got := *eval.Test.Score.Mean; !(got > 0.85) || eval.Heads[0].Chosen.Monitor != task.monitor() {
				t.Errorf("%s, %s: %s %v on test, want above 0.85", kind, task, eval.Heads[0].Chosen.Monitor, got)
			}
		}
	}
}

// TestLossGradients compares every task's gradient with central differences.
func TestLossGradients(t *testing.T) {
	z := []float32{0.3, -1.2, 2, 0.7, 0.1, -0.4}
	y := []float32{1, 0, 0, 0, 0, 1}
	const step, tolerance = 1e-3, 1e-4 // float32 logits
	for _, task := range []Task{MultiLabel, SingleLabel, Regression} {
		at := func(j int, by float32) float64 {
			moved := append([]float32(nil), z...)
			moved[j] += by
			return task.gradient(moved, y, 3)
		}
		grad := append([]float32(nil), z...)
		task.gradient(grad, y, 3)
		for j := range z {
			if want := (at(j, step) - at(j, -step)) / (2 * step); math.Abs(float64(grad[j])-want) > tolerance {
				t.Errorf("%q: gradient %d is %v, want %v", task, j, grad[j], want)
			}
		}
	}
}

func TestSplitRefusesLabelsOfAnotherTask(t *testing.T) {
	train, valid, _ := toy(8, 20, 2, 3)
	for name, change := range map[string]func(s *Split){
		"several classes": func(s *Split) { s.Task = SingleLabel },
		"no targets":      func(s *Split) { s.Task = Regression },
		"unknown":         func(s *Split) { s.Task = "ranking" },
		"NaN": func(s *Split) {
			s.Task = Regression
			for range s.Labels {
				s.Targets = append(s.Targets, []float64{0, math.NaN()})
			}
		},
	} {
		a, b := train, valid
		change(&a)
		change(&b)
		if _, err := Fit(context.Background(), a, b, smallMLP()); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}
