package adapt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"syncretic/adapt/optim"
	"syncretic/checkpoint"
)

// spoiler makes chosen steps of a run, counted over all stages, not finite: their loss, or their gradient alone.
type spoiler struct {
	run            *Run
	loss, gradient []int
	last           Record
}

// before prepares the given step.
func (s *spoiler) before(step int) {
	obj := s.run.cfg.Objective
	if slices.Contains(s.loss, step) {
		obj.FeaturePenalty = math.NaN()
	}
	if slices.Contains(s.gradient, step) {
		obj.FeatureGradMult = math.Inf(1)
	}
	s.run.model.obj = obj
}

// train runs from the given step to the end; heard is called after each step and may be nil.
func (s *spoiler) train(ctx context.Context, out string, from int, heard func(Record)) error {
	s.before(from)
	return s.run.Train(ctx, out, Options{Resume: true, Report: func(r Record) {
		s.last = r
		if heard != nil {
			heard(r)
		}
		s.before(r.Step + 1)
	}})
}

// state reads the newest saved state: its tensors as they are stored, and its metadata.
func state(t *testing.T, out string) (tensors map[string][]float32, meta map[string]string) {
	t.Helper()
	steps := statesIn(t, out)
	if len(steps) == 0 {
		t.Fatal("no state was saved")
	}
	m, err := checkpoint.Open(filepath.Join(out+".run", fmt.Sprintf(stateName, steps[len(steps)-1])))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	tensors = map[string][]float32{}
	for _, info := range m.Tensors() {
		if tensors[info.Name], err = checkpoint.ReadAll(m, info.Name); err != nil {
			t.Fatal(err)
		}
	}
	return tensors, m.Metadata()
}

// sameState holds two states' weights, moments and the moments' step counts to be equal.
func sameState(t *testing.T, what string, aTensors, bTensors map[string][]float32, aMeta, bMeta map[string]string) {
	t.Helper()
	if len(aTensors) != len(bTensors) {
		t.Errorf("%s: %d tensors, want %d", what, len(bTensors), len(aTensors))
	}
	for name, a := range aTensors {
		if !slices.Equal(a, bTensors[name]) {
			t.Errorf("%s: %s changed", what, name)
		}
	}
	for key, a := range aMeta {
		if strings.HasPrefix(key, "step ") && bMeta[key] != a {
			t.Errorf("%s: %s is %s, want %s", what, key, bMeta[key], a)
		}
	}
}

