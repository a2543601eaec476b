package sweep

import (
	"context"
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

// toy is a base of zeros and one vector a culture, each along its own axis: the weights of a merge are its lambdas.
func toy(t *testing.T) (base checkpoint.Source, vectors map[string]checkpoint.Source) {
	t.Helper()
	return memory(t, 0, 0), map[string]checkpoint.Source{"lyra": memory(t, 1, 0), "makam": memory(t, 0, 1)}
}

func toySpace(values ...float64) Space {
	return Space{Mode: Shared, Vectors: []string{"lyra", "makam"}, Values: values}
}

func toySetup(values ...float64) Setup {
	return Setup{Space: toySpace(values...), Rule: Rule{Metric: ROCAUC, Rho: 0.98}, Seed: 7, Version: "v0"}
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
	return func(ctx context.Context, model checkpoint.Source) (Scores, error) {
		l := weights(t, model)[0]
		return scores(0.6+0.1*l*(1-l), 0.7-0.01*l, 30+(l-0.3)*(l-0.3)), nil
	}
}

// scores are those of one culture and of Western.
func scores(auc, western, loss float64) Scores {
	return Scores{
		Tasks: map[string]Task{
			"makam":   {ROCAUC: auc, AveragePrecision: auc / 2},
			"western": {ROCAUC: western, AveragePrecision: western / 2, Western: true},
		},
		Losses: map[string]Loss{"makam": {Value: loss}, "western": {Value: 31, Western: true}},
	}
}

func openToy(t *testing.T, path string, setup Setup) *Study {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "study.sqlite")
	}
	study, err := Open(context.Background(), path, setup)
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

func statesOf(trials []Trial) (states []search.State) {
	for _, t := range trials {
		states = append(states, t.State)
	}
	return states
}
