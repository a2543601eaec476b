package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"syncretic/checkpoint"
	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

// TestTestAfterKill: an attempt that died left its claim, and may be repeated for the same winner only.
func TestTestAfterKill(t *testing.T) {
	ctx := context.Background()
	base, vectors := toy(t)
	study := openToy(t, "", toySetup(0, 0.5, 1))
	if err := Run(ctx, study, base, vectors, hill(t), nil); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = Test(ctx, study, base, vectors, func(context.Context, checkpoint.Source, checkpoint.Source) (HeldOut, error) { panic("killed") })
	}()
	record, err := study.Tested(ctx)
	if err != nil || record == nil || record.Scores != nil || record.Attempts != 1 {
		t.Fatalf("the killed attempt left %+v, %v", record, err)
	}

	// Somebody changes the stored winner: the test belongs to the one that was claimed.
	other := *record
	other.Selection.Lambdas = Lambdas{"lyra": 1, "makam": 1}
	put := func(r TestRecord) {
		if err := study.inner.Update(ctx, attrTest, func(json.RawMessage) (any, error) { return r, nil }); err != nil {
			t.Fatal(err)
		}
	}
	put(other)
	never := func(context.Context, checkpoint.Source, checkpoint.Source) (HeldOut, error) {
		t.Error("evaluated")
		return HeldOut{}, nil
	}
	if _, err := Test(ctx, study, base, vectors, never); !errors.Is(err, ErrTested) || !strings.Contains(err.Error(), "lambda 1") {
		t.Errorf("another winner: %v", err)
	}
	put(*record)
	again, err := Test(ctx, study, base, vectors, func(context.Context, checkpoint.Source, checkpoint.Source) (HeldOut, error) {
		return HeldOut{Base: scores(0.6, 0.7, 1), Winner: scores(0.7, 0.7, 1)}, nil
	})
	if err != nil || again.Attempts != 2 || again.Scores == nil {
		t.Errorf("second attempt %+v, %v", again, err)
	}
}

func TestTestRefusesEmptyScores(t *testing.T) {
	ctx := context.Background()
	base, vectors := toy(t)
	study := openToy(t, "", toySetup(0, 0.5))
	if err := Run(ctx, study, base, vectors, hill(t), nil); err != nil {
		t.Fatal(err)
	}
	_, err := Test(ctx, study, base, vectors, func(context.Context, checkpoint.Source, checkpoint.Source) (HeldOut, error) { return HeldOut{}, nil })
	if err == nil || !strings.Contains(err.Error(), "no dataset") {
		t.Errorf("error %v", err)
	}
	if record, err := study.Tested(ctx); err != nil || record.Scores != nil {
		t.Errorf("record %+v, %v", record, err)
	}
	if _, err := Test(ctx, study, base, map[string]checkpoint.Source{}, nil); !errors.Is(err, ErrConfig) {
		t.Errorf("without vectors: %v", err)
	}
}

func TestTestNeedsTheStudyForItself(t *testing.T) {
	ctx := context.Background()
	base, vectors := toy(t)
	study := openToy(t, "", toySetup(0, 0.5))
	err := Run(ctx, study, base, vectors, func(ctx context.Context, model checkpoint.Source) (Scores, error) {
		if _, err := Test(ctx, study, base, vectors, nil); !errors.Is(err, ErrInUse) {
			t.Errorf("test during the run: %v, want %v", err, ErrInUse)
		}
		return hill(t)(ctx, model)
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

func TestCorruptAttributesAreErrors(t *testing.T) {
	ctx := context.Background()
	for name, user := range map[string]map[string]any{
		"scores":   {attrScores: "many"},
		"seed":     {attrSeed: -1},
		"duration": {attrDuration: "long"},
	} {
		t.Run(name, func(t *testing.T) {
			study := openToy(t, "", toySetup(0, 0.5))
			if _, err := study.enqueue(ctx); err != nil {
				t.Fatal(err)
			}
			row, err := study.inner.Claim(ctx, store.ClaimOptions{Space: study.setup.Space.ranges()})
			if err != nil {
				t.Fatal(err)
			}
			if err := study.inner.Finish(ctx, row.Trial.ID, store.Outcome{State: search.Fail, User: user}); err != nil {
				t.Fatal(err)
			}
			if _, err := study.Trials(ctx); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "trial 0: attribute") {
				t.Errorf("error %v, want ErrInvalid", err)
			}
		})
	}
	study := openToy(t, "", toySetup(0, 0.5))
	if err := study.inner.Update(ctx, attrTest, func(json.RawMessage) (any, error) { return "done", nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := study.Tested(ctx); !errors.Is(err, ErrInvalid) {
		t.Errorf("test record of text: %v", err)
	}
}

// TestRunRefusesForeignTrials: a waiting trial with parameters of another space cannot be scored by this study.
func TestRunRefusesForeignTrials(t *testing.T) {
	ctx := context.Background()
	base, vectors := toy(t)
	study := openToy(t, "", toySetup(0, 0.5))
	err := study.inner.Enqueue(ctx, search.Space{{Name: "mu", High: 1}}, func([]store.Trial) ([]store.Entry, error) {
		return []store.Entry{{Point: search.Point{"mu": 1}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(ctx, study, base, vectors, hill(t), nil); err != nil {
		t.Fatal(err)
	}
	rows, err := study.inner.Trials(ctx)
	if err != nil || rows[0].State != search.Fail || string(rows[0].User[attrError]) != `"no parameter \"lambda\""` || len(rows) != 3 {
		t.Errorf("trials %+v, %v", rows, err)
	}
}

func TestDifferences(t *testing.T) {
	for _, c := range []struct{ name, stored, wanted, want string }{
		{"equal", `{"a": 1}`, `{"a":1}`, ""},
		{"changed", `{"a": {"b": 1}}`, `{"a": {"b": 2}}`, "; a.b is 2, the study has 1"},
		{"added", `{}`, `{"a": [1]}`, "; a is [1], the study has absent"},
		{"removed", `{"a": null}`, `{}`, "; a is absent, the study has null"},
		{"four", `{}`, `{"a":1,"b":1,"c":1,"d":1}`,
			"; a is 1, the study has absent; b is 1, the study has absent; c is 1, the study has absent; and more"},
		{"not JSON", `{`, `{"a": 1}`, "; a is 1, the study has absent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := differences(json.RawMessage(c.stored), json.RawMessage(c.wanted)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
