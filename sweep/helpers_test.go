package sweep

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"testing"

	"syncretic/checkpoint"
	"syncretic/sweep/search"
)

// memory is a model of one tensor "w".
func memory(t *testing.T, values ...float32) checkpoint.Source {
	t.Helper()
	m, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{len(values)}, Data: values})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// toyModels is a base of zeros and one vector a culture, each along its own axis: the weights of a merge are its lambdas.
type toyModels struct{ *testing.T }

func (m toyModels) Model(_ context.Context, c Choice) (checkpoint.Source, []byte, error) {
	if c.Lambdas["lyra"] == poison {
		return nil, nil, errBroken
	}
	return memory(m.T, float32(c.Lambdas["lyra"]), float32(c.Lambdas["makam"])), []byte("merge_method: " + c.Method), nil
}

func (m toyModels) Reference(_ context.Context, r Reference) (checkpoint.Source, error) {
	switch r {
	case Expert("lyra"):
		return memory(m.T, 1, 0), nil
	case Expert("makam"):
		return memory(m.T, 0, 1), nil
	case Multi:
		return memory(m.T, 0.4, 0.4), nil
	}
	return memory(m.T, 0, 0), nil
}

// poison is a lambda whose model cannot be made.
const poison = 13

var errBroken = errors.New("broken")

// worker evaluates toy models.
func worker(t *testing.T, evaluate Evaluate) Worker {
	return Worker{Models: toyModels{t}, Evaluate: evaluate, Name: "here:1", Host: "here"}
}

func toySpace(values ...float64) Space {
	return Space{Mode: Shared, Vectors: []string{"lyra", "makam"}, Values: values}
}

func toySetup(values ...float64) Setup {
	return Setup{Space: toySpace(values...), Rule: Rule{Metric: ROCAUC, Rho: 0.98}, Seed: 7, Version: "v0", Folder: "/here"}
}

// weights reads the merged model.
func weights(t *testing.T, model checkpoint.Source) []float64 {
	t.Helper()
	w := make([]float32, 2)
	if err := model.Read("w", 0, w); err != nil {
		t.Error(err)
	}
	return []float64{math.Round(float64(w[0])*1e6) / 1e6, math.Round(float64(w[1])*1e6) / 1e6}
}

// hill scores a merge by its first weight: best at 0.5, while Western falls.
func hill(t *testing.T) Evaluate {
	return func(ctx context.Context, model checkpoint.Source, _ float64) (Scores, error) {
		l := weights(t, model)[0]
		return scores(0.6+0.1*l*(1-l), 0.7-0.01*l, 30+(l-0.3)*(l-0.3)), nil
	}
}

// scores are those of one culture and of Western.
func scores(auc, western, loss float64) Scores {
	return Scores{
		Tasks: map[string]Task{
			"makam":   {ROCAUC: auc, AveragePrecision: auc / 2, F1: auc / 4},
			"western": {ROCAUC: western, AveragePrecision: western / 2, F1: western / 4, Western: true},
		},
		Losses: map[string]Loss{"makam": {Value: loss}, "western": {Value: 31, Western: true}},
	}
}

func openToy(t *testing.T, path string, setup Setup) *Study {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "study.sqlite")
	}
	study, err := Open(context.Background(), path, DefaultName, setup)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { study.Close() })
	return study
}

func trialsOf(t *testing.T, study *Study) []Trial {
	t.Helper()
	trials, err := study.Trials(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return trials
}

func run(t *testing.T, study *Study, evaluate Evaluate) {
	t.Helper()
	if err := Run(context.Background(), study, worker(t, evaluate)); err != nil {
		t.Fatal(err)
	}
}

func statesOf(trials []Trial) (states []search.State) {
	for _, t := range trials {
		states = append(states, t.State)
	}
	return states
}
