package adapt

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"syncretic/adapt/op"
	"syncretic/adapt/optim"
)

const goodConfig = `
base: mert
teacher: {path: teacher}
corpora:
  - {name: makam, manifest: makam.csv}
  - {name: western, manifest: western.csv, replay: true}
stages:
  - {name: front-end, steps: 10, train: [feature_extractor.], replay: 0.2, lr: {peak: 1e-3, warmup: 0.1}}
  - {name: all, steps: 30, lr: {peak: 5e-4, shape: cosine}}
`

func TestParseConfigKeepsDefaults(t *testing.T) {
	cfg, err := ParseConfig([]byte(goodConfig))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Objective.FeaturePenalty != 10 || cfg.Objective.Temperature != 0.1 || cfg.Optimizer.Beta2 != 0.98 || cfg.Teacher.Codebooks != 8 {
		t.Errorf("defaults were lost: %+v", cfg)
	}
	if cfg.MaxSkipped != 10 || cfg.SaveMinutes != 0 {
		t.Errorf("max_skipped and save_minutes: got %d and %g, want 10 and 0", cfg.MaxSkipped, cfg.SaveMinutes)
	}
	if cfg, err := ParseConfig([]byte(goodConfig + "max_skipped: 0\n")); err != nil || cfg.MaxSkipped != 0 {
		t.Errorf("max_skipped: 0: got %d, %v", cfg.MaxSkipped, err)
	}
	if cfg.Stages[1].LR.Shape != "cosine" || !cfg.Corpora[1].Replay {
		t.Errorf("values were lost: %+v", cfg)
	}
}

func TestParseConfigErrors(t *testing.T) {
	for _, test := range []struct{ name, replace, by, want string }{
		{"typing mistake", "stages:", "stagse:", `unknown key "stagse" (did you mean "stages"?)`},
		{"typing mistake, nested", "warmup: 0.1", "warmpu: 0.1", `did you mean "warmup"?`},
		{"no base and no init", "base: mert", "", "either base"},
		{"no teacher", "teacher: {path: teacher}", "", "teacher.path is missing"},
		{"corpus twice", "name: western", "name: makam", "stands twice"},
		{"all replay", "manifest: makam.csv", "manifest: makam.csv, replay: true", "at least one must not be"},
		{"replay without such a corpus", ", replay: true", "", "no corpus is marked replay"},
		{"replay of everything", "replay: 0.2", "replay: 1", "0 <= share < 1"},
		{"no steps", "steps: 10", "steps: 0", "steps: got 0"},
		{"no peak", "peak: 5e-4", "final: 0", "lr.peak: got 0"},
		{"unknown shape", "shape: cosine", "shape: cosin", "lr.shape"},
		{"temperature", "base: mert", "base: mert\nobjective: {temperature: 0}", "objective.temperature"},
		{"optimizer", "base: mert", "base: mert\noptimizer: {variant: sgd}", "optimizer.variant"},
		{"front-end gradient of nothing", "base: mert", "base: mert\nobjective: {feature_grad_mult: 0}", "freeze the front-end"},
		{"weight that is no number", "base: mert", "base: mert\nobjective: {cqt_weight: .nan}", "objective.cqt_weight"},
		{"negative decay", "base: mert", "base: mert\noptimizer: {weight_decay: -1}", "optimizer.weight_decay"},
		{"negative clipping", "base: mert", "base: mert\noptimizer: {clip_norm: -1}", "optimizer.clip_norm"},
		{"beta of 1", "base: mert", "base: mert\noptimizer: {beta1: 1}", "beta1 and beta2"},
		{"endless crops", "base: mert", "base: mert\nbatch: {seconds: .inf}", "batch.seconds"},
		{"warm-up that is no number", "warmup: 0.1", "warmup: .nan", "lr.warmup"},
		{"empty pattern", "train: [feature_extractor.]", "train: ['']", "empty pattern"},
		{"name with a slash", "name: western", "name: ../western", "no plain name"},
		{"one weight of two", "manifest: makam.csv}", "manifest: makam.csv, weight: 1}\n  - {name: lyra, manifest: lyra.csv}", "a weight or none"},
		{"fit without a manifest", "path: teacher", "path: teacher, fit: [{name: makam}]", "teacher.fit[0] (makam): manifest is missing"},
		{"fit on a share", "path: teacher", "path: teacher, fit: [{name: makam, manifest: m.csv, share: 5}]", "share: got 5"},
		{"fit resampler", "path: teacher", "path: teacher, fit: [{name: makam, manifest: m.csv, resampler: linear}]", `resampler "linear"`},
		{"no codebooks", "path: teacher", "path: teacher, codebooks: 0", "teacher.codebooks: got 0"},
		{"huge codebooks", "path: teacher", "path: teacher, codebook_size: 40000", "teacher.codebook_size: got 40000"},
		{"no frames", "path: teacher", "path: teacher, frames: 0", "teacher.frames: got 0"},
		{"batches below a codebook", "path: teacher", "path: teacher, batch: 50", "teacher.batch: got 50"},
		{"k-means beside tokens", "path: teacher", "path: teacher, tokens: tokens, seed: 4", "iterations, batch and seed are of k-means"},
		{"negative minutes", "base: mert", "base: mert\nsave_minutes: -1", "save_minutes: got -1"},
		{"no state kept", "base: mert", "base: mert\nkeep: 0", "keep: got 0"},
		{"negative skips", "base: mert", "base: mert\nmax_skipped: -1", "max_skipped: got -1"},
		{"batch", "base: mert", "base: mert\nbatch: {clips: 0}", "batch"},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := strings.Replace(goodConfig, test.replace, test.by, 1)
			if doc == goodConfig {
				t.Fatal("the test changes nothing")
			}
			_, err := ParseConfig([]byte(doc))
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want ErrConfig with %q", err, test.want)
			}
		})
	}
}

func TestSelects(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"encoder.layers.1.", "encoder.layers.1.attention.k_proj.weight", true},
		{"encoder.layers.1.", "encoder.layers.11.attention.k_proj.weight", false},
		{"*.bias", "encoder.layers.1.attention.k_proj.bias", true},
		{"encoder.layers.[0-3].*", "encoder.layers.2.layer_norm.weight", true},
		{"masked_spec_embed", "masked_spec_embed", true},
		{"[", "anything", false},
	} {
		if got := Selects(test.pattern, test.name); got != test.want {
			t.Errorf("Selects(%q, %q) = %v, want %v", test.pattern, test.name, got, test.want)
		}
	}
}

func TestStageRefusesPatternWithoutParameters(t *testing.T) {
	params := []optim.Param{{Name: "encoder.layer_norm.bias", Value: op.Param(2, 1, make([]float32, 2))}}
	err := Stage{Name: "one", Train: []string{"encoder.", "decoder."}}.apply(params)
	if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), `"decoder."`) {
		t.Errorf("got %v, want ErrConfig naming the pattern", err)
	}
}

func ExampleParseConfig() {
	_, err := ParseConfig([]byte("base: mert\nstepps: 10"))
	fmt.Println(err)
	// Output: bad configuration: line 2: unknown key "stepps" (did you mean "steps"?)
}

// The recipe that is stored beside a result can be run again: ParseConfig reads it back.
func TestMarshalRoundTrip(t *testing.T) {
	cfg, err := ParseConfig([]byte(goodConfig))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := cfg.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseConfig(doc)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(doc) {
		t.Errorf("got\n%s\nwant\n%s", again, doc)
	}
}
