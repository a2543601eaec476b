package sweep_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"syncretic/checkpoint"
	"syncretic/sweep"
)

// models are merges of one weight, which is lambda; package sweep/fuse makes those of checkpoints.
type models struct{}

func (models) Model(_ context.Context, c sweep.Choice) (checkpoint.Source, []byte, error) {
	m, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{1}, Data: []float32{float32(c.Lambdas["makam"])}})
	return m, nil, err
}

func (m models) Reference(ctx context.Context, r sweep.Reference) (checkpoint.Source, error) {
	lambda := 0.0
	if _, ok := r.Vector(); ok {
		lambda = 1
	}
	model, _, err := m.Model(ctx, sweep.Choice{Lambdas: sweep.Lambdas{"makam": lambda}})
	return model, err
}

// A whole sweep over a model of one weight, whose score is best when the weight is 0.3.
func Example() {
	folder, err := os.MkdirTemp("", "sweep")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	ctx := context.Background()
	evaluate := func(ctx context.Context, model checkpoint.Source, part float64) (sweep.Scores, error) {
		w := make([]float32, 1)
		if err := model.Read("w", 0, w); err != nil {
			return sweep.Scores{}, err
		}
		d := float64(w[0]) - 0.3
		return sweep.Scores{Tasks: map[string]sweep.Task{
			"makam": {ROCAUC: 0.7 - d*d},
			"mtat":  {ROCAUC: 0.8, Western: true},
		}}, nil
	}

	setup := sweep.Setup{
		Space: sweep.Space{Mode: sweep.Shared, Vectors: []string{"makam"}, Values: sweep.DefaultValues()},
		Rule:  sweep.Rule{Metric: sweep.ROCAUC, Rho: sweep.DefaultRho},
		Seed:  1,
	}
	study, err := sweep.Open(ctx, filepath.Join(folder, "study.sqlite"), sweep.DefaultName, setup)
	if err != nil {
		log.Fatal(err)
	}
	defer study.Close()
	if err := sweep.Run(ctx, study, sweep.Worker{Models: models{}, Evaluate: evaluate}); err != nil {
		log.Fatal(err)
	}
	winner, err := study.Select(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("lambda %s: %.2f against %.2f of the base\n", winner.Choice.Lambdas, winner.Value, winner.BaseValue)
	fmt.Println(winner.Reason)
	// Output:
	// lambda 0.3: 0.70 against 0.61 of the base
	// best of 20 candidates that keep the Western roc_auc at 0.7840 (0.98 of the base's 0.8000)
}

func ExampleParseConfig() {
	_, err := sweep.ParseConfig([]byte("base: mert\nlamda: {mode: shared}\n"))
	fmt.Println(err)
	// Output: invalid sweep config: line 2: unknown key "lamda" (did you mean "lambda"?)
}

func ExampleGrid() {
	fmt.Println(sweep.Grid(0, 0.3, 4))
	// Output: [0 0.1 0.2 0.3]
}