// A step that is skipped leaves weights, moments and step counts alone, whether its loss or its gradient is not finite, and
// the step after it is taken on its own audio at its own rate.
func TestSkippedStepChangesNothing(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.SaveEvery = 1
	weights := map[string][]byte{}
	for name, s := range map[string]*spoiler{"whole": {}, "loss": {loss: []int{2}}, "gradient": {gradient: []int{2}}} {
		s.run = open(t, cfg)
		out := filepath.Join(dir, name)
		var before map[string][]float32 // the state after step 1, on disk while step 2 is taken
		var beforeMeta map[string]string
		var records []Record
		if err := s.train(t.Context(), out, 1, func(r Record) {
			records = append(records, r)
			switch r.Step {
			case 2:
				before, beforeMeta = state(t, out)
			case 3:
				after, meta := state(t, out)
				if name == "whole" {
					if slices.Equal(before["model masked_spec_embed"], after["model masked_spec_embed"]) {
						t.Error("step 2 changes nothing in a run without skips: the test shows nothing")
					}
					return
				}
				sameState(t, name, before, after, beforeMeta, meta)
			}
		}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, r := range records {
			skipped := name != "whole" && r.Step == 2
			if r.Skipped != skipped || (r.Reason != "") != skipped || !strings.Contains(r.Reason, map[bool]string{true: "the " + name}[skipped]) {
				t.Errorf("%s, step %d: skipped %v, reason %q", name, r.Step, r.Skipped, r.Reason)
			}
			if !skipped && !finite(r.GradNorm) {
				t.Errorf("%s, step %d: a gradient norm of %v, left over from the step before", name, r.Step, r.GradNorm)
			}
		}
		if want := len(s.loss) + len(s.gradient); s.last.SkippedSteps != want {
			t.Errorf("%s: %d steps skipped, want %d", name, s.last.SkippedSteps, want)
		}
		weights[name] = read(t, out, "model.safetensors")
	}
	if !bytes.Equal(weights["loss"], weights["gradient"]) || bytes.Equal(weights["loss"], weights["whole"]) {
		t.Error("a skip for the loss and one for the gradient must end on the same bytes, and not on those without a skip")
	}
}

// One micro-batch that is not finite, whichever it is, spoils its step alone: the others of the step are used up, and what they
// left in the gradients is gone.
func TestSkippedStepEndsClean(t *testing.T) {
	cfg := tinyConfig(t, t.TempDir())
	cfg.Batch.Accumulate = 3
	run := open(t, cfg)
	params := run.model.Params()
	adam := optim.NewAdamW(cfg.Optimizer.adamW(), params)
	optim.MakeGrads(params)
	sampler, err := NewSampler(cfg.Seed, run.corpora, 0, cfg.Batch.Seconds, run.teacher.Hop())
	if err != nil {
		t.Fatal(err)
	}
	for bad := range 3 {
		batches := make(chan loaded, 4) // of one step and the first of the next
		for micro := range cap(batches) {
			b, err := run.loader().load(sampler.Draw(0, 0, micro, cfg.Batch.Clips), cfg.Seed, "train", 0, 0, micro)
			if err != nil {
				t.Fatal(err)
			}
			if micro == bad {
				b.samples[100] = float32(math.Inf(1))
			}
			batches <- loaded{batch: b}
		}
		rec, err := run.step(batches, adam, 0, 1)
		if err != nil || !rec.Skipped || finite(rec.Loss) {
			t.Fatalf("micro-batch %d is bad: got %+v, %v; want a skipped step", bad, rec, err)
		}
		if _, err := json.Marshal(rec); err != nil {
			t.Errorf("micro-batch %d is bad: %v", bad, err)
		}
		if len(batches) != 1 || len(adam.State()) != 0 {
			t.Errorf("micro-batch %d is bad: %d batches are left, want 1; %d parameters have moments, want 0", bad, len(batches), len(adam.State()))
		}
		for _, p := range params {
			for _, g := range p.Value.Grad().Data().F32() {
				if g != 0 {
					t.Fatalf("micro-batch %d is bad: %s has a gradient of %v, want 0", bad, p.Name, g)
				}
			}
		}
	}
}

// The log holds every step; a skipped one has null for what is not finite, and the provenance counts it.
func TestSkippedStepsAreLogged(t *testing.T) {
	dir := t.TempDir()
	s := spoiler{run: open(t, tinyConfig(t, dir)), loss: []int{4}, gradient: []int{6}}
	out := filepath.Join(dir, "out")
	if err := s.train(t.Context(), out, 1, nil); err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(read(t, out, "train.jsonl")), []byte("\n"))
	if len(lines) != 6 {
		t.Fatalf("%d lines, want 6", len(lines))
	}
	for i, line := range lines {
		var got map[string]any
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		loss, norm := got["loss"], got["grad_norm"]
		if got["step"] != float64(i+1) || got["lr"] == nil || got["cqt_mse"] == nil || len(got["ce"].([]any)) != 2 {
			t.Errorf("line %d: %s", i+1, line)
		}
		if bad := i == 3; (loss == nil) != bad || bad && !strings.Contains(got["reason"].(string), "the loss is NaN") {
			t.Errorf("loss of step %d: %s", i+1, line)
		}
		if bad := i == 3 || i == 5; (norm == nil) != bad || (got["skipped"] == true) != bad {
			t.Errorf("gradient of step %d: %s", i+1, line)
		}
	}
	if doc := read(t, out, "adapt.json"); !bytes.Contains(doc, []byte(`"skipped_steps": 2`)) {
		t.Errorf("the provenance lacks the two skipped steps: %s", doc)
	}
}

