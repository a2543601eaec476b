package store_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

func Example() {
	folder, err := os.MkdirTemp("", "store")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	ctx := context.Background()

	db, err := store.Create(ctx, filepath.Join(folder, "study.sqlite"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	study, _, err := db.CreateStudy(ctx, "demo", []search.Direction{search.Maximize}, map[string]any{"seed": 1})
	if err != nil {
		log.Fatal(err)
	}
	// Two trials: a sampler's Ask would stand here.
	propose := func(history []search.Trial) (search.Proposal, error) {
		if len(history) == 2 {
			return search.Proposal{Done: true}, nil
		}
		return search.Proposal{Point: search.Point{"lambda": 0.25 * float64(1+len(history))}}, nil
	}
	for {
		turn, err := study.Claim(ctx, store.ClaimOptions{Space: search.Space{{Name: "lambda", High: 1}}, Propose: propose, Stale: time.Minute})
		if err != nil {
			log.Fatal(err)
		}
		if turn.Trial == nil { // Done, since no other worker runs
			break
		}
		lambda := turn.Trial.Point["lambda"]
		err = study.Finish(ctx, turn.Trial.ID, store.Outcome{State: search.Complete, Values: []float64{lambda * (1 - lambda)}})
		if err != nil {
			log.Fatal(err)
		}
	}
	trials, err := study.Trials(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range trials {
		fmt.Println(t.Number, t.State, t.Point["lambda"], t.Values)
	}
	// Output:
	// 0 COMPLETE 0.25 [0.1875]
	// 1 COMPLETE 0.5 [0.25]
}

func ExampleRedact() {
	fmt.Println(store.Redact("postgresql+psycopg2://makam:s3cret@db.example.org/sweeps"))
	// Output: postgresql+psycopg2://makam:***@db.example.org/sweeps
}
