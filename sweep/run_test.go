package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"syncretic/checkpoint"
	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

func TestRunScoresEveryPointOnce(t *testing.T) {
	study := openToy(t, "", toySetup(0, 0.5, 1))
	var seen, lines []string
	score := hill(t)
	w := worker(t, func(ctx context.Context, model checkpoint.Source, part float64) (Scores, error) {
		seen = append(seen, fmt.Sprint(weights(t, model)))
		return score(ctx, model, part)
	})
	w.Hear = func(p Progress) {
		if p.Reference != "" {
			lines = append(lines, fmt.Sprintf("%s %s", p.Reference, p.Trial.State))
			return
		}
		lines = append(lines, fmt.Sprintf("%d/%d %d %s", p.Done, p.Total, p.Trial.Number, p.Trial.State))
	}
	for range 2 { // the second run finds nothing to do
		if err := Run(context.Background(), study, w); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"[0 0]", "[0.5 0.5]", "[1 1]"}; !slices.Equal(seen, want) { // the base is measured once, as a reference
		t.Errorf("evaluated %v, want %v", seen, want)
	}
	want := []string{"base RUNNING", "base COMPLETE", "0/3 0 RUNNING", "1/3 0 COMPLETE", "1/3 1 RUNNING", "2/3 1 COMPLETE", "2/3 2 RUNNING", "3/3 2 COMPLETE"}
	if !slices.Equal(lines, want) {
		t.Errorf("progress %q, want %q", lines, want)
	}
	trials := trialsOf(t, study)
	for _, trial := range trials {
		if trial.Version != "v0" || trial.Seed != 7 || trial.Seconds["total"] <= 0 || trial.Started.IsZero() || trial.Finished.Before(trial.Started) ||
			trial.Error != "" || trial.Recipe != "merge_method: task_arithmetic" || trial.Worker != "here:1" || trial.Part != 1 {
			t.Errorf("trial %+v", trial)
		}
	}
	if !reflect.DeepEqual(*trials[1].Scores, scores(0.6+0.1*0.25, 0.7-0.005, 30+0.2*0.2)) {
		t.Errorf("scores %+v", *trials[1].Scores)
	}
	if winner, err := study.Select(context.Background()); err != nil || winner.Trial != 1 {
		t.Errorf("winner %+v, %v", winner, err)
	}
}

func TestRunPerCulture(t *testing.T) {
	setup := toySetup(0, 1)
	setup.Space.Mode = PerCulture
	study := openToy(t, "", setup)
	var seen []string
	run(t, study, func(_ context.Context, model checkpoint.Source, _ float64) (Scores, error) {
		seen = append(seen, fmt.Sprint(weights(t, model)))
		return scores(0.5, 0.5, 1), nil
	})
	if want := []string{"[0 0]", "[0 1]", "[1 0]", "[1 1]"}; !slices.Equal(seen, want) {
		t.Errorf("evaluated %v, want %v", seen, want)
	}
}

// TestRunNormalises measures the experts first, and divides by their scores.
func TestRunNormalises(t *testing.T) {
	setup := toySetup(0.5)
	setup.Rule.Experts, setup.Multi = map[string]string{"makam": "makam"}, true
	study := openToy(t, "", setup)
	var seen []string
	run(t, study, func(_ context.Context, model checkpoint.Source, _ float64) (Scores, error) {
		w := weights(t, model)
		seen = append(seen, fmt.Sprint(w))
		return scores(0.5+0.3*w[1], 0.7, 1), nil
	})
	if want := []string{"[0 0]", "[0 1]", "[0.4 0.4]", "[0.5 0.5]"}; !slices.Equal(seen, want) {
		t.Errorf("evaluated %v, want %v: base, the expert that is needed, the multi-culture model, the trial", seen, want)
	}
	trial := trialsOf(t, study)[0]
	if want := 0.65 / 0.8; len(trial.Values) != 1 || math.Abs(trial.Values[0]-want) > 1e-12 {
		t.Errorf("value %v, want %v", trial.Values, want)
	}
	selection, err := study.Select(context.Background())
	if err != nil || !selection.Normalised || selection.Value != trial.Values[0] || selection.Mean != 0.65 || math.Abs(selection.BaseValue-0.5/0.8) > 1e-12 {
		t.Errorf("selection %+v, %v", selection, err)
	}
	rows, err := study.inner.Trials(context.Background())
	if err != nil || len(rows[0].Constraints) != 1 || math.Abs(rows[0].Constraints[0]-(0.98*0.7-0.7)) > 1e-12 {
		t.Errorf("constraints %v, %v", rows[0].Constraints, err)
	}
}