// A run that is interrupted before, between or after skipped steps and resumed ends on the same bytes, log's counts included.
func TestResumeAroundSkips(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.Stages[1].Optimizer, cfg.MaxSkipped = "keep", 2
	bad := []int{2, 4, 5}
	whole := filepath.Join(dir, "whole")
	s := spoiler{run: open(t, cfg), loss: bad}
	if err := s.train(t.Context(), whole, 1, nil); err != nil {
		t.Fatal(err)
	}
	for stop := 1; stop <= 5; stop++ {
		out := filepath.Join(dir, fmt.Sprint("stopped-", stop))
		ctx, cancel := context.WithCancel(t.Context())
		s := spoiler{run: open(t, cfg), loss: bad}
		if err := s.train(ctx, out, 1, func(r Record) {
			if r.Step == stop {
				cancel()
			}
		}); !errors.Is(err, context.Canceled) {
			t.Fatalf("stop after %d: %v", stop, err)
		}
		s = spoiler{run: open(t, cfg), loss: bad}
		if err := s.train(t.Context(), out, stop+1, nil); err != nil {
			t.Fatalf("stop after %d: %v", stop, err)
		}
		for _, name := range []string{"model.safetensors", headsFile, "adapt.json"} {
			if !bytes.Equal(read(t, whole, name), read(t, out, name)) {
				t.Errorf("stop after %d: %s differs from the uninterrupted run's", stop, name)
			}
		}
		if s.last.SkippedSteps != 3 || bytes.Count(read(t, out, "train.jsonl"), []byte(`"skipped":true`)) != 3 {
			t.Errorf("stop after %d: %d steps skipped by the last record, want 3, as in the log", stop, s.last.SkippedSteps)
		}
	}
}

