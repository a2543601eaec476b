package adapt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"syncretic/adapt/audio"
)

// However many workers load it, a run's weights and records are the same.
func TestWorkersChangeNothing(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	for _, workers := range []int{1, 4} {
		run := open(t, cfg)
		run.workers = workers
		if err := run.Train(t.Context(), filepath.Join(dir, fmt.Sprint(workers)), Options{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"model.safetensors", headsFile} {
		if !bytes.Equal(read(t, dir, "1", name), read(t, dir, "4", name)) {
			t.Errorf("%s of one worker and of four differ", name)
		}
	}
	one, four := records(t, dir, "1"), records(t, dir, "4")
	for i := range one {
		if one[i].Loss != four[i].Loss || one[i].GradNorm != four[i].GradNorm {
			t.Errorf("step %d: loss %v of one worker, %v of four", i+1, one[i].Loss, four[i].Loss)
		}
	}
}

// records reads a run's log without what the clock says.
func records(t *testing.T, parts ...string) []Record {
	t.Helper()
	var all []Record
	for line := range bytes.Lines(read(t, append(parts, "train.jsonl")...)) {
		var r Record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		r.Time, r.Speed, r.Wait = time.Time{}, 0, 0
		all = append(all, r)
	}
	return all
}

// Batches come in the order of their steps, few ahead, and loading ends with the context.
func TestPrefetch(t *testing.T) {
	cfg := tinyConfig(t, t.TempDir())
	cfg.Stages = cfg.Stages[1:]
	cfg.Stages[0].Steps = 40
	run := open(t, cfg)
	run.workers = 3
	sampler, err := NewSampler(cfg.Seed, run.corpora, 0, cfg.Batch.Seconds, run.teacher.Hop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	batches := run.prefetch(ctx, sampler, 0, 5)
	for at := 5 * cfg.Batch.Accumulate; at < 20; at++ {
		got := <-batches
		want, err := run.loadTraining(sampler, 0, at/2, at%2)
		if err != nil || got.err != nil {
			t.Fatal(err, got.err)
		}
		if !slices.Equal(got.batch.samples, want.samples) || !slices.Equal(got.batch.rows, want.rows) || !slices.Equal(got.batch.spectrum, want.spectrum) {
			t.Fatalf("micro-batch %d is another", at)
		}
	}
	cancel()
	left := 0
	for range batches {
		left++
	}
	if left > 1 {
		t.Errorf("%d batches came after the end", left)
	}

	n := 0
	for b := range run.prefetch(t.Context(), sampler, 0, 38) {
		if n++; b.err != nil {
			t.Fatal(b.err)
		}
	}
	if n != 2*cfg.Batch.Accumulate {
		t.Errorf("%d micro-batches of the last two steps, want %d", n, 2*cfg.Batch.Accumulate)
	}
}

// failing truncates recordings of a corpus under an open run, as a disk that fails does, and gives the way back.
func failing(t *testing.T, dir string, names ...string) (mend func()) {
	t.Helper()
	whole := map[string][]byte{}
	for _, name := range names {
		path := filepath.Join(dir, name)
		whole[path] = read(t, path)
		if err := os.Truncate(path, 44+2*100); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for path, data := range whole {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// With skip_bad a crop that cannot be read is replaced by another of its corpus, named once, and the run ends on the same bytes however
// often it is interrupted.
func TestUnreadableCropsAreReplaced(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	for i := range cfg.Corpora {
		cfg.Corpora[i].SkipBad = true
	}
	stamp, err := os.Stat(filepath.Join(dir, "low-1.wav"))
	if err != nil {
		t.Fatal(err)
	}
	train := func(ctx context.Context, out string, opts Options) (*Run, error) {
		t.Helper()
		run := open(t, cfg)
		mend := failing(t, dir, "low-1.wav", "low-2.wav")
		defer func() {
			mend()
			for _, name := range []string{"low-1.wav", "low-2.wav"} { // the cached targets are of files of this time
				if err := os.Chtimes(filepath.Join(dir, name), stamp.ModTime(), stamp.ModTime()); err != nil {
					t.Fatal(err)
				}
			}
		}()
		return run, run.Train(ctx, filepath.Join(dir, out), opts)
	}
	run, err := train(t.Context(), "whole", Options{})
	if err != nil {
		t.Fatal(err)
	}
	replaced, named := 0, []string{}
	for _, r := range records(t, dir, "whole") {
		replaced += r.Replaced
		for _, s := range r.Unread {
			named = append(named, filepath.Base(s.Path))
		}
	}
	slices.Sort(named)
	if replaced < 3 || !slices.Equal(named, []string{"low-1.wav", "low-2.wav"}) {
		t.Errorf("%d crops replaced, named %q, want several of low-1.wav and low-2.wav", replaced, named)
	}
	if s := run.Skipped(); len(s) != 2 || !strings.Contains(s[0].Reason, "truncated") {
		t.Errorf("skipped %+v", s)
	}
	for stop := 1; stop <= 5; stop += 2 {
		out := fmt.Sprint("stopped-", stop)
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := train(ctx, out, Options{Report: func(r Record) {
			if r.Step == stop {
				cancel()
			}
		}}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		again, err := train(t.Context(), out, Options{Resume: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"model.safetensors", headsFile, "adapt.json"} {
			if !bytes.Equal(read(t, dir, "whole", name), read(t, dir, out, name)) {
				t.Errorf("stop after %d: %s differs from the uninterrupted run's", stop, name)
			}
		}
		if a, b := records(t, dir, "whole"), records(t, dir, out); fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("stop after %d: the records differ:\n%v\n%v", stop, a, b)
		}
		if a, b := run.Skipped(), again.Skipped(); !slices.Equal(a, b) {
			t.Errorf("stop after %d: skipped %v, want %v", stop, b, a)
		}
	}
}

// Without skip_bad such a crop ends the run, and with it a corpus of which nothing can be read.
func TestUnreadableCropsEndTheRun(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	run := open(t, cfg)
	defer failing(t, dir, "low-0.wav", "low-1.wav", "low-2.wav", "low-4.wav", "low-5.wav", "low-6.wav")()
	err := run.Train(t.Context(), filepath.Join(dir, "a"), Options{})
	if !errors.Is(err, audio.ErrInvalid) || !strings.Contains(err.Error(), "stage front-end, step 1: ") || !strings.Contains(err.Error(), "truncated") {
		t.Errorf("without skip_bad: %v", err)
	}
	for _, c := range run.corpora {
		c.skipBad = true
	}
	err = run.Train(t.Context(), filepath.Join(dir, "b"), Options{})
	if !errors.Is(err, audio.ErrInvalid) || !strings.Contains(err.Error(), "corpus low: 101 crops one after another cannot be read, the last: ") {
		t.Errorf("nothing can be read: %v", err)
	}
}

func TestRedraw(t *testing.T) {
	list := corpora()
	s, err := NewSampler(7, list, 0.2, 1, 320)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Crop]bool{}
	for attempt := range 50 {
		a, b := s.Redraw(list[1], 1, 2, 3, 4, attempt), s.Redraw(list[1], 1, 2, 3, 4, attempt)
		if a != b || a.Corpus != list[1] {
			t.Fatalf("attempt %d: %+v, then %+v", attempt, a, b)
		}
		seen[a] = true
	}
	if len(seen) < 10 {
		t.Errorf("50 attempts give %d crops", len(seen))
	}
	if s.Redraw(list[1], 1, 2, 3, 4, 0) == s.Redraw(list[1], 1, 2, 3, 5, 0) {
		t.Error("two slots draw the same")
	}
}
