package sweep

import (
	"context"
	"errors"
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

// heldOut is what every toy test finds.
func heldOut() HeldOut {
	return HeldOut{Base: scores(0.6, 0.7, 30), Winner: scores(0.62, 0.7, 29),
		Differences: map[string]Difference{"makam": {ROCAUC: Interval{0.02, 0.01, 0.03, true}}}}
}

func TestTestIsMadeOnce(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "study.sqlite")
	setup := toySetup(0, 0.5, 1)
	setup.Multi, setup.Rule.Experts = true, map[string]string{"makam": "makam"}
	study := openToy(t, path, setup)
	w := worker(t, hill(t))
	calls := 0
	evaluate := func(_ context.Context, names []string, model func(string) (checkpoint.Source, error)) (HeldOut, error) {
		calls++
		if want := []string{"base", "winner", "expert makam", "multi"}; !slices.Equal(names, want) {
			t.Errorf("tested %q, want %q", names, want)
		}
		for name, want := range map[string]float64{"base": 0, "winner": 0.5, "multi": 0.4} {
			m, err := model(name)
			if err != nil {
				t.Fatal(err)
			}
			if got := weights(t, m)[0]; got != want {
				t.Errorf("%s has weight %v, want %v", name, got, want)
			}
		}
		return heldOut(), nil
	}
	if _, err := Test(ctx, study, w, evaluate); !errors.Is(err, ErrUnfinished) || !strings.Contains(err.Error(), "0 of 3 trials") || calls != 0 {
		t.Fatalf("test before the sweep: %v, %d calls", err, calls)
	}
	run(t, study, hill(t))
	if record, err := study.Tested(ctx); record != nil || err != nil {
		t.Fatalf("before the test: %+v, %v", record, err)
	}
	// An attempt that fails has shown nothing and may be repeated.
	broken := func(context.Context, []string, func(string) (checkpoint.Source, error)) (HeldOut, error) {
		return HeldOut{}, errBroken
	}
	if _, err := Test(ctx, study, w, broken); !errors.Is(err, errBroken) {
		t.Fatalf("error %v", err)
	}
	record, err := Test(ctx, study, w, evaluate)
	if err != nil {
		t.Fatal(err)
	}
	if record.Attempts != 2 || record.Selection.Trial != 1 || record.Version != "v0" || !reflect.DeepEqual(*record.Scores, heldOut()) {
		t.Errorf("record %+v", record)
	}
	study.Close()

	again, err := Load(ctx, path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	refused, err := Test(ctx, again, w, evaluate)
	if !errors.Is(err, ErrTested) || calls != 1 {
		t.Fatalf("second test: %v with %d calls, want ErrTested with 1", err, calls)
	}
	stored, err := again.Tested(ctx)
	if err != nil || !reflect.DeepEqual(stored, record) || !reflect.DeepEqual(refused, record) {
		t.Errorf("stored %+v\nrefused with %+v\nwant %+v (%v)", stored, refused, record, err)
	}
}

// TestTestOfTheBase is the fallback: nothing was feasible and base is tested against base.
func TestTestOfTheBase(t *testing.T) {
	setup := toySetup(1)
	setup.Rule.Rho = 2
	study := openToy(t, "", setup)
	run(t, study, hill(t))
	record, err := Test(context.Background(), study, worker(t, nil), func(_ context.Context, _ []string, model func(string) (checkpoint.Source, error)) (HeldOut, error) {
		winner, err := model(Winner)
		if err != nil {
			return HeldOut{}, err
		}
		if w := weights(t, winner)[0]; w != 0 {
			t.Errorf("tested %v, want the base", w)
		}
		return heldOut(), nil
	})
	if err != nil || !record.Selection.Fallback || record.Selection.Trial != -1 {
		t.Errorf("record %+v, %v", record, err)
	}
}

// TestInterruptedTest is put back, and made by the next call.
func TestInterruptedTest(t *testing.T) {
	study := openToy(t, "", toySetup(0, 0.5, 1))
	run(t, study, hill(t))
	ctx, cancel := context.WithCancel(context.Background())
	_, err := Test(ctx, study, worker(t, nil), func(context.Context, []string, func(string) (checkpoint.Source, error)) (HeldOut, error) {
		cancel()
		return HeldOut{}, context.Canceled
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	record, err := Test(context.Background(), study, worker(t, nil), func(context.Context, []string, func(string) (checkpoint.Source, error)) (HeldOut, error) {
		return heldOut(), nil
	})
	if err != nil || record.Attempts != 2 || record.Scores == nil {
		t.Errorf("second attempt %+v, %v", record, err)
	}
}

// TestTestBelongsToOneWinner: once an attempt was made, no other winner may be tested.
func TestTestBelongsToOneWinner(t *testing.T) {
	ctx := context.Background()
	study := openToy(t, "", toySetup(0, 0.5, 1))
	run(t, study, hill(t))
	broken := func(context.Context, []string, func(string) (checkpoint.Source, error)) (HeldOut, error) {
		return HeldOut{}, errBroken
	}
	if _, err := Test(ctx, study, worker(t, nil), broken); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	study.setup.Rule.Rho = 2 // by which the base wins
	if _, err := Test(ctx, study, worker(t, nil), broken); !errors.Is(err, ErrTested) || !strings.Contains(err.Error(), "trial 1") {
		t.Errorf("another winner: %v", err)
	}
}

func TestTestRefusesEmptyScores(t *testing.T) {
	study := openToy(t, "", toySetup(0, 0.5))
	run(t, study, hill(t))
	_, err := Test(context.Background(), study, worker(t, nil), func(context.Context, []string, func(string) (checkpoint.Source, error)) (HeldOut, error) {
		return HeldOut{}, nil
	})
	if err == nil || !strings.Contains(err.Error(), "no dataset") {
		t.Errorf("error %v", err)
	}
	rows, err := study.tests.Trials(context.Background())
	if err != nil || len(rows) != 1 || rows[0].State != search.Fail {
		t.Errorf("the attempt is %+v, %v", rows, err)
	}
}

// TestTestThatIsTakenAway: a worker that loses the test to another waits for the other's record.
func TestTestThatIsTakenAway(t *testing.T) {
	ctx := context.Background()
	study := openToy(t, "", toySetup(0, 0.5))
	run(t, study, hill(t))
	calls := 0
	record, err := Test(ctx, study, worker(t, nil), func(context.Context, []string, func(string) (checkpoint.Source, error)) (HeldOut, error) {
		if calls++; calls == 1 {
			rows, err := study.tests.Trials(ctx)
			if err != nil {
				return HeldOut{}, err
			}
			if err := study.tests.PutBack(ctx, rows[0].ID, "taken"); err != nil {
				return HeldOut{}, err
			}
		}
		return heldOut(), nil
	})
	if err != nil || calls != 2 || record.Scores == nil || record.Attempts != 2 {
		t.Errorf("%d calls, record %+v, %v", calls, record, err)
	}
}

// TestTestStandsWhateverIsAdded: trials that somebody adds after the test change neither it nor what is returned.
func TestTestStandsWhateverIsAdded(t *testing.T) {
	ctx := context.Background()
	study := openToy(t, "", toySetup(0, 1))
	run(t, study, hill(t))
	evaluate := func(context.Context, []string, func(string) (checkpoint.Source, error)) (HeldOut, error) {
		return heldOut(), nil
	}
	first, err := Test(ctx, study, worker(t, nil), evaluate)
	if err != nil {
		t.Fatal(err)
	}
	err = study.inner.Enqueue(ctx, study.setup.Space.Params(), func([]store.Trial) ([]store.Entry, error) {
		return []store.Entry{{Point: search.Point{"lambda": 0.5}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Test(ctx, study, worker(t, nil), evaluate); !errors.Is(err, ErrTested) || !reflect.DeepEqual(again, first) {
		t.Errorf("with an open trial: %+v, %v", again, err)
	}
	run(t, study, hill(t))
	if better, err := study.Select(ctx); err != nil || better.Trial == first.Selection.Trial {
		t.Fatalf("the added trial is not chosen: %+v, %v", better, err)
	}
	if again, err := Test(ctx, study, worker(t, nil), evaluate); !errors.Is(err, ErrTested) || !reflect.DeepEqual(again, first) {
		t.Errorf("with another winner: %+v, %v", again, err)
	}
}

// TestTestOfScoresThatAreNotNumbers is made and kept like any other.
func TestTestOfScoresThatAreNotNumbers(t *testing.T) {
	study := openToy(t, "", toySetup(0, 1))
	run(t, study, func(context.Context, checkpoint.Source, float64) (Scores, error) {
		return scores(math.NaN(), 0.5, 1), nil
	})
	record, err := Test(context.Background(), study, worker(t, nil), func(context.Context, []string, func(string) (checkpoint.Source, error)) (HeldOut, error) {
		return heldOut(), nil
	})
	if err != nil || record.Scores == nil || !math.IsNaN(record.Selection.Value) {
		t.Errorf("record %+v, %v", record, err)
	}
}
