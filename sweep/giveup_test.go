package sweep

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

// TestRunGivesUpAPoint: one point that always fails ends the workers that take it, and not the sweep.
func TestRunGivesUpAPoint(t *testing.T) {
	ctx := context.Background()
	study := openToy(t, "", toySetup(0, poison, 0.5))
	w := worker(t, hill(t))
	w.Retries = 2
	for range 3 {
		if err := Run(ctx, study, w); !errors.Is(err, errBroken) {
			t.Fatalf("error %v, want that of the point", err)
		}
	}
	if err := Run(ctx, study, w); err != nil {
		t.Fatal(err)
	}
	if got, want := statesOf(trialsOf(t, study)), []search.State{search.Complete, search.Fail, search.Fail, search.Fail, search.Complete}; !slices.Equal(got, want) {
		t.Errorf("states %v, want %v", got, want)
	}
	record, err := Test(ctx, study, w, func(context.Context, []string, func(string) (checkpoint.Source, error)) (HeldOut, error) {
		return heldOut(), nil
	})
	if err != nil || record.Selection.Trial != 4 {
		t.Errorf("record %+v, %v", record, err)
	}
	w.Retries = 3
	if err := Run(ctx, study, w); !errors.Is(err, errBroken) {
		t.Errorf("with one more retry: %v, want the point to be tried again", err)
	}
}

// TestRunLeavesOtherPointsAlone: what somebody enqueued outside of the space ends neither a worker nor the sweep.
func TestRunLeavesOtherPointsAlone(t *testing.T) {
	study := openToy(t, "", toySetup(0, 1))
	wide := search.Space{{Name: "lambda", Low: 0, High: 9}}
	err := study.inner.Enqueue(context.Background(), wide, func([]store.Trial) ([]store.Entry, error) {
		return []store.Entry{{Point: search.Point{"lambda": 8}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, study, hill(t))
	rows, err := study.inner.Trials(context.Background())
	if err != nil || len(rows) != 3 || rows[0].State != search.Fail || !strings.Contains(string(rows[0].User[attrError]), "outside") {
		t.Errorf("rows %+v, %v", rows, err)
	}
}

// TestTakenWhileReporting: a worker may hear from its report, before a heartbeat, that its trial is another's.
func TestTakenWhileReporting(t *testing.T) {
	setup := toySetup(0.5)
	setup.Halving = HalvingConfig{Parts: []float64{0.5}, Eta: 2}
	study := openToy(t, "", setup)
	w := worker(t, nil)
	taken := 0
	w.Hear = func(p Progress) {
		if p.Taken {
			taken++
		}
	}
	n := 0
	w.Evaluate = func(ctx context.Context, model checkpoint.Source, part float64) (Scores, error) {
		if n++; n == 2 {
			rows, err := study.inner.Trials(ctx)
			if err != nil {
				return Scores{}, err
			}
			if err := study.inner.PutBack(ctx, rows[0].ID, "taken"); err != nil {
				return Scores{}, err
			}
		}
		return hill(t)(ctx, model, part)
	}
	if err := Run(context.Background(), study, w); err != nil {
		t.Fatal(err)
	}
	if got := statesOf(trialsOf(t, study)); taken != 1 || !slices.Equal(got, []search.State{search.Fail, search.Complete}) {
		t.Errorf("states %v, taken away %d times", got, taken)
	}
}
