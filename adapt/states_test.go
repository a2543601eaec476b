package adapt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"syncretic/checkpoint"
)

// statesIn lists the steps of the states of an unfinished run.
func statesIn(t *testing.T, out string) []int {
	t.Helper()
	steps, err := (&work{dir: out + ".run"}).states()
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// statePathOf is the path of a state of an unfinished run.
func statePathOf(out string, step int) string { return (&work{dir: out + ".run"}).statePath(step) }

// stopAt trains to a step and interrupts the run there.
func stopAt(t *testing.T, cfg Config, out string, step int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := open(t, cfg).Train(ctx, out, Options{Report: func(r Record) {
		if r.Step == step {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancelled context", err)
	}
}

// sameOutput holds two outputs to the same weights, heads and number of log lines.
func sameOutput(t *testing.T, want, got string) {
	t.Helper()
	for _, name := range []string{"model.safetensors", headsFile} {
		if !bytes.Equal(read(t, want, name), read(t, got, name)) {
			t.Errorf("%s: %s differs from the uninterrupted run's", got, name)
		}
	}
	if a, b := bytes.Count(read(t, want, "train.jsonl"), []byte("\n")), bytes.Count(read(t, got, "train.jsonl"), []byte("\n")); a != b {
		t.Errorf("%s: the log has %d lines, want %d", got, b, a)
	}
}

// Of the states saved by steps the last are kept, and one at each stage's end.
func TestStatesKept(t *testing.T) {
	for _, test := range []struct {
		keep, every int
		want        string // the states when each step ends, before what follows it
	}{
		{1, 1, "[] [1] [2] [3] [3 4] [3 5]"},
		{2, 1, "[] [1] [1 2] [2 3] [3 4] [3 4 5]"},
		{3, 1, "[] [1] [1 2] [1 2 3] [2 3 4] [3 4 5]"},
		{2, 2, "[] [] [2] [2 3] [3 4] [3 4]"},
		{2, 100, "[] [] [] [3] [3] [3]"},
	} {
		dir := t.TempDir()
		cfg := tinyConfig(t, dir)
		cfg.Keep, cfg.SaveEvery = test.keep, test.every
		out := filepath.Join(dir, "out")
		var got []string
		if err := open(t, cfg).Train(t.Context(), out, Options{Report: func(Record) { got = append(got, fmt.Sprint(statesIn(t, out))) }}); err != nil {
			t.Fatal(err)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("keep %d, save_every %d: got %v, want %s", test.keep, test.every, got, test.want)
		}
	}
}

// A newest state that cannot be read, in whatever way, costs a word and the steps since the one before it: the run ends on the
// same bytes. Where none can be read there is an error with each reason.
func TestUnreadableStates(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.SaveEvery = 1
	whole := filepath.Join(dir, "whole")
	if err := open(t, cfg).Train(t.Context(), whole, Options{}); err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(data []byte) []byte{
		"empty":         func([]byte) []byte { return nil },
		"truncated":     func(data []byte) []byte { return data[:len(data)-100] },
		"zeros":         func(data []byte) []byte { return make([]byte, len(data)) },
		"a bit changed": func(data []byte) []byte { data[len(data)-50] ^= 1; return data },
		"zeros at the end": func(data []byte) []byte {
			clear(data[len(data)/2:])
			return data
		},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(dir, name)
			stopAt(t, cfg, out, 5)
			spoil := func(step int) {
				path := statePathOf(out, step)
				if err := os.WriteFile(path, damage(read(t, path)), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			spoil(5)
			var warnings []string
			first := 0
			if err := open(t, cfg).Train(t.Context(), out, Options{Resume: true, Warn: func(s string) { warnings = append(warnings, s) },
				Resumed: func(done int, _ string) { first = done }}); err != nil {
				t.Fatal(err)
			}
			if first != 4 || len(warnings) != 1 || !strings.Contains(warnings[0], "going on from the state after step 4") || !strings.Contains(warnings[0], "state-000000005") {
				t.Errorf("went on after step %d with the warnings %q", first, warnings)
			}
			sameOutput(t, whole, out)

			stopAt(t, cfg, out+"-all", 5)
			out += "-all"
			for _, step := range statesIn(t, out) {
				spoil(step)
			}
			err := open(t, cfg).Train(t.Context(), out, Options{Resume: true})
			if !errors.Is(err, ErrStates) || !errors.Is(err, checkpoint.ErrInvalid) || strings.Count(err.Error(), "state-00000000") < 3 {
				t.Errorf("got %v, want ErrStates with three reasons", err)
			}
			if got := fmt.Sprint(statesIn(t, out)); got != "[3 4 5]" {
				t.Errorf("the states that cannot be read are now %s", got)
			}
		})
	}
}

// A run goes back to a chosen state: later ones and their records are gone, and it ends on the same bytes.
func TestResumeFrom(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.SaveEvery = 1
	whole, out := filepath.Join(dir, "whole"), filepath.Join(dir, "out")
	if err := open(t, cfg).Train(t.Context(), whole, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := open(t, cfg).Train(t.Context(), out, Options{ResumeFrom: 3}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "no state of step 3 to go on from (--resume-from); there is none") {
		t.Errorf("without states: %v", err)
	}
	if _, err := os.Stat(out + ".run"); err == nil {
		t.Error("a refused start left a folder")
	}
	stopAt(t, cfg, out, 5)
	if err := open(t, cfg).Train(t.Context(), out, Options{ResumeFrom: 2}); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "no state of step 2 to go on from (--resume-from); there are those of steps 3 4 5") {
		t.Errorf("a state that is gone: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(t, cfg).Train(ctx, out, Options{ResumeFrom: 3}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got, lines := fmt.Sprint(statesIn(t, out)), bytes.Count(read(t, out+".run", "train.jsonl"), []byte("\n")); got != "[3]" || lines != 3 {
		t.Errorf("gone back to step 3: the states are %s, the log has %d lines", got, lines)
	}
	if err := open(t, cfg).Train(t.Context(), out, Options{Resume: true}); err != nil {
		t.Fatal(err)
	}
	sameOutput(t, whole, out)
}

// What a killed writer left in the folder goes with the next start, and a run that is started over forgets all states.
func TestStartsClean(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.SaveEvery = 1
	out := filepath.Join(dir, "out")
	for _, opts := range []Options{{Resume: true}, {Force: true}} {
		stopAt(t, cfg, out, 4)
		for _, name := range []string{".state-000000005.safetensors.tmp-1-2", ".train.jsonl.tmp-1-2", "state-000000009.safetensors.unreadable"} {
			if err := os.WriteFile(filepath.Join(out+".run", name), []byte("torn"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := open(t, cfg).Train(ctx, out, Options{Resume: opts.Resume, Force: opts.Force}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if opts.Force {
			if _, err := os.Stat(out + ".run"); err == nil {
				t.Error("started over and stopped before a state: the folder is left")
			}
			continue
		}
		if left, _ := filepath.Glob(filepath.Join(out+".run", ".*")); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
		if err := os.RemoveAll(out + ".run"); err != nil {
			t.Fatal(err)
		}
	}
}

// A run that has completed its output and is resumed once more, as after a kill before its folder was removed, only tidies up.
func TestResumeOfACompletedRun(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	out := filepath.Join(dir, "out")
	if err := open(t, cfg).Train(t.Context(), out, Options{}); err != nil {
		t.Fatal(err)
	}
	before := read(t, out, "model.safetensors")
	for range 2 { // without a folder, and with one that is left
		var reported []int
		if err := open(t, cfg).Train(t.Context(), out, Options{Resume: true, Report: func(r Record) { reported = append(reported, r.Step) }}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(reported, []int{6}) || !bytes.Equal(before, read(t, out, "model.safetensors")) {
			t.Errorf("steps %v were reported", reported)
		}
		if _, err := os.Stat(out + ".run"); err == nil {
			t.Error("the folder is left")
		}
		stopAt(t, cfg, filepath.Join(dir, "left"), 4)
		if err := os.Rename(filepath.Join(dir, "left.run"), out+".run"); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(out + ".run"); err != nil {
		t.Fatal(err)
	}
	other := cfg
	other.Stages = slices.Clone(cfg.Stages)
	other.Stages[1].LR.Peak = 2e-3
	stopAt(t, other, filepath.Join(dir, "new"), 4)
	if err := os.Rename(filepath.Join(dir, "new.run"), out+".run"); err != nil {
		t.Fatal(err)
	}
	if err := open(t, cfg).Train(t.Context(), out, Options{Resume: true}); !errors.Is(err, ErrConfig) || len(statesIn(t, out)) == 0 {
		t.Errorf("another recipe's run in the folder: got %v, want ErrConfig, and its states left", err)
	}
	if err := open(t, other).Train(t.Context(), out, Options{Resume: true}); !errors.Is(err, os.ErrExist) {
		t.Errorf("the output of another recipe: got %v, want ErrExist", err)
	}
}

// A full disk ends the run with the numbers and leaves the older states, from which it goes on once there is room.
func TestFullDiskWhileSaving(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.SaveEvery = 1
	whole, out := filepath.Join(dir, "whole"), filepath.Join(dir, "out")
	if err := open(t, cfg).Train(t.Context(), whole, Options{}); err != nil {
		t.Fatal(err)
	}
	run := open(t, cfg)
	run.disk.free = func(string) (int64, bool) { return 100, true }
	run.disk.write = func(ctx context.Context, path string, src checkpoint.Source, opts checkpoint.WriteOptions) error {
		if path == statePathOf(out, 5) {
			return &os.PathError{Op: "reserve", Path: path, Err: syscall.ENOSPC}
		}
		return checkpoint.Write(ctx, path, src, opts)
	}
	var warnings []string
	err := run.Train(t.Context(), out, Options{Warn: func(s string) { warnings = append(warnings, s) }})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "out.run: no room for the state after step 5, which needs ") || !strings.Contains(err.Error(), "and 100 bytes are free; that of step 4 is as it was: no space left") {
		t.Errorf("got %v, want ENOSPC with what is needed and free", err)
	}
	if got := fmt.Sprint(statesIn(t, out)); got != "[3 4]" {
		t.Errorf("the states left are %s, want [3 4]", got)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "4 states of ") || !strings.Contains(warnings[0], "100 bytes are free") {
		t.Errorf("warnings before the first step: %q", warnings)
	}
	size, err := os.Stat(statePathOf(out, 4))
	if err != nil {
		t.Fatal(err)
	}
	if want := run.stateBytes(); want > size.Size() || float64(want) < 0.8*float64(size.Size()) { // a header is on top
		t.Errorf("a state takes %d bytes, %d were foreseen", size.Size(), want)
	}
	if err := open(t, cfg).Train(t.Context(), out, Options{Resume: true}); err != nil {
		t.Fatal(err)
	}
	sameOutput(t, whole, out)
}
