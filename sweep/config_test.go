package sweep

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

const minimal = `
base: base
vectors: {makam: tau-makam, lyra: tau-lyra}
probe:
  datasets:
    - {name: makam, manifest: makam.csv}
study: study.sqlite
`

func TestParseConfigDefaults(t *testing.T) {
	cfg, err := ParseConfig([]byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Base: "base", Vectors: map[string]string{"makam": "tau-makam", "lyra": "tau-lyra"},
		Lambda: LambdaConfig{Mode: Shared, Values: DefaultValues()},
		Probe:  ProbeConfig{Datasets: []DatasetConfig{{Name: "makam", Manifest: "makam.csv"}}, Head: "logistic", Window: 5},
		Metric: ROCAUC, Rho: DefaultRho, Study: "study.sqlite",
	}
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
	}
	setup := cfg.Setup()
	if got := setup.Space; got.Mode != Shared || !reflect.DeepEqual(got.Vectors, []string{"lyra", "makam"}) || len(got.Values) != 21 {
		t.Errorf("space %+v", got)
	}
	if setup.Rule != (Rule{ROCAUC, 0.98}) {
		t.Errorf("rule %+v", setup.Rule)
	}
}

func TestParseConfigEverything(t *testing.T) {
	cfg, err := ParseConfig([]byte(`
base: base
vectors: {makam: a}
lambda: {mode: per-culture, from: -0.2, to: 0.2, steps: 3, max_trials: 3}
probe:
  datasets:
    - {name: makam, manifest: m.csv, tags: 30}
    - {name: mtat, manifest: w.csv, western: true}
  head: mlp
  window: 0
metric: average_precision
rho: 0
seed: 42
study: s.sqlite
`))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(cfg.Lambda.Values, []float64{-0.2, 0, 0.2}) || cfg.Lambda.Mode != PerCulture || cfg.Probe.Head != "mlp" ||
		cfg.Probe.Window != 0 || cfg.Metric != AveragePrecision || cfg.Rho != 0 || cfg.Seed != 42 || cfg.Probe.Datasets[0].Tags != 30 || !cfg.Probe.Datasets[1].Western {
		t.Errorf("%+v", cfg)
	}
}

func TestParseConfigErrors(t *testing.T) {
	for _, c := range []struct{ name, old, new, says string }{
		{"empty", minimal, "", "empty"},
		{"only a comment", minimal, "# nothing", "empty"},
		{"a list", minimal, "- 1", "got a list, want keys with values"},
		{"bad YAML", minimal, "base: [", "did not find"},
		{"two documents", "base: base", "---\nbase: base\n---\nbase: x\n---", "more than one YAML document"},
		{"key twice", "base: base", "base: base\nbase: other", "already defined"},
		{"unknown key", "base: base", "bse: base", `line 2: unknown key "bse" (did you mean "base"?)`},
		{"unknown nested key", "study:", "lambda: {step: 3}\nstudy:", `unknown key "step" (did you mean "steps"?)`},
		{"unknown key in a list", "manifest:", "manifst:", `unknown key "manifst" (did you mean "manifest"?)`},
		{"dashes for underscores", "study:", "lambda: {max-trials: 3}\nstudy:", `did you mean "max_trials"?`},
		{"no base", "base: base", "seed: 1", "base is missing"},
		{"no study", "study: study.sqlite", "seed: 1", "study is missing"},
		{"no vectors", "vectors: {makam: tau-makam, lyra: tau-lyra}", "", "no task vectors"},
		{"vector without a path", "tau-makam", `""`, "makam has no path"},
		{"both ways of listing", "study:", "lambda: {values: [1], steps: 2}\nstudy:", "both values and from/to/steps"},
		{"half a range", "study:", "lambda: {from: 0, to: 1}\nstudy:", "all of from, to and steps"},
		{"one step", "study:", "lambda: {from: 0, to: 1, steps: 1}\nstudy:", "2 to 10000 steps"},
		{"backwards", "study:", "lambda: {from: 1, to: 0, steps: 3}\nstudy:", "from < to"},
		{"infinite", "study:", "lambda: {from: 0, to: .inf, steps: 3}\nstudy:", "from < to"},
		{"explosion", "study:", "lambda: {mode: per-culture, max_trials: 400}\nstudy:", "441 points, the limit is 400"},
		{"mode", "study:", "lambda: {mode: all}\nstudy:", `mode "all"`},
		{"metric", "study:", "metric: f1\nstudy:", `metric "f1"`},
		{"rho", "study:", "rho: -0.1\nstudy:", "rho -0.1"},
		{"rho of text", "study:", "rho: much\nstudy:", `got "much", want a number`},
		{"negative seed", "study:", "seed: -1\nstudy:", `got "-1", want a whole number`},
		{"no datasets", "    - {name: makam, manifest: makam.csv}", "    []", "probe.datasets is empty"},
		{"dataset without a manifest", "manifest: makam.csv", "tags: 1", "datasets[0]: name and manifest"},
		{"dataset twice", "makam.csv}", "a}\n    - {name: makam, manifest: b}", `datasets[1]: name "makam" is taken`},
		{"negative tags", "makam.csv", "makam.csv, tags: -1", "tags -1"},
		{"all western", "makam.csv", "makam.csv, western: true", "every dataset"},
		{"negative window", "  datasets:", "  window: -1\n  datasets:", "window -1"},
		{"window too short to probe", "  datasets:", "  window: 0.5\n  datasets:", "window 0.5 s, want 0 (whole items) or at least 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(minimal, c.old, c.new, 1)
			if text == minimal {
				t.Fatal("the replacement changed nothing")
			}
			_, err := ParseConfig([]byte(text))
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want ErrConfig and %q", err, c.says)
			}
		})
	}
}

// FuzzParseConfig looks for panics, and for configs that pass and yet make no sweep.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte("base: &a [*a]"))
	f.Add([]byte("a: &a {b: *a}\nprobe: *a"))
	f.Add([]byte("probe: {datasets: [&d {name: a, manifest: b}, *d]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := ParseConfig(data)
		if err != nil {
			if !errors.Is(err, ErrConfig) {
				t.Fatalf("error %v does not wrap ErrConfig", err)
			}
			return
		}
		points, err := cfg.Space().Points()
		if err != nil || len(points) == 0 || !points[0].IsBase() {
			t.Fatalf("points %v, %v of an accepted config", points, err)
		}
		if _, _, err := cfg.Setup().encode(); err != nil {
			t.Fatal(err)
		}
		if math.IsNaN(cfg.Rho) {
			t.Fatal("rho is NaN")
		}
	})
}