// TestRunAfterKill leaves the study as a killed process leaves it: one trial RUNNING.
func TestRunAfterKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.sqlite")
	killed := openToy(t, path, toySetup(0, 0.5, 1))
	func() {
		defer func() { _ = recover() }()
		n := 0
		run(t, killed, func(ctx context.Context, model checkpoint.Source, part float64) (Scores, error) {
			if n++; n == 2 {
				panic("killed")
			}
			return hill(t)(ctx, model, part)
		})
	}()
	killed.Close()

	study := openToy(t, path, toySetup(0, 0.5, 1))
	if got, want := statesOf(trialsOf(t, study)), []search.State{search.Complete, search.Running}; !slices.Equal(got, want) {
		t.Fatalf("the killed run left %v, want %v", got, want)
	}
	w := worker(t, hill(t))
	w.Stale = 300 * time.Millisecond
	if err := Run(context.Background(), study, w); err != nil {
		t.Fatal(err)
	}
	trials := trialsOf(t, study)
	var ended []string
	for _, trial := range trials {
		ended = append(ended, fmt.Sprintf("%s %s", trial.Choice.Lambdas, trial.State))
	}
	slices.Sort(ended)
	if want := []string{"0 COMPLETE", "0.5 COMPLETE", "0.5 FAIL", "1 COMPLETE"}; !slices.Equal(ended, want) {
		t.Errorf("after the second run %q, want %q", ended, want)
	}
	if i := slices.IndexFunc(trials, func(t Trial) bool { return t.Retries == 1 }); i < 0 || trials[i].Choice.Lambdas.String() != "0.5" {
		t.Errorf("no trial says that it is a second attempt: %+v", trials)
	}
}

func TestRunStopsCleanly(t *testing.T) {
	for _, c := range []struct {
		name string
		stop func(cancel func()) (Scores, error)
		is   error
	}{
		{"cancelled and the evaluation says so", func(cancel func()) (Scores, error) { cancel(); return Scores{}, context.Canceled }, context.Canceled},
		{"cancelled and the evaluation goes on", func(cancel func()) (Scores, error) { cancel(); return scores(0.5, 0.5, 1), nil }, context.Canceled},
		{"evaluation fails", func(func()) (Scores, error) { return Scores{}, errBroken }, errBroken},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			study := openToy(t, "", toySetup(0, 0.5, 1))
			n := 0
			err := Run(ctx, study, worker(t, func(ctx context.Context, model checkpoint.Source, part float64) (Scores, error) {
				if n++; n == 2 {
					return c.stop(cancel)
				}
				return hill(t)(ctx, model, part)
			}))
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), "trial 1") {
				t.Fatalf("error %v, want %v of trial 1", err, c.is)
			}
			trials := trialsOf(t, study)
			want := []search.State{search.Complete, search.Fail}
			if errors.Is(c.is, context.Canceled) {
				want = append(want, search.Waiting) // put back
			}
			if got := statesOf(trials); !slices.Equal(got, want) {
				t.Fatalf("left %v, want %v", got, want)
			}
			if trials[1].Scores != nil || trials[1].Error == "" {
				t.Errorf("failed trial %+v", trials[1])
			}
			run(t, study, hill(t))
			if got := statesOf(trialsOf(t, study)); !slices.Equal(got, []search.State{search.Complete, search.Fail, search.Complete, search.Complete}) {
				t.Errorf("after the second run %v", got)
			}
		})
	}
}

// TestCancelledWorkerPutsBackAtOnce: not when the evaluation returns, which may take longer than a cluster waits.
func TestCancelledWorkerPutsBackAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	study := openToy(t, "", toySetup(0.5))
	deaf := make(chan struct{})
	ended := make(chan error)
	go func() {
		ended <- Run(ctx, study, worker(t, func(ctx context.Context, model checkpoint.Source, part float64) (Scores, error) {
			if weights(t, model)[0] == 0.5 {
				cancel()
				<-deaf
			}
			return hill(t)(ctx, model, part)
		}))
	}()
	for {
		states := statesOf(trialsOf(t, study))
		if slices.Equal(states, []search.State{search.Fail, search.Waiting}) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	close(deaf)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if states := statesOf(trialsOf(t, study)); !slices.Equal(states, []search.State{search.Fail, search.Waiting}) {
		t.Errorf("the late result changed the study: %v", states)
	}
}

// TestTakenTrialIsDropped: a worker that was not heard of for too long loses its trial, and its late result counts for nothing.
func TestTakenTrialIsDropped(t *testing.T) {
	ctx := context.Background()
	study := openToy(t, "", toySetup(0.5))
	w := worker(t, nil)
	w.Stale = 300 * time.Millisecond
	n := 0
	w.Evaluate = func(ctx context.Context, model checkpoint.Source, part float64) (Scores, error) {
		if n++; n == 2 { // somebody else finishes the trial meanwhile
			rows, err := study.inner.Trials(ctx)
			if err != nil {
				return Scores{}, err
			}
			if err := study.inner.PutBack(ctx, rows[0].ID, "taken"); err != nil {
				return Scores{}, err
			}
			<-ctx.Done() // the next heartbeat finds out
			return Scores{}, ctx.Err()
		}
		return hill(t)(ctx, model, part)
	}
	if err := Run(ctx, study, w); err != nil {
		t.Fatal(err)
	}
	if got := statesOf(trialsOf(t, study)); !slices.Equal(got, []search.State{search.Fail, search.Complete}) {
		t.Errorf("states %v", got)
	}
}

func TestRunCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	study := openToy(t, "", toySetup(1))
	cancel()
	err := Run(ctx, study, worker(t, func(context.Context, checkpoint.Source, float64) (Scores, error) {
		t.Error("evaluated")
		return Scores{}, nil
	}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestRunKeepsScoresThatAreNotNumbers(t *testing.T) {
	study := openToy(t, "", toySetup(0, 1))
	n := 0
	evaluate := func(ctx context.Context, model checkpoint.Source, _ float64) (Scores, error) {
		n++
		if weights(t, model)[0] == 1 {
			return scores(math.NaN(), 0.5, math.Inf(1)), nil
		}
		return scores(0.5, 0.5, 30), nil
	}
	for range 2 {
		run(t, study, evaluate)
	}
	trials := trialsOf(t, study)
	if n != 2 || len(trials) != 2 {
		t.Fatalf("%d evaluations of %d trials, want 2 of 2: NaN is a result", n, len(trials))
	}
	if trials[1].State != search.Pruned || !strings.Contains(trials[1].Error, "not a number") {
		t.Errorf("trial %+v", trials[1])
	}
	if got := trials[1].Scores.Losses["makam"].Value; !math.IsNaN(got) {
		t.Errorf("infinite loss came back as %v, want NaN", got)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Run("other datasets than the base's", func(t *testing.T) {
		study := openToy(t, "", toySetup(0, 1))
		err := Run(context.Background(), study, worker(t, func(_ context.Context, model checkpoint.Source, _ float64) (Scores, error) {
			s := scores(0.5, 0.5, 1)
			if weights(t, model)[0] != 0 {
				delete(s.Losses, "western")
			}
			return s, nil
		}))
		if err == nil || !strings.Contains(err.Error(), "datasets") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a model that cannot be made", func(t *testing.T) {
		study := openToy(t, "", toySetup(0, poison))
		if err := Run(context.Background(), study, worker(t, hill(t))); !errors.Is(err, errBroken) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("scores that the rule cannot use", func(t *testing.T) {
		study := openToy(t, "", toySetup(0, 1))
		err := Run(context.Background(), study, worker(t, func(context.Context, checkpoint.Source, float64) (Scores, error) {
			return Scores{Losses: map[string]Loss{"makam": {Value: 1}}}, nil
		}))
		if !errors.Is(err, ErrNoScores) {
			t.Errorf("error %v", err)
		}
	})
}

// TestManyWorkers share a study: every point is scored once, and the references too.
func TestManyWorkers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.sqlite")
	setup := toySetup(Grid(0, 1, 21)...)
	openToy(t, path, setup)
	failed := make(chan error)
	const workers = 4
	for i := range workers {
		go func() {
			failed <- func() error {
				study, err := Load(context.Background(), path, "")
				if err != nil {
					return err
				}
				defer study.Close()
				w := worker(t, hill(t))
				w.Name = fmt.Sprintf("here:%d", i)
				most := 0
				w.Share = func(others int) { most = max(most, others) }
				err = Run(context.Background(), study, w)
				if most >= workers {
					err = errors.Join(err, fmt.Errorf("%d other trials on this machine, of %d workers", most, workers))
				}
				return err
			}()
		}()
	}
	for range workers {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	study := openToy(t, path, setup)
	seen := map[string]int{}
	for i, trial := range trialsOf(t, study) {
		if trial.Number != i || trial.State != search.Complete {
			t.Errorf("trial %d has number %d, state %s", i, trial.Number, trial.State)
		}
		seen[trial.Choice.Lambdas.String()]++
	}
	if len(seen) != 21 {
		t.Errorf("points %v, want 21 of one trial each", seen)
	}
	if rows, err := study.references.Trials(context.Background()); err != nil || len(rows) != 1 {
		t.Errorf("%d measurements of the base, %v", len(rows), err)
	}
}

// TestRunBesideOptuna scores what a Python script enqueues, and leaves alone what it finished.
func TestRunBesideOptuna(t *testing.T) {
	ctx := context.Background()
	study := openToy(t, "", toySetup(0, 1))
	space := study.setup.Space.Params()
	space[0].High = 2
	err := study.inner.Enqueue(ctx, space, func([]store.Trial) ([]store.Entry, error) {
		return []store.Entry{{Point: search.Point{"lambda": 1}}, {Point: search.Point{"lambda": 0.25}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	claimed, err := study.inner.Claim(ctx, store.ClaimOptions{Space: space, Worker: "python"})
	if err != nil {
		t.Fatal(err)
	}
	if err := study.inner.Finish(ctx, claimed.Trial.ID, store.Outcome{State: search.Complete, Values: []float64{0.99}}); err != nil {
		t.Fatal(err)
	}
	run(t, study, hill(t))
	var got []string
	for _, trial := range trialsOf(t, study) {
		got = append(got, fmt.Sprintf("%s %s %t", trial.Choice.Lambdas, trial.State, trial.Scores != nil))
	}
	if want := []string{"1 COMPLETE false", "0.25 COMPLETE true", "0 COMPLETE true"}; !slices.Equal(got, want) {
		t.Errorf("trials %q, want %q", got, want)
	}
	if _, err := study.Select(ctx); err != nil {
		t.Error(err)
	}
}
