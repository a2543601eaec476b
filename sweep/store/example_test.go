package store_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

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
	study, _, err := db.CreateStudy(ctx, "demo", store.Maximize, map[string]any{"seed": 1})
	if err != nil {
		log.Fatal(err)
	}
	err = study.Enqueue(ctx, func(existing []store.Trial) ([]store.Entry, error) {
		return []store.Entry{{Params: map[string]float64{"lambda": 0.25}}}, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	trial, err := study.Claim(ctx, map[string]store.Range{"lambda": {Low: 0, High: 1}})
	if err != nil {
		log.Fatal(err)
	}
	if err := study.Finish(ctx, trial.ID, store.Outcome{State: store.Complete, Value: 0.7}); err != nil {
		log.Fatal(err)
	}
	trials, err := study.Trials(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(trials[0].Number, trials[0].State, trials[0].Params["lambda"], trials[0].Value)
	// Output: 0 COMPLETE 0.25 0.7
}
