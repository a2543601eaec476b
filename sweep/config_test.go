package sweep

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"syncretic/probe"
	"syncretic/sweep/search"
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
		Method: Words{"task_arithmetic"}, Sampler: SamplerConfig{Kind: search.Grid},
		Lambda: LambdaConfig{Mode: Shared, Values: DefaultValues()},
		Probe:  ProbeConfig{Datasets: []probe.DatasetConfig{{Name: "makam", Manifest: "makam.csv"}}, Head: defaultHead(), Window: 5},
		Metric: ROCAUC, Rho: DefaultRho, Study: "study.sqlite", Name: "syncretic",
	}
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
	}
	setup := cfg.Setup()
	if got := setup.Space; got.Mode != Shared || !reflect.DeepEqual(got.Vectors, []string{"lyra", "makam"}) || len(got.Values) != 21 {
		t.Errorf("space %+v", got)
	}
	if want := (Rule{ROCAUC, 0.98, map[string]string{"makam": "makam"}}); !reflect.DeepEqual(setup.Rule, want) {
		t.Errorf("rule %+v, want %+v: the culture has its expert", setup.Rule, want)
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
	if !reflect.DeepEqual(cfg.Lambda.Values, []float64{-0.2, 0, 0.2}) || cfg.Lambda.Mode != PerCulture || cfg.Probe.Head.Kind != "mlp" ||
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
		{"metric", "study:", "metric: f2\nstudy:", `metric "f2"`},
		{"a sampler without trials", "study:", "sampler: {kind: tpe}\nstudy:", "sampler.trials is 0"},
		{"unknown sampler", "study:", "sampler: {kind: hill, trials: 3}\nstudy:", "hill"},
		{"cmaes over words", "study:", "method: [task_arithmetic, ties]\nsampler: {kind: cmaes, trials: 9}\nstudy:", "method"},
		{"parameters of another method", "study:", "parameters: {ties: {density: 0.5}}\nstudy:", `ties is not among the methods`},
		{"a range for a grid without steps", "study:", "method: ties\nparameters: {ties: {density: {from: 0, to: 1}}}\nstudy:", "ties.density: a grid needs steps"},
		{"half a parameter's range", "study:", "method: ties\nparameters: {ties: {density: {from: 0}}}\nstudy:", "ties.density: want from < to"},
		{"a parameter of text", "study:", "method: ties\nparameters: {ties: {density: much}}\nstudy:", "want a number"},
		{"lambda among parameters", "study:", "parameters: {task_arithmetic: {lambda: 1}}\nstudy:", "are the key lambda's"},
		{"groups without their mode", "study:", "groups: [{name: low, filters: [x]}]\nstudy:", "groups of layers are for lambda mode per-group"},
		{"a group without filters", "study:", "lambda: {mode: per-group, values: [0, 1]}\ngroups: [{name: low}, {name: high, filters: [x]}]\nstudy:", "groups[0]"},
		{"halving of what falls", "study:", "halving: {parts: [0.5, 0.25]}\nstudy:", "rising numbers"},
		{"halving into nothing", "study:", "halving: {eta: 3}\nstudy:", "one part or more"},
		{"halving two objectives", "makam.csv}", "makam.csv}\n    - {name: w, manifest: w, western: true}\nsampler: {kind: nsga2, trials: 9}\nhalving: {parts: [0.5]}", "nsga2 has two"},
		{"two objectives without a second", "study:", "sampler: {kind: nsga2, trials: 9}\nstudy:", "no western dataset"},
		{"halving the loss", "study:", "metric: masked_loss\nmasked_loss: {recipe: a.yml, heads: h, corpora: [{name: a, manifest: b}]}\nhalving: {parts: [0.5]}\nstudy:", "always measured in full"},
		{"a key of another sampler", "study:", "sampler: {kind: tpe, trials: 9, population: 4}\nstudy:", "sampler.population is for cmaes and nsga2"},
		{"startup of another sampler", "study:", "sampler: {startup: 4}\nstudy:", "sampler.startup is for tpe"},
		{"fewer than no trials", "study:", "sampler: {kind: tpe, trials: -4}\nstudy:", "trials -4"},
		{"fewer than no points", "study:", "lambda: {max_trials: -4}\nstudy:", "max_trials is -4"},
		{"no values", "study:", "lambda: {values: []}\nstudy:", "lambda.values is empty"},
		{"unknown key of a parameter", "study:", "method: ties\nparameters: {ties: {density: {frm: 0, to: 1, steps: 3}}}\nstudy:", `unknown key "frm" (did you mean "from"?)`},
		{"unknown key of a head", "  datasets:", "  head: {kind: mlp, epoch: 3}\n  datasets:", `unknown key "epoch" (did you mean "epochs"?)`},
		{"unknown key of a sampler", "study:", "sampler: {kid: tpe}\nstudy:", `did you mean "kind"?`},
		{"unknown key of halving", "study:", "halving: {part: [0.5]}\nstudy:", `did you mean "parts"?`},
		{"unknown key of a corpus", "study:", "masked_loss: {recipe: a.yml, heads: h, corpora: [{name: a, manfest: b}]}\nstudy:", `did you mean "manifest"?`},
		{"unknown key of a group", "study:", "lambda: {mode: per-group}\ngroups: [{name: low, filter: [x]}]\nstudy:", `did you mean "filters"?`},
		{"a head that is no head", "  datasets:", "  head: forest\n  datasets:", "forest"},
		{"a head that is a list", "  datasets:", "  head: [mlp]\n  datasets:", "line 5: got a list, want keys"},
		{"a method with keys", "study:", "method: {ties: 1}\nstudy:", "line 7: got keys with values, want a list"},
		{"method twice", "study:", "method: [ties, ties]\nstudy:", `method name "ties" is empty or repeated`},
		{"a parameter that is not finite", "study:", "method: ties\nparameters: {ties: {density: .nan}}\nstudy:", "ties.density: NaN is not finite"},
		{"a list of parameters that are not finite", "study:", "method: ties\nparameters: {ties: {density: [0.5, .inf]}}\nstudy:", "ties.density"},
		{"a logarithm of nothing", "study:", "method: ties\nparameters: {ties: {density: {from: 0, to: 1, steps: 3, log: true}}}\nstudy:", "logarithmic range needs low > 0"},
		{"steps between integers", "study:", "method: ties\nparameters: {ties: {density: {from: 0, to: 3, steps: 3, integer: true}}}\nstudy:", "integer parameter has grid value 1.5"},
		{"an empty list", "study:", "method: ties\nparameters: {ties: {density: []}}\nstudy:", "ties.density: no value"},
		{"an expert of no dataset", "study:", "experts: {carnatic: makam}\nstudy:", `"carnatic" is no non-Western dataset`},
		{"an expert of no vector", "study:", "experts: {makam: carnatic}\nstudy:", `"carnatic" is no task vector`},
		{"normalised without experts", "makam.csv}", "makam.csv}\n    - {name: hindustani, manifest: h.csv}\nnormalise: true", "needs its single-culture expert"},
		{"loss without heads", "study:", "masked_loss: {recipe: a.yml, corpora: [{name: a, manifest: b}]}\nstudy:", "recipe and heads are required"},
		{"loss on test data", "study:", "masked_loss: {recipe: a.yml, heads: h, corpora: [{name: a, manifest: b, split: test}]}\nstudy:", "must not be test"},
		{"a metric that is not measured", "study:", "metric: masked_loss\nstudy:", "needs the key masked_loss"},
		{"a single-label dataset", "makam.csv", "makam.csv, task: single", "task single"},
		{"empty name", "study:", "name: ''\nstudy:", "name \"\""},
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

func TestParseConfigForms(t *testing.T) {
	for _, c := range []struct {
		name, text string
		is         func(Config) bool
	}{
		{"a method as a word", "method: ties", func(c Config) bool { return reflect.DeepEqual(c.Method, Words{"ties"}) }},
		{"methods as a list", "method: [ties, dare_linear]", func(c Config) bool { return reflect.DeepEqual(c.Method, Words{"ties", "dare_linear"}) }},
		{"a flag", "method: ties\nparameters: {ties: {normalize: false}}", func(c Config) bool { return c.Space().Methods[0].Fixed["normalize"] == 0 }},
		{"a number", "method: ties\nparameters: {ties: {density: 1}}", func(c Config) bool { return c.Space().Methods[0].Fixed["density"] == 1 }},
		{"a list", "method: ties\nparameters: {ties: {density: [0.9, 0.2]}}", func(c Config) bool {
			p := c.Space().Methods[0].Search[0]
			return p.Low == 0.2 && p.High == 0.9 && slices.Equal(p.Grid, []float64{0.9, 0.2})
		}},
		{"a range by logarithms", "method: ties\nparameters: {ties: {density: {from: 0.01, to: 1, steps: 3, log: true}}}", func(c Config) bool {
			p := c.Space().Methods[0].Search[0]
			return p.Log && len(p.Grid) == 3 && math.Abs(p.Grid[1]-0.1) < 1e-9 && p.Grid[2] == 1
		}},
		{"a range of whole numbers", "method: ties\nparameters: {ties: {density: {from: 1, to: 3, steps: 3, integer: true}}}", func(c Config) bool {
			p := c.Space().Methods[0].Search[0]
			return p.Integer && slices.Equal(p.Grid, []float64{1, 2, 3})
		}},
		{"a condition a method", "method: [task_arithmetic, ties]\nparameters: {ties: {density: [0.2, 1]}}", func(c Config) bool {
			p, ok := c.Space().Params().Param("ties.density")
			return ok && p.When == "method" && c.Space().Params().GridSize() == 21+2*21
		}},
		{"the rest as a group", "lambda: {mode: per-group, values: [0, 1]}\ngroups: [{name: low, filters: [x]}, {name: rest}]", func(c Config) bool {
			return slices.Equal(c.Space().Groups, []string{"low", "rest"})
		}},
		{"groups by default", "lambda: {mode: per-group, values: [0, 1]}", func(c Config) bool { return slices.Equal(c.Space().Groups, DefaultGroups()) }},
		{"not normalised", "normalise: false", func(c Config) bool { return c.Rule().Experts == nil }},
		{"another's expert", "experts: {makam: lyra}", func(c Config) bool { return c.Rule().Experts["makam"] == "lyra" }},
		{"the loss alone", "metric: masked_loss\nmasked_loss: {recipe: a.yml, heads: h, corpora: [{name: lyra, manifest: b}]}", func(c Config) bool {
			return c.MaskedLoss.Corpora[0].Split == probe.Valid && c.Rule().Experts["lyra"] == "lyra" && c.Setup().directions()[0] == search.Minimize
		}},
		{"halving", "halving: {parts: [0.25, 0.5]}", func(c Config) bool { return c.Setup().Halving.Eta == 3 }},
		{"a large seed", "seed: 18446744073709551615", func(c Config) bool { return c.Seed == math.MaxUint64 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := ParseConfig([]byte(minimal + c.text))
			if err != nil || !c.is(cfg) {
				t.Fatalf("%+v, %v", cfg, err)
			}
			// What a study keeps of it is the whole of it, but for where the study is.
			study := openToy(t, "", cfg.Setup())
			loaded, err := Load(t.Context(), study.Where(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer loaded.Close()
			text, err := json.Marshal(loaded.Setup().Config)
			if err != nil {
				t.Fatal(err)
			}
			back := Config{Study: cfg.Study, Name: cfg.Name}
			back.Lambda.From, back.Lambda.To, back.Lambda.Steps, back.Lambda.MaxTrials = cfg.Lambda.From, cfg.Lambda.To, cfg.Lambda.Steps, cfg.Lambda.MaxTrials
			if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, cfg) {
				t.Errorf("the study keeps\n%+v\nof\n%+v\n%v", back, cfg, err)
			}
			openToy(t, study.Where(), loaded.Setup()) // which is the setup that the study was made with
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
		sampler, err := cfg.Setup().sampler()
		if err != nil {
			t.Fatalf("%v of an accepted config", err)
		}
		if p, err := sampler.Ask(nil); err != nil || p.Point == nil {
			t.Fatalf("%v, %v: no first trial of an accepted config", p, err)
		}
		if _, _, err := cfg.Setup().encode(); err != nil {
			t.Fatal(err)
		}
		if math.IsNaN(cfg.Rho) {
			t.Fatal("rho is NaN")
		}
	})
}
