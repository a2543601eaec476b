package sweep

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"syncretic/checkpoint"
	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

func TestOpenRefusesAnotherSetup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.sqlite")
	setup := func(change func(*Setup)) Setup {
		s := toySetup(0, 0.5)
		s.Inputs = map[string]string{"base": "abc"}
		s.Config = Config{Base: "base", Probe: ProbeConfig{Window: 5}}
		change(&s)
		return s
	}
	openToy(t, path, setup(func(*Setup) {}))
	for _, c := range []struct {
		name   string
		change func(*Setup)
		says   string // "" opens
	}{
		{"nothing", func(*Setup) {}, ""},
		{"another version", func(s *Setup) { s.Version = "v1" }, ""},
		{"another limit", func(s *Setup) { s.Space.MaxTrials = 7 }, ""},
		{"another place of the study", func(s *Setup) { s.Config = Config{Base: "base", Probe: ProbeConfig{Window: 5}, Study: "x"} }, ""},
		{"rho", func(s *Setup) { s.Rule.Rho = 0.5 }, "; rule.rho is 0.5, the study has 0.98"},
		{"values", func(s *Setup) { s.Space.Values = []float64{0, 1} }, "; space.values is [0,1], the study has [0,0.5]"},
		{"mode", func(s *Setup) { s.Space.Mode = PerCulture }, "space.mode"},
		{"seed", func(s *Setup) { s.Seed = 8 }, "; seed is 8, the study has 7"},
		{"contents of the base", func(s *Setup) { s.Inputs = map[string]string{"base": "def"} }, `; inputs.base is "def", the study has "abc"`},
		{"no hashes", func(s *Setup) { s.Inputs = nil }, "; inputs.base is absent"},
		{"window", func(s *Setup) { s.Config = Config{Base: "base"} }, "config.probe.window"},
		{"everything", func(s *Setup) { *s = toySetup(1); s.Seed = 9; s.Rule = Rule{AveragePrecision, 1} }, "; and more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			study, err := Open(context.Background(), path, setup(c.change))
			if c.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				study.Close()
				return
			}
			if !errors.Is(err, ErrChanged) || !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want ErrChanged and %q", err, c.says)
			}
		})
	}
}

func TestOpenRefusesABadSetup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.sqlite")
	if _, err := Open(context.Background(), path, toySetup()); !errors.Is(err, ErrConfig) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a refused setup made a file")
	}
}

func TestLoad(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "study.sqlite")
	if _, err := Load(ctx, path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	setup := toySetup(0, 0.5)
	setup.Space.Mode, setup.Space.MaxTrials = PerCulture, 4
	first := openToy(t, path, setup)
	base, vectors := toy(t)
	if err := Run(ctx, first, base, vectors, hill(t), nil); err != nil {
		t.Fatal(err)
	}
	want := trialsOf(t, first)
	study, err := Load(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer study.Close()
	if got := trialsOf(t, study); !reflect.DeepEqual(got, want) {
		t.Errorf("trials\n got %+v\nwant %+v", got, want)
	}
	got := study.Setup()
	if got.Version != "v0" || got.Seed != 7 || got.Rule != setup.Rule || got.Space.Mode != PerCulture || study.Path() != path {
		t.Errorf("setup %+v", got)
	}
}

func TestLoadRefusesOtherDatabases(t *testing.T) {
	ctx := context.Background()
	for name, attributes := range map[string]map[string]any{
		"another study":    nil,
		"no setup":         {"version": "v"},
		"setup of no kind": {"version": "v", "setup": "text"},
		"setup of nothing": {"version": "v", "setup": map[string]any{}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "study.sqlite")
			db, err := store.Create(ctx, path)
			if err != nil {
				t.Fatal(err)
			}
			study := studyName
			if attributes == nil {
				study = "other"
			}
			if _, _, err := db.CreateStudy(ctx, study, []search.Direction{search.Maximize}, attributes); err != nil {
				t.Fatal(err)
			}
			db.Close()
			if _, err := Load(ctx, path); !errors.Is(err, ErrInvalid) {
				t.Errorf("error %v, want ErrInvalid", err)
			}
		})
	}
}

func TestTestIsMadeOnce(t *testing.T) {
	ctx := context.Background()
	base, vectors := toy(t)
	path := filepath.Join(t.TempDir(), "study.sqlite")
	study := openToy(t, path, toySetup(0, 0.5, 1))
	calls := 0
	held := HeldOut{Base: scores(0.6, 0.7, 30), Winner: scores(0.62, 0.7, 29),
		Differences: map[string]Difference{"makam": {ROCAUC: Interval{0.02, 0.01, 0.03, true}}}}
	evaluate := func(_ context.Context, gotBase, winner checkpoint.Source) (HeldOut, error) {
		calls++
		if b, w := weights(t, gotBase)[0], weights(t, winner)[0]; b != 0 || w != 0.5 {
			t.Errorf("tested %v and %v, want the base and lambda 0.5", b, w)
		}
		return held, nil
	}
	if _, err := Test(ctx, study, base, vectors, evaluate); err == nil || !strings.Contains(err.Error(), "0 of 3 points") || calls != 0 {
		t.Fatalf("test before the sweep: %v, %d calls", err, calls)
	}
	if err := Run(ctx, study, base, vectors, hill(t), nil); err != nil {
		t.Fatal(err)
	}
	if record, err := study.Tested(ctx); record != nil || err != nil {
		t.Fatalf("before the test: %+v, %v", record, err)
	}
	// An attempt that fails has shown nothing and may be repeated.
	broken := func(context.Context, checkpoint.Source, checkpoint.Source) (HeldOut, error) {
		return HeldOut{}, errBroken
	}
	if _, err := Test(ctx, study, base, vectors, broken); !errors.Is(err, errBroken) {
		t.Fatalf("error %v", err)
	}
	record, err := Test(ctx, study, base, vectors, evaluate)
	if err != nil {
		t.Fatal(err)
	}
	if record.Attempts != 2 || record.Selection.Trial != 1 || !reflect.DeepEqual(*record.Scores, held) {
		t.Errorf("record %+v", record)
	}
	study.Close()

	again, err := Load(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	refused, err := Test(ctx, again, base, vectors, evaluate)
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
	ctx := context.Background()
	base, vectors := toy(t)
	setup := toySetup(1)
	setup.Rule.Rho = 2
	study := openToy(t, "", setup)
	if err := Run(ctx, study, base, vectors, hill(t), nil); err != nil {
		t.Fatal(err)
	}
	record, err := Test(ctx, study, base, vectors, func(_ context.Context, _, winner checkpoint.Source) (HeldOut, error) {
		if w := weights(t, winner)[0]; w != 0 {
			t.Errorf("tested %v, want the base", w)
		}
		return HeldOut{Base: scores(0.6, 0.7, 30), Winner: scores(0.6, 0.7, 30)}, nil
	})
	if err != nil || !record.Selection.Fallback {
		t.Errorf("record %+v, %v", record, err)
	}
}