// One step more than max_skipped ends the run on the last good state, also when it was interrupted between them and when a
// stage's border or a saved state lies between them; the state says why, and a larger max_skipped goes on from it.
func TestTooManySkipsInARow(t *testing.T) {
	for _, test := range []struct {
		name      string
		bad       []int
		most      int // max_skipped
		saveEvery int
		stop      int // interrupted after this step, 0 for not at all
		done, row int // of the state that is left
		text      string
	}{
		{"the first", []int{3}, 0, 100, 0, 2, 0, "stage front-end, step 3: training diverged: the loss is NaN"},
		{"in a stage", []int{5, 6}, 1, 100, 0, 4, 0, "stage all, step 3: "},
		{"an earlier one apart", []int{2, 5, 6}, 1, 100, 0, 4, 0, "2 such steps in a row, max_skipped is 1"},
		{"states between", []int{5, 6}, 1, 1, 0, 4, 0, "stage all, step 3: "},
		{"interrupted between", []int{5, 6}, 1, 100, 5, 4, 0, "stage all, step 3: "},
		{"over the border", []int{3, 4, 5}, 2, 2, 0, 3, 1, "stage all, step 2: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			cfg := tinyConfig(t, dir)
			cfg.MaxSkipped, cfg.SaveEvery = test.most, test.saveEvery
			out := filepath.Join(dir, "out")
			from := 1
			if test.stop > 0 {
				ctx, cancel := context.WithCancel(t.Context())
				s := spoiler{run: open(t, cfg), loss: test.bad}
				if err := s.train(ctx, out, 1, func(r Record) {
					if r.Step == test.stop {
						cancel()
					}
				}); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				from += test.stop
			}
			s := spoiler{run: open(t, cfg), loss: test.bad}
			err := s.train(t.Context(), out, from, nil)
			if !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), test.text) || !strings.Contains(err.Error(), fmt.Sprintf("stopped after step %d, its state is in ", test.done)) {
				t.Fatalf("got %v, want ErrDiverged with %q", err, test.text)
			}
			if bad := test.bad[len(test.bad)-1]; s.last.Step != bad || !s.last.Skipped {
				t.Errorf("the last record is %+v, want skipped step %d", s.last, bad)
			}

			good := filepath.Join(dir, "good") // the same run, cancelled after its last good step
			last := test.done - test.row
			ctx, cancel := context.WithCancel(t.Context())
			clean := spoiler{run: open(t, cfg), loss: test.bad}
			if err := clean.train(ctx, good, 1, func(r Record) {
				if r.Step == last {
					cancel()
				}
			}); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			want, wantMeta := state(t, good)
			got, meta := state(t, out)
			for name := range want {
				if test.row > 0 && !strings.HasPrefix(name, "model ") {
					delete(want, name) // the next stage has forgotten the moments
				}
			}
			if test.row > 0 {
				wantMeta = nil
			}
			sameState(t, "the state left", want, got, wantMeta, meta)
			if meta["done"] != fmt.Sprint(test.done) || meta["skipped in a row"] != fmt.Sprint(test.row) || !strings.Contains(meta["stopped"], test.text) {
				t.Errorf("the state's metadata: %v", meta)
			}

			done, why := 0, ""
			cfg.MaxSkipped = 10
			again := spoiler{run: open(t, cfg), loss: test.bad}
			again.before(test.done + 1)
			records := test.done
			err = again.run.Train(t.Context(), out, Options{Resume: true, Resumed: func(n int, s string) { done, why = n, s }, Report: func(r Record) {
				records++
				again.last = r
				again.before(r.Step + 1)
			}})
			if err != nil || done != test.done || !strings.Contains(why, test.text) {
				t.Errorf("resumed: %v; heard of %d and %q", err, done, why)
			}
			if n := bytes.Count(read(t, out, "train.jsonl"), []byte("\n")); records != 6 || n != 6 || again.last.SkippedSteps != len(test.bad) {
				t.Errorf("resumed: %d steps, %d log lines, %d skipped; want 6, 6 and %d", records, n, again.last.SkippedSteps, len(test.bad))
			}
		})
	}
}

// Where no step was good there is nothing to keep: neither a state, though one was saved between, nor an output.
func TestNothingButSkips(t *testing.T) {
	for _, most := range []int{2, 10} {
		dir := t.TempDir()
		cfg := tinyConfig(t, dir)
		cfg.MaxSkipped, cfg.SaveEvery = most, 1
		s := spoiler{run: open(t, cfg), loss: []int{1, 2, 3, 4, 5, 6}}
		out := filepath.Join(dir, "out")
		if err := s.train(t.Context(), out, 1, nil); !errors.Is(err, ErrDiverged) || s.last.Step != min(most+1, 6) {
			t.Errorf("max_skipped %d: got %v after step %d, want ErrDiverged after %d", most, err, s.last.Step, min(most+1, 6))
		}
		for _, left := range []string{out, out + ".run"} {
			if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("max_skipped %d: %s is there: %v", most, left, err)
			}
		}
	}
}

// save_minutes saves by the clock, counted from the last state, beside save_every.
func TestSaveMinutes(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.SaveEvery, cfg.SaveMinutes = 100, 20
	run := open(t, cfg)
	clock := time.Unix(0, 0)
	run.now = func() time.Time { return clock }
	out := filepath.Join(dir, "out")
	var saved []string // by the time each step has ended, before what follows it
	if err := run.Train(t.Context(), out, Options{Report: func(Record) {
		clock = clock.Add(11 * time.Minute) // a state after every second step, counted from the one at the first stage's end too
		if len(statesIn(t, out)) == 0 {
			saved = append(saved, "")
			return
		}
		_, meta := state(t, out)
		saved = append(saved, meta["done"])
	}}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "", "2", "3", "3", "5"}; !slices.Equal(saved, want) {
		t.Errorf("states on disk at each step: %q, want %q", saved, want)
	}
}
