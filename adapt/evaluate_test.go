package adapt

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"syncretic/adapt/audio"
	"syncretic/checkpoint"
)

// trained runs the tiny recipe and returns it with the model directory.
func trained(t *testing.T) (Config, *Run, string) {
	t.Helper()
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	run := open(t, cfg)
	out := filepath.Join(dir, "out")
	if err := run.Train(context.Background(), out, Options{}); err != nil {
		t.Fatal(err)
	}
	return cfg, run, out
}

// An Evaluation hears the crops and masks of a Heldout, so it gives its loss.
func TestEvaluationIsHeldout(t *testing.T) {
	cfg, run, out := trained(t)
	valid := []CorpusConfig{{Name: "low", Manifest: cfg.Corpora[0].Manifest, Split: "valid"}, {Name: "all", Manifest: filepath.Dir(cfg.Corpora[0].Manifest), Split: AllSplits}}
	e, err := OpenEvaluation(t.Context(), cfg.Eval(valid, 9), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, err := e.Open(out, "")
	if err != nil {
		t.Fatal(err)
	}
	heard := 0
	scores, err := e.Measure(t.Context(), m.Model, func(done, total int) {
		if heard = done; total != 2+16 {
			t.Errorf("%d crops in all, want 2 of low's valid split and the 16 files of the folder", total)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if heard != 18 || scores[0].Clips != 2 || scores[1].Clips != 16 || scores[0].Frames == 0 {
		t.Errorf("%d crops reported, scores %+v", heard, scores)
	}
	for i, c := range e.Corpora() {
		targets, err := OpenTargets(t.Context(), cfg.targetsDir(), run.Teacher(), c.Corpus, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer targets.Close()
		h, err := NewHeldout(run.Model(), c.Corpus, targets, cfg.Batch.Seconds, 9)
		if err != nil {
			t.Fatal(err)
		}
		want, err := h.MaskedLoss(run.Model())
		if err != nil {
			t.Fatal(err)
		}
		if got := scores[i].Loss; got.Total != want.Total || !slices.Equal(got.Codebooks, want.Codebooks) {
			t.Errorf("%s: %+v, want Heldout's %+v", c.Name, got, want)
		}
	}
	if _, err := e.Measure(t.Context(), run.Model(), nil); !errors.Is(err, ErrConfig) {
		t.Errorf("a model of another teacher gives %v, want ErrConfig", err)
	}
	for _, p := range m.Params() {
		p.Value.Data().F32()[0] = float32(math.NaN())
	}
	if _, err := e.Measure(t.Context(), m.Model, nil); !errors.Is(err, checkpoint.ErrInvalid) {
		t.Errorf("a model with NaN gives %v, want ErrInvalid", err)
	}
}

func TestOpenEvaluationRefuses(t *testing.T) {
	cfg, _, out := trained(t)
	valid := []CorpusConfig{{Name: "low", Manifest: cfg.Corpora[0].Manifest, Split: "valid"}}
	empty := t.TempDir()
	for _, test := range []struct {
		name   string
		change func(*EvalConfig)
		want   error
	}{
		{"no corpus", func(c *EvalConfig) { c.Corpora = nil }, ErrConfig},
		{"no objective", func(c *EvalConfig) { c.Objective = Objective{} }, ErrConfig},
		{"no length", func(c *EvalConfig) { c.Seconds = math.NaN() }, ErrConfig},
		{"longer than the audio", func(c *EvalConfig) { c.Seconds = 60 }, audio.ErrInvalid},
		{"no teacher", func(c *EvalConfig) { c.Teacher.Path = empty }, fs.ErrNotExist},
		{"another teacher than asked for", func(c *EvalConfig) { c.Teacher.Size = 5 }, ErrConfig},
		{"an empty folder", func(c *EvalConfig) { c.Corpora = []CorpusConfig{{Name: "x", Manifest: empty, Split: AllSplits}} }, audio.ErrInvalid},
	} {
		c := cfg.Eval(slices.Clone(valid), 0)
		test.change(&c)
		if e, err := OpenEvaluation(t.Context(), c, nil); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
			if err == nil {
				e.Close()
			}
		}
	}
	c := cfg.Eval(valid, 0)
	c.Objective.MaskProb, c.Objective.MinMasks = 1e-9, 0
	e, err := OpenEvaluation(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, err := e.Open(out, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Measure(t.Context(), m.Model, nil); !errors.Is(err, ErrConfig) {
		t.Errorf("no masked frame gives %v, want ErrConfig", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Measure(ctx, m.Model, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context gives %v", err)
	}
}

// What a model directory keeps says what is needed to measure it.
func TestStoredAndHeadsConfig(t *testing.T) {
	cfg, _, out := trained(t)
	stored, err := StoredConfig(out)
	if err != nil || stored.Teacher.Path != cfg.Teacher.Path || stored.Objective != cfg.Objective || stored.Batch != cfg.Batch {
		t.Errorf("the stored recipe is %+v (%v), want the one that was run", stored, err)
	}
	sized, err := HeadsConfig(out, "")
	if err != nil || sized.Objective.CodebookDim != 8 || sized.Teacher.Codebooks != 2 {
		t.Errorf("heads give %+v (%v), want 2 codebooks in 8 dimensions", sized, err)
	}
	bare := t.TempDir()
	if _, err := HeadsConfig(bare, ""); !errors.Is(err, ErrNoHeads) {
		t.Errorf("a folder without heads gives %v, want ErrNoHeads", err)
	}
	if _, err := StoredConfig(bare); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder without adapt.json gives %v", err)
	}
	for _, doc := range []string{"{", "{}", `{"config": {"bass": 1}}`, `[]`} {
		if err := os.WriteFile(filepath.Join(bare, "adapt.json"), []byte(doc), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := StoredConfig(bare); !errors.Is(err, ErrConfig) {
			t.Errorf("adapt.json %s gives %v, want ErrConfig", doc, err)
		}
	}
}
