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
	"syscall"
	"time"

	"syncretic/sweep"
	"syncretic/sweep/store"
)

// length of a trial: long enough that a signal mostly finds a worker in the middle of one. A trial that runs for stale is
// one whose worker was killed; here trials have a known length, and need no heartbeat to tell.
const (
	length = 2 * time.Second
	stale  = 10 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop() // never before the end: Slurm and the shell send SIGTERM twice
	if err := work(ctx, os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, "slurmworker:", err)
		if errors.Is(err, context.Canceled) {
			os.Exit(130)
		}
		os.Exit(1)
	}
}

func work(ctx context.Context, path string) error {
	points, err := lambdas(ctx, path)
	if err != nil {
		return err
	}
	always := context.WithoutCancel(ctx)
	db, err := store.Open(always, path)
	if err != nil {
		return err
	}
	defer db.Close()
	study, err := db.Study(always, "syncretic")
	if err != nil {
		return err
	}
	err = study.Enqueue(always, func(existing []store.Trial) ([]store.Entry, error) {
		if len(existing) > 0 {
			return nil, nil
		}
		var entries []store.Entry
		for _, p := range points {
			entries = append(entries, store.Entry{Params: p})
		}
		return entries, nil
	})
	for err == nil {
		err = one(ctx, study)
	}
	if errors.Is(err, errNone) {
		return nil
	}
	return err
}

var errNone = errors.New("no work is left")

// one claims a trial and finishes it or puts it back.
func one(ctx context.Context, study *store.Study) error {
	always := context.WithoutCancel(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	ranges := map[string]store.Range{"lambda": {Low: 0, High: 1}}
	trial, err := study.Claim(always, ranges)
	if err != nil {
		return err
	}
	if trial == nil {
		return waitForOthers(ctx, study)
	}
	fmt.Printf("trial %d begins\n", trial.Number)
	select {
	case <-time.After(length):
		lambda := trial.Params["lambda"]
		err := study.Finish(always, trial.ID, store.Outcome{State: store.Complete, Value: lambda,
			User: map[string]any{"scores": sweep.Scores{Tasks: map[string]sweep.Task{"tones": {ROCAUC: lambda}}}}})
		if errors.Is(err, store.ErrNotRunning) {
			fmt.Printf("trial %d was taken away\n", trial.Number)
			return nil
		}
		return err
	case <-ctx.Done():
	}
	if err := putBack(always, study, *trial); err != nil {
		return err
	}
	return fmt.Errorf("trial %d is put back: %w", trial.Number, ctx.Err())
}

// putBack ends a running trial and lets another of the same point wait.
func putBack(ctx context.Context, study *store.Study, trial store.Trial) error {
	err := study.Finish(ctx, trial.ID, store.Outcome{State: store.Fail, User: map[string]any{"error": "put back"}})
	if err != nil {
		return err
	}
	return study.Enqueue(ctx, func([]store.Trial) ([]store.Entry, error) {
		return []store.Entry{{Params: trial.Params, System: map[string]any{"failed_trial": trial.Number}}}, nil
	})
}

// waitForOthers puts back what dead workers left, and ends with errNone when nothing runs: what runs may be put back, too.
func waitForOthers(ctx context.Context, study *store.Study) error {
	trials, err := study.Trials(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	busy := false
	for _, t := range trials {
		busy = busy || !t.State.Finished()
		if t.State == store.Running && time.Since(t.Started) > stale {
			fmt.Printf("trial %d is taken from a dead worker\n", t.Number)
			if err := putBack(context.WithoutCancel(ctx), study, t); err != nil && !errors.Is(err, store.ErrNotRunning) {
				return err // of several workers that notice, one puts it back
			}
		}
	}
	if !busy {
		return errNone
	}
	select {
	case <-time.After(200 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lambdas are the points of the study's grid.
func lambdas(ctx context.Context, path string) (points []map[string]float64, err error) {
	study, err := sweep.Load(ctx, path)
	if err != nil {
		return nil, err
	}
	defer study.Close()
	all, err := study.Setup().Space.Points()
	for _, p := range all {
		point := map[string]float64{}
		for _, value := range p {
			point["lambda"] = value
		}
		points = append(points, point)
	}
	return points, err
}
