// Command slurmworker stands in for `syncretic sweep work STUDY` in .ci/slurm: it claims trials and sleeps instead of
// probing, so that the test is about Slurm, signals and the study alone. It is called in the same way, ends with 0 when no
// work is left, and with 130 after SIGTERM, its trial put back.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

const (
	steps  = 240             // of lambda, from 0 to 1 with both ends
	length = 2 * time.Second // of a trial, so that a signal mostly finds a worker in the middle of one
	beat   = time.Second
	stale  = 10 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop() // not before the end: Slurm and the shell both send SIGTERM
	err := work(ctx, os.Args[len(os.Args)-1])
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Println(err)
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "slurmworker:", err)
		os.Exit(1)
	}
}

func work(ctx context.Context, where string) error {
	db, err := store.Open(ctx, where)
	if err != nil {
		return err
	}
	defer db.Close()
	study, err := db.Study(ctx, "syncretic")
	if err != nil {
		return err
	}
	options := store.ClaimOptions{
		Space: search.Space{{Name: "lambda", High: 1}}, Propose: propose, Stale: stale, MaxRetries: -1,
		Worker: os.Getenv("SLURM_ARRAY_JOB_ID") + "_" + os.Getenv("SLURM_ARRAY_TASK_ID"),
	}
	for {
		turn, err := study.Claim(ctx, options)
		if err != nil {
			return err
		}
		if len(turn.Stale) > 0 {
			fmt.Printf("trials %v are taken from dead workers\n", turn.Stale)
		}
		switch {
		case turn.Trial != nil:
			err = try(ctx, study, turn.Trial)
		case turn.Done:
			return nil
		default:
			err = sleep(ctx, length/4)
		}
		if err != nil {
			return err
		}
	}
}

// propose gives the first point of the grid that no trial has.
func propose(history []search.Trial) (search.Proposal, error) {
	for i := range steps + 1 {
		lambda := float64(i) / steps
		if !slices.ContainsFunc(history, func(t search.Trial) bool { return t.Point["lambda"] == lambda }) {
			return search.Proposal{Point: search.Point{"lambda": lambda}}, nil
		}
	}
	return search.Proposal{Done: true}, nil
}

// try works on a trial, and puts it back when it is told to stop.
func try(ctx context.Context, study *store.Study, trial *store.Trial) error {
	always := context.WithoutCancel(ctx)
	fmt.Printf("trial %d begins\n", trial.Number)
	for range length / beat {
		if stopped := sleep(ctx, beat); stopped != nil {
			if err := study.PutBack(always, trial.ID, "put back: "+stopped.Error()); err != nil {
				return err
			}
			return fmt.Errorf("trial %d is put back: %w", trial.Number, stopped)
		}
		if err := study.Heartbeat(always, trial.ID); errors.Is(err, store.ErrNotRunning) {
			fmt.Printf("trial %d was taken away\n", trial.Number)
			return nil
		} else if err != nil {
			return err
		}
	}
	lambda := trial.Point["lambda"]
	scores := map[string]any{"tasks": map[string]any{"tones": map[string]any{"roc_auc": lambda, "average_precision": lambda}}}
	err := study.Finish(always, trial.ID, store.Outcome{State: search.Complete, Values: []float64{lambda}, User: map[string]any{"scores": scores}})
	if errors.Is(err, store.ErrNotRunning) {
		return nil
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
