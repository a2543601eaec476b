package adapt

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An estimate changes no byte of the run after it, of a resumed one neither, and its parts add up.
func TestEstimateLeavesTheRunAlone(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.Stages[1].Optimizer = "keep"
	if err := open(t, cfg).Train(t.Context(), filepath.Join(dir, "plain"), Options{}); err != nil {
		t.Fatal(err)
	}
	var heard []Estimate
	hear := func(e Estimate) { heard = append(heard, e) }
	ctx, cancel := context.WithCancel(t.Context())
	out := filepath.Join(dir, "out")
	err := open(t, cfg).Train(ctx, out, Options{Estimate: hear, Report: func(r Record) {
		if r.Step == 4 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := open(t, cfg).Train(t.Context(), out, Options{Resume: true, Estimate: hear}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"model.safetensors", headsFile} {
		if !bytes.Equal(read(t, dir, "plain", name), read(t, out, name)) {
			t.Errorf("%s differs from that of a run without an estimate", name)
		}
	}
	if len(heard) != 2 || len(heard[0].Stages) != 2 || len(heard[1].Stages) != 1 {
		t.Fatalf("heard %+v, want one of both stages, one of what is left", heard)
	}
	first, second := heard[0], heard[1]
	if first.Stages[0].Steps != 3 || first.Stages[1].Steps != 3 || second.Stages[0].Steps != 2 || second.Stages[0].Name != "all" {
		t.Errorf("steps of %+v and %+v", first.Stages, second.Stages)
	}
	if first.States.Count != 4 || second.States.Count != 1 {
		t.Errorf("%d and %d states, want 4 and 1: one every 2 steps and one at a stage's end", first.States.Count, second.States.Count)
	}
	info, err := os.Stat(filepath.Join(dir, "plain", "model.safetensors"))
	if err != nil || first.States.Bytes < 3*info.Size()*8/10 {
		t.Errorf("a state of %d bytes, the model has %d (%v)", first.States.Bytes, info.Size(), err)
	}
	var sum Span
	for _, s := range first.Stages {
		if !(0 < s.Micro.Low && s.Micro.Low <= s.Micro.High && 0 < s.Load.Low && 0 < s.Adam.Low) || s.Step.Low < 2*s.Micro.Low {
			t.Errorf("stage %+v", s)
		}
		sum = sum.plus(s.Step.times(float64(s.Steps)))
	}
	if sum = sum.plus(first.States.Total); sum != first.Total {
		t.Errorf("total %+v, its parts are %+v", first.Total, sum)
	}
}

// A run that cannot be measured leaves nothing.
func TestEstimateFails(t *testing.T) {
	dir := t.TempDir()
	run := open(t, tinyConfig(t, dir))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := filepath.Join(dir, "out")
	if err := run.Train(ctx, out, Options{Estimate: func(Estimate) { t.Error("heard") }}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(out + ".run"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("out.run is left: %v", err)
	}
}

// A plan tells what a run will do and leaves the disk as it is.
func TestPlan(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	before := listing(t, dir)
	p, err := PlanFor(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("a plan left\n%s\nof\n%s", after, before)
	}
	if p.Teacher != "to be fitted" || !p.Targets[0].Missing || p.Prepare.High <= 0 || p.Spectrum != SpectrumCached {
		t.Errorf("plan %+v", p)
	}
	if len(p.Index.Corpora) != 2 || p.Estimate.Total.Low <= 0 || p.Estimate.States.Write.High != 0 || p.Total != p.Prepare.plus(p.Estimate.Total) {
		t.Errorf("plan %+v", p)
	}
	run := open(t, cfg)
	if p, err = PlanFor(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if p.Teacher != "exists" || p.Targets[0].Missing || p.Targets[1].Missing || p.Prepare != (Span{}) {
		t.Errorf("with everything there: %+v", p)
	}
	files, err := filepath.Glob(filepath.Join(cfg.targetsDir(), "low-*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Size() < p.Targets[0].Bytes || info.Size() > p.Targets[0].Bytes+4096 {
		t.Errorf("targets of %d bytes, planned %d (%v)", info.Size(), p.Targets[0].Bytes, err)
	}
	if got, want := p.Index.Corpora[0], run.Index().Corpora[0]; got.HoursUsed != want.HoursUsed || got.Passes != want.Passes {
		t.Errorf("plan of %+v, run of %+v", got, want)
	}

	tokens := tokenConfig(t, t.TempDir(), nil)
	if p, err = PlanFor(t.Context(), tokens); err != nil || p.Spectrum != SpectrumCrop || p.Targets[0].Bytes != 6*57*2*2 {
		t.Errorf("with tokens: %+v, %v", p, err)
	}
	cfg.Base, cfg.Init = "nowhere", nil
	if _, err := PlanFor(t.Context(), cfg); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a base that is not there: %v", err)
	}
}

// listing is all files below a folder with their sizes.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			b.WriteString(path + " " + info.ModTime().String() + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
