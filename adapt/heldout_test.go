package adapt

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"testing"

	"syncretic/checkpoint"
)

// heldoutFixture opens the tiny recipe's model with its valid clips.
func heldoutFixture(t *testing.T) (*Run, *Heldout, *Targets) {
	t.Helper()
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	run := open(t, cfg)
	clips, err := OpenCorpus(CorpusConfig{Name: "low", Manifest: cfg.Corpora[0].Manifest, Split: "valid"})
	if err != nil {
		t.Fatal(err)
	}
	targets, err := OpenTargets(context.Background(), filepath.Join(dir, "targets"), run.Teacher(), clips, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { targets.Close() })
	h, err := NewHeldout(run.Model(), clips, targets, 0.5, 9)
	if err != nil {
		t.Fatal(err)
	}
	return run, h, targets
}

func TestMaskedLossIsRepeatableAndFallsWithTraining(t *testing.T) {
	run, h, _ := heldoutFixture(t)
	before, err := h.MaskedLoss(run.Model())
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.MaskedLoss(run.Model())
	if err != nil {
		t.Fatal(err)
	}
	if before.Total != again.Total {
		t.Errorf("two measurements of one model: %v and %v", before.Total, again.Total)
	}
	if sum := before.Codebooks[0] + before.Codebooks[1]; math.Abs(sum-before.CE) > 1e-9 || math.Abs(before.CE+before.CQT-before.Total) > 1e-9 {
		t.Errorf("parts do not add up: %+v", before)
	}
	run.cfg.Stages = []Stage{{Name: "all", Steps: 25, LR: Schedule{Peak: 5e-3, Warmup: 5}}}
	if err := run.Train(context.Background(), filepath.Join(t.TempDir(), "out"), Options{}); err != nil {
		t.Fatal(err)
	}
	after, err := h.MaskedLoss(run.Model())
	if err != nil {
		t.Fatal(err)
	}
	if after.Total > before.Total-0.2 {
		t.Errorf("masked loss %.3f before and %.3f after training, want it to fall", before.Total, after.Total)
	}
}

func TestUnigram(t *testing.T) {
	run, h, targets := heldoutFixture(t)
	u, err := CountUnigram(run.Teacher(), targets)
	if err != nil {
		t.Fatal(err)
	}
	for q, book := range u {
		sum := 0.0
		for _, p := range book {
			sum += p
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("codebook %d: frequencies add up to %v", q, sum)
		}
	}
	uniform := Unigram{{0.25, 0.25, 0.25, 0.25}, {0.25, 0.25, 0.25, 0.25}}
	if got, want := h.UnigramCE(uniform), 2*math.Log(4); math.Abs(got-want) > 1e-12 {
		t.Errorf("uniform codes: %v nats, want %v", got, want)
	}
	if got := h.UnigramCE(u); got > 2*math.Log(4) {
		t.Errorf("the clips' own frequencies give %v nats, more than uniform ones", got)
	}
}

// SetWeights reads what the model's own Source gives, encoder and heads, and nothing else fits.
func TestSetWeights(t *testing.T) {
	run, h, _ := heldoutFixture(t)
	m := run.Model()
	want, err := h.MaskedLoss(m)
	if err != nil {
		t.Fatal(err)
	}
	var copied []checkpoint.Tensor
	for _, info := range m.Tensors() {
		data, err := checkpoint.ReadAll(m, info.Name)
		if err != nil {
			t.Fatal(err)
		}
		copied = append(copied, checkpoint.Tensor{Name: info.Name, Shape: info.Shape, Data: data})
	}
	kept, err := checkpoint.NewMemory(copied...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Params() {
		clear(p.Value.Data().F32())
	}
	if err := m.SetWeights(kept); err != nil {
		t.Fatal(err)
	}
	if got, err := h.MaskedLoss(m); err != nil || got.Total != want.Total {
		t.Errorf("after a round trip the loss is %v (%v), want %v", got.Total, err, want.Total)
	}
	without := checkpoint.Select(kept, func(name string) bool { return name != headPrefix+"label_embs_concat" })
	if err := m.SetWeights(without); err == nil {
		t.Error("a source without the code embeddings was accepted")
	}
}

// Runs that start side by side compute the same targets and both end up with them.
func TestTargetsOfTwoRunsAtOnce(t *testing.T) {
	dir := t.TempDir()
	run := open(t, tinyConfig(t, dir))
	errs := make(chan error)
	for range 4 {
		go func() {
			targets, err := OpenTargets(context.Background(), filepath.Join(dir, "shared"), run.teacher, run.corpora[0], nil)
			if err == nil {
				err = targets.Close()
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// Targets of a second opening come from the cache and are the same; codes are in range, spectra normalised.
func TestTargets(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	run := open(t, cfg)
	targets := run.Targets("low")
	if targets == nil || run.Targets("nobody") != nil {
		t.Fatal("targets are not found by the corpus's name")
	}
	var sum, square, n float64
	for r := range run.corpora[0].Recordings {
		frames := targets.Frames(r)
		spectrum := make([]float32, frames*run.teacher.Bins())
		if err := targets.Spectrum(r, 0, spectrum); err != nil {
			t.Fatal(err)
		}
		for _, v := range spectrum {
			sum += float64(v)
			square += float64(v) * float64(v)
			n++
		}
		for q := range 2 {
			codes, err := targets.Codes(r, q, 1, frames-1)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range codes {
				if c < 0 || c >= 4 {
					t.Fatalf("code %d of a codebook of 4", c)
				}
			}
		}
	}
	if mean := sum / n; math.Abs(mean) > 0.5 {
		t.Errorf("mean of the normalised spectra: %.3f, want near 0", mean)
	}
	again, err := OpenTargets(context.Background(), cfg.targetsDir(), run.teacher, run.corpora[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	a, b := make([]float32, 48), make([]float32, 48)
	if err := errors.Join(targets.Spectrum(2, 3, a), again.Spectrum(2, 3, b)); err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatal("cached targets differ")
		}
	}
}
