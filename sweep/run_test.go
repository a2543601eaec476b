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

	"syncretic/checkpoint"
	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

func TestRunScoresEveryPointOnce(t *testing.T) {
	ctx := context.Background()
	base, vectors := toy(t)
	study := openToy(t, "", toySetup(0, 0.5, 1))
	var seen []string
	var lines []string
	score := hill(t)
	evaluate := func(ctx context.Context, model checkpoint.Source) (Scores, error) {
		seen = append(seen, fmt.Sprint(weights(t, model)))
		return score(ctx, model)
	}
	progress := func(p Progress) {
		lines = append(lines, fmt.Sprintf("%d/%d %d %s", p.Done, p.Total, p.Trial.Number, p.Trial.State))
	}
	for range 2 { // the second run finds nothing to do
		if err := Run(ctx, study, base, vectors, evaluate, progress); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"[0 0]", "[0.5 0.5]", "[1 1]"}; !slices.Equal(seen, want) {
		t.Errorf("evaluated %v, want %v", seen, want)
	}
	want := []string{"0/3 0 RUNNING", "1/3 0 COMPLETE", "1/3 1 RUNNING", "2/3 1 COMPLETE", "2/3 2 RUNNING", "3/3 2 COMPLETE"}
	if !slices.Equal(lines, want) {
		t.Errorf("progress %q, want %q", lines, want)
	}
	trials := trialsOf(t, study)
	for _, trial := range trials {
		if trial.Version != "v0" || trial.Seed != 7 || trial.Duration <= 0 || trial.Started.IsZero() || trial.Finished.Before(trial.Started) || trial.Error != "" {
			t.Errorf("trial %+v", trial)
		}
	}
	if !reflect.DeepEqual(*trials[1].Scores, scores(0.6+0.1*0.25, 0.7-0.005, 30+0.2*0.2)) {
		t.Errorf("scores %+v", *trials[1].Scores)
	}
	winner, err := study.Setup().Rule.Select(trials)
	if err != nil || winner.Trial != 1 {
		t.Errorf("winner %+v, %v", winner, err)
	}
}

func TestRunPerCulture(t *testing.T) {
	base, vectors := toy(t)
	setup := toySetup(0, 1)
	setup.Space.Mode = PerCulture
	study := openToy(t, "", setup)
	var seen []string
	evaluate := func(_ context.Context, model checkpoint.Source) (Scores, error) {
		seen = append(seen, fmt.Sprint(weights(t, model)))
		return scores(0.5, 0.5, 1), nil
	}
	if err := Run(context.Background(), study, base, vectors, evaluate, nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{"[0 0]", "[0 1]", "[1 0]", "[1 1]"}; !slices.Equal(seen, want) {
		t.Errorf("evaluated %v, want %v", seen, want)
	}
}

// TestRunAfterKill leaves the study as a killed process leaves it: one trial RUNNING, nothing released but the lock.
func TestRunAfterKill(t *testing.T) {
	ctx := context.Background()
	base, vectors := toy(t)
	path := filepath.Join(t.TempDir(), "study.sqlite")
	killed := openToy(t, path, toySetup(0, 0.5, 1))
	func() {
		defer func() { _ = recover() }()
		n := 0
		_ = Run(ctx, killed, base, vectors, func(ctx context.Context, model checkpoint.Source) (Scores, error) {
			if n++; n == 2 {
				panic("killed")
			}
			return hill(t)(ctx, model)
		}, nil)
	}()
	killed.Close()

	study := openToy(t, path, toySetup(0, 0.5, 1))
	if got, want := statesOf(trialsOf(t, study)), []search.State{search.Complete, search.Running, search.Waiting}; !slices.Equal(got, want) {
		t.Fatalf("the killed run left %v, want %v", got, want)
	}
	evaluated := 0
	err := Run(ctx, study, base, vectors, func(ctx context.Context, model checkpoint.Source) (Scores, error) {
		evaluated++
		return hill(t)(ctx, model)
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	trials := trialsOf(t, study)
	if got, want := statesOf(trials), []search.State{search.Complete, search.Fail, search.Complete, search.Complete}; !slices.Equal(got, want) || evaluated != 2 {
		t.Fatalf("after the second run %v with %d evaluations, want %v with 2", got, evaluated, want)
	}
	if trials[1].Error != "the run was killed" || trials[1].Done() || trials[3].Lambdas.String() != "0.5" {
		t.Errorf("failed trial %+v, repeated as %+v", trials[1], trials[3])
	}
	rows, err := study.inner.Trials(ctx)
	if err != nil || string(rows[3].System["failed_trial"]) != "1" || string(rows[3].System["retry_history"]) != "[1]" {
		t.Errorf("the repetition carries %s, %v", rows[3].System, err)
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
			base, vectors := toy(t)
			study := openToy(t, "", toySetup(0, 0.5, 1))
			n := 0
			err := Run(ctx, study, base, vectors, func(ctx context.Context, model checkpoint.Source) (Scores, error) {
				if n++; n == 2 {
					return c.stop(cancel)
				}
				return hill(t)(ctx, model)
			}, nil)
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), "trial 1 (lambda 0.5)") {
				t.Fatalf("error %v, want %v of trial 1", err, c.is)
			}
			trials := trialsOf(t, study)
			if got, want := statesOf(trials), []search.State{search.Complete, search.Fail, search.Waiting}; !slices.Equal(got, want) {
				t.Fatalf("left %v, want %v", got, want)
			}
			if trials[1].Scores != nil || trials[1].Error == "" {
				t.Errorf("failed trial %+v", trials[1])
			}
			if err := Run(context.Background(), study, base, vectors, hill(t), nil); err != nil {
				t.Fatal(err)
			}
			if got := statesOf(trialsOf(t, study)); !slices.Equal(got, []search.State{search.Complete, search.Fail, search.Complete, search.Complete}) {
				t.Errorf("after the second run %v", got)
			}
		})
	}
}

