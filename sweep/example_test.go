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

// A whole sweep over a model of one weight, whose score is best when the weight is 0.3.
func Example() {
	folder, err := os.MkdirTemp("", "sweep")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	ctx := context.Background()
	base, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{1}, Data: []float32{0}})
	if err != nil {
		log.Fatal(err)
	}
	tau, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{1}, Data: []float32{1}})
	if err != nil {
		log.Fatal(err)
	}
	evaluate := func(ctx context.Context, model checkpoint.Source) (sweep.Scores, error) {
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
	study, err := sweep.Open(ctx, filepath.Join(folder, "study.sqlite"), setup)
	if err != nil {
		log.Fatal(err)
	}
	defer study.Close()
	vectors := map[string]checkpoint.Source{"makam": tau}
	if err := sweep.Run(ctx, study, base, vectors, evaluate, nil); err != nil {
		log.Fatal(err)
	}
	trials, err := study.Trials(ctx)
	if err != nil {
		log.Fatal(err)
	}
	winner, err := setup.Rule.Select(trials)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d trials, lambda %s: %.2f against %.2f of the base\n", len(trials), winner.Lambdas, winner.Value, winner.BaseValue)
	fmt.Println(winner.Reason)
	// Output:
	// 21 trials, lambda 0.3: 0.70 against 0.61 of the base
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

func ExampleSpace_Points() {
	space := sweep.Space{Mode: sweep.PerCulture, Vectors: []string{"lyra", "makam"}, Values: []float64{0, 0.5}}
	points, err := space.Points()
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range points {
		fmt.Println(p)
	}
	// Output:
	// 0
	// lyra=0 makam=0.5
	// lyra=0.5 makam=0
	// 0.5
}
