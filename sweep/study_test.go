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
		{"another folder", func(s *Setup) { s.Folder = "/there" }, ""},
		{"another place of the study", func(s *Setup) { s.Config = Config{Base: "base", Probe: ProbeConfig{Window: 5}, Study: "x"} }, ""},
		{"rho", func(s *Setup) { s.Rule.Rho = 0.5 }, "; rule.rho is 0.5, the study has 0.98"},
		{"values", func(s *Setup) { s.Space.Values = []float64{0, 1} }, "; space.values is [0,1], the study has [0,0.5]"},
		{"mode", func(s *Setup) { s.Space.Mode = PerCulture }, "space.mode"},
		{"sampler", func(s *Setup) { s.Sampler = SamplerConfig{Kind: search.TPE, Trials: 9} }, "sampler.kind"},
		{"halving", func(s *Setup) { s.Halving = HalvingConfig{Parts: []float64{0.5}, Eta: 2} }, "halving.eta"},
		{"seed", func(s *Setup) { s.Seed = 8 }, "; seed is 8, the study has 7"},
		{"contents of the base", func(s *Setup) { s.Inputs = map[string]string{"base": "def"} }, `; inputs.base is "def", the study has "abc"`},
		{"no hashes", func(s *Setup) { s.Inputs = nil }, "; inputs.base is none"},
		{"window", func(s *Setup) { s.Config = Config{Base: "base"} }, "; probe.window is 0"},
		{"everything", func(s *Setup) { *s = toySetup(1); s.Seed = 9; s.Rule = Rule{Metric: AveragePrecision, Rho: 1} }, "; and more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			study, err := Open(context.Background(), path, DefaultName, setup(c.change))
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
	if _, err := Open(context.Background(), path, DefaultName, toySetup()); !errors.Is(err, ErrConfig) {
		t.Errorf("error %v", err)
	}
	if _, err := Open(context.Background(), path, "a/test", toySetup(1)); !errors.Is(err, ErrConfig) {
		t.Errorf("a name with a slash: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a refused setup made a file")
	}
}

func TestLoad(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "study.sqlite")
	if _, err := Load(ctx, path, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	setup := toySetup(0, 0.5)
	setup.Space.Mode = PerCulture
	first := openToy(t, path, setup)
	run(t, first, hill(t))
	want := trialsOf(t, first)
	study, err := Load(ctx, path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer study.Close()
	if got := trialsOf(t, study); !reflect.DeepEqual(got, want) {
		t.Errorf("trials\n got %+v\nwant %+v", got, want)
	}
	got := study.Setup()
	if got.Version != "v0" || got.Seed != 7 || !reflect.DeepEqual(got.Rule, setup.Rule) || got.Space.Mode != PerCulture || got.Folder != "/here" || study.Where() != path {
		t.Errorf("setup %+v", got)
	}
}

// TestLoadByName: a database may hold many studies.
func TestLoadByName(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "study.sqlite")
	for _, name := range []string{"first", "second"} {
		study, err := Open(ctx, path, name, toySetup(0, 1))
		if err != nil {
			t.Fatal(err)
		}
		study.Close()
		if name == "first" {
			if only, err := Load(ctx, path, ""); err != nil || only.Name() != "first" {
				t.Errorf("the only study: %v", err)
			} else {
				only.Close()
			}
		}
	}
	if _, err := Load(ctx, path, ""); !errors.Is(err, ErrName) || !strings.Contains(err.Error(), `"second"`) {
		t.Errorf("one of two without a name: %v, want an error that lists both", err)
	}
	study, err := Load(ctx, path, "second")
	if err != nil {
		t.Fatal(err)
	}
	study.Close()
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
			study := DefaultName
			if attributes == nil {
				study = "other"
			}
			if _, _, err := db.CreateStudy(ctx, study, []search.Direction{search.Maximize}, attributes); err != nil {
				t.Fatal(err)
			}
			db.Close()
			_, err = Load(ctx, path, "")
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("error %v, want ErrInvalid", err)
			}
			if attributes["setup"] == nil && !strings.Contains(err.Error(), "made by another program") {
				t.Errorf("error %v, want it to say whose study it is not", err)
			}
		})
	}
}