var errBroken = errors.New("broken")

func TestRunCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	base, vectors := toy(t)
	study := openToy(t, "", toySetup(1))
	cancel()
	err := Run(ctx, study, base, vectors, func(context.Context, checkpoint.Source) (Scores, error) {
		t.Error("evaluated")
		return Scores{}, nil
	}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestRunKeepsScoresThatAreNotNumbers(t *testing.T) {
	base, vectors := toy(t)
	study := openToy(t, "", toySetup(0, 1))
	n := 0
	evaluate := func(ctx context.Context, model checkpoint.Source) (Scores, error) {
		n++
		if weights(t, model)[0] == 1 {
			return scores(math.NaN(), 0.5, math.Inf(1)), nil
		}
		return scores(0.5, 0.5, 30), nil
	}
	for range 2 {
		if err := Run(context.Background(), study, base, vectors, evaluate, nil); err != nil {
			t.Fatal(err)
		}
	}
	trials := trialsOf(t, study)
	if n != 2 || len(trials) != 2 {
		t.Fatalf("%d evaluations of %d trials, want 2 of 2: NaN is a result", n, len(trials))
	}
	if trials[1].State != search.Fail || !trials[1].Done() || !strings.Contains(trials[1].Error, "not a number") {
		t.Errorf("trial %+v", trials[1])
	}
	if got := trials[1].Scores.Losses["makam"].Value; !math.IsNaN(got) {
		t.Errorf("infinite loss came back as %v, want NaN", got)
	}
}

func TestRunRefuses(t *testing.T) {
	base, vectors := toy(t)
	t.Run("other datasets than the base's", func(t *testing.T) {
		study := openToy(t, "", toySetup(0, 1))
		err := Run(context.Background(), study, base, vectors, func(_ context.Context, model checkpoint.Source) (Scores, error) {
			s := scores(0.5, 0.5, 1)
			if weights(t, model)[0] != 0 {
				delete(s.Losses, "western")
			}
			return s, nil
		}, nil)
		if err == nil || !strings.Contains(err.Error(), "datasets") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a missing vector", func(t *testing.T) {
		study := openToy(t, "", toySetup(0, 1))
		err := Run(context.Background(), study, base, map[string]checkpoint.Source{"lyra": vectors["lyra"]}, hill(t), nil)
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), `"makam"`) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a vector too many", func(t *testing.T) {
		study := openToy(t, "", toySetup(0, 1))
		more := map[string]checkpoint.Source{"lyra": vectors["lyra"], "makam": vectors["makam"], "x": vectors["lyra"]}
		if err := Run(context.Background(), study, base, more, hill(t), nil); !errors.Is(err, ErrConfig) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a vector that does not fit", func(t *testing.T) {
		study := openToy(t, "", toySetup(0, 1))
		wrong := map[string]checkpoint.Source{"lyra": vectors["lyra"], "makam": memory(t, 1, 2, 3)}
		if err := Run(context.Background(), study, base, wrong, hill(t), nil); err == nil {
			t.Error("a vector of another shape was merged")
		}
	})
	t.Run("a study that runs already", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "study.sqlite")
		study, other := openToy(t, path, toySetup(0, 1)), openToy(t, path, toySetup(0, 1))
		err := Run(context.Background(), study, base, vectors, func(ctx context.Context, model checkpoint.Source) (Scores, error) {
			if err := Run(ctx, other, base, vectors, hill(t), nil); !errors.Is(err, ErrInUse) {
				t.Errorf("second run: %v, want %v", err, ErrInUse)
			}
			return hill(t)(ctx, model)
		}, nil)
		if err != nil {
			t.Error(err)
		}
	})
}

// TestRunBesideOptuna leaves alone what a Python script adds, and scores what it enqueues.
func TestRunBesideOptuna(t *testing.T) {
	ctx := context.Background()
	base, vectors := toy(t)
	study := openToy(t, "", toySetup(0, 1))
	err := study.inner.Enqueue(ctx, study.setup.Space.ranges(), func([]store.Trial) ([]store.Entry, error) {
		return []store.Entry{{Point: search.Point{"lambda": 1}}, {Point: search.Point{"lambda": 1.5}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// One of them is finished by a script that writes no scores: the point 1 is still ours to score.
	row, err := study.inner.Claim(ctx, store.ClaimOptions{Space: study.setup.Space.ranges()})
	if err != nil {
		t.Fatal(err)
	}
	if err := study.inner.Finish(ctx, row.Trial.ID, store.Outcome{State: search.Complete, Values: []float64{0.99}}); err != nil {
		t.Fatal(err)
	}
	if err := Run(ctx, study, base, vectors, hill(t), nil); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, trial := range trialsOf(t, study) {
		got = append(got, fmt.Sprintf("%s %s %t", trial.Lambdas, trial.State, trial.Done()))
	}
	if want := []string{"1 COMPLETE false", "1.5 COMPLETE true", "0 COMPLETE true", "1 COMPLETE true"}; !slices.Equal(got, want) {
		t.Errorf("trials %q, want %q", got, want)
	}
	if _, err := study.Setup().Rule.Select(trialsOf(t, study)); err != nil {
		t.Error(err)
	}
}
