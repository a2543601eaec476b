package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// recipe is a training that takes a second; tests replace parts of it.
const recipe = `
base: base
seed: 5
teacher:
  path: teacher
  cqt: {sample_rate: 24000, hop: 320, fmin: 200, bins: 24, bins_per_octave: 12, max_window: 1024}
  codebooks: 2
  codebook_size: 4
  iterations: 2
  frames: 200
objective: {codebook_dim: 4}
corpora:
  - {name: low, manifest: low.csv}
batch: {clips: 2, seconds: 0.2}
stages:
  - {name: all, steps: 4, lr: {peak: 1e-3, warmup: 1}}
`

// studio makes a base, a corpus and the recipe tiny.yml.
func (w workshop) studio() {
	w.t.Helper()
	w.model("base", narrow, 1)
	w.corpus("low")
	w.write("tiny.yml", recipe)
}

func TestAdaptWritesAModel(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	before := w.contents()
	got := w.result("adapt tiny.yml out")
	w.unchanged(before, "out", "teacher")
	last, ok := got["last"].(map[string]any)
	if got["output"] != "out" || got["steps"] != 4.0 || !ok || last["step"] != 4.0 || last["stage"] != "all" {
		t.Errorf("result %v, want 4 steps of stage all in out", got)
	}
	for _, name := range []string{"config.json", "model.safetensors", "preprocessor_config.json", "heads.safetensors", "adapt.json", "train.jsonl"} {
		if w.read("out/"+name) == "" {
			t.Errorf("%s is empty", name)
		}
	}
	if n := strings.Count(w.read("out/train.jsonl"), "\n"); n != 4 {
		t.Errorf("train.jsonl has %d lines, want 4", n)
	}
	w.succeed("vector base out tau.safetensors") // what adapt writes, the other verbs read
	w.succeed("embed out low-0.wav -o f.safetensors")
}

func TestAdaptSeed(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.succeed("adapt tiny.yml as-written")
	w.succeed("adapt tiny.yml five --seed 5")
	w.succeed("adapt tiny.yml six --seed 6")
	five, six := w.read("five/model.safetensors"), w.read("six/model.safetensors")
	if !equalWeights(w, "as-written", "five") || equalWeights(w, "five", "six") || five == six {
		t.Error("--seed 5 must give what the recipe's seed 5 gives, --seed 6 something else")
	}
}

func equalWeights(w workshop, a, b string) bool {
	left, right := w.weights(a), w.weights(b)
	for name := range left {
		for i := range left[name] {
			if left[name][i] != right[name][i] {
				return false
			}
		}
	}
	return len(left) == len(right)
}

// An interrupted training leaves no output, says how to go on, and ends on the bytes of one that was not interrupted.
func TestAdaptResumes(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.write("long.yml", strings.Replace(recipe, "steps: 4", "steps: 250", 1)+"save_every: 40\n")
	w.succeed("adapt long.yml whole --quiet")

	ctx, cancel := context.WithCancel(t.Context())
	go func() { // stops the run once it has taken some steps
		for ctx.Err() == nil {
			if log, err := os.ReadFile("out.run/train.jsonl"); err == nil && strings.Count(string(log), "\n") > 10 {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	o := w.within(ctx, "adapt long.yml out --json --quiet")
	if o.code != exitInterrupted {
		t.Fatalf("exit code %d, want %d\n%s", o.code, exitInterrupted, o.stderr)
	}
	o.complains(t, "interrupted: stopped after step", "--resume goes on from there")
	if _, err := os.Stat("out"); err == nil {
		t.Error("an interrupted run left an output")
	}
	w.refuse([]refusal{
		{"without --resume", "adapt long.yml out", exitExists, "an interrupted run (go on with --resume, start over with --force)", ""},
		{"another recipe", "adapt tiny.yml out --resume", exitUsage, "belongs to another recipe or base; start over with --force", ""},
	})
	w.succeed("adapt long.yml out --resume --quiet")
	for _, name := range []string{"model.safetensors", "heads.safetensors", "config.json", "adapt.json"} {
		if w.read("whole/"+name) != w.read("out/"+name) {
			t.Errorf("%s differs from the uninterrupted run's", name)
		}
	}
	if _, err := os.Stat("out.run"); err == nil {
		t.Error("out.run is left after the end")
	}
}

func TestAdaptStopsOnNaN(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.write("wild.yml", strings.Replace(recipe, "peak: 1e-3", "peak: 1e30", 1))
	o := w.syncretic("adapt wild.yml out --json --quiet")
	if o.code != exitFailed {
		t.Errorf("exit code %d, want %d", o.code, exitFailed)
	}
	o.complains(t, "stage all, step 2: training diverged", "lower the stage's peak learning rate")
	if _, err := os.Stat("out"); err == nil {
		t.Error("a diverged run left an output")
	}
}

func TestAdaptRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.succeed("adapt tiny.yml done --quiet") // the teacher stands from here on
	w.write("poem.txt", "a poem")
	w.must(os.Mkdir("folder", 0o777))
	w.write("folder/poem.txt", "a poem")
	w.write("empty.csv", "path,split\n")
	w.write("slow.wav", strings.Replace(w.read("low-0.wav"), "\xc0\x5d\x00\x00", "\x80\x01\x00\x00", 1))
	w.write("slow.csv", "path,split\nslow.wav,train\n")
	w.write("gone.csv", "path,split\ngone.wav,train\n")
	w.write("column.csv", "paht,split\nlow-0.wav,train\n")
	for name, change := range map[string][2]string{
		"typo":     {"stages:", "stagse:"},
		"text":     {"steps: 4", "steps: four"},
		"no-base":  {"base: base", "base: nowhere"},
		"split":    {"manifest: low.csv", "manifest: low.csv, split: live"},
		"empty":    {"low.csv", "empty.csv"},
		"slow":     {"low.csv", "slow.csv"},
		"linear":   {"manifest: low.csv", "manifest: low.csv, resampler: linear"},
		"allbad":   {"manifest: low.csv", "manifest: slow.csv, skip_bad: true"},
		"gone":     {"low.csv", "gone.csv"},
		"column":   {"low.csv", "column.csv"},
		"missing":  {"low.csv", "nowhere.csv"},
		"negative": {"peak: 1e-3", "peak: -1"},
		"long":     {"seconds: 0.2", "seconds: 60"},
		"nothing":  {recipe, ""},
	} {
		text := strings.Replace(recipe, change[0], change[1], 1)
		if text == recipe {
			t.Fatalf("%s: the replacement changed nothing", name)
		}
		w.write(name+".yml", text)
	}
	const help, mend, spelling = "adapt --help", "mend the configuration", "check the spelling"
	w.refuse([]refusal{
		{"no such recipe", "adapt nowhere.yml x", exitInput, "nowhere.yml: no such file or directory", spelling},
		{"a folder as recipe", "adapt folder x", exitInput, "folder: is a directory", ""},
		{"not YAML", "adapt poem.txt x", exitUsage, `line 1: got "a poem", want keys with values`, mend},
		{"empty recipe", "adapt nothing.yml x", exitUsage, "nothing.yml: bad configuration: the document is empty", mend},
		{"unknown key", "adapt typo.yml x", exitUsage, `unknown key "stagse" (did you mean "stages"?)`, mend},
		{"text for a number", "adapt text.yml x", exitUsage, `got "four", want a whole number`, mend},
		{"negative rate", "adapt negative.yml x", exitUsage, "lr.peak: got -1, want more than 0", mend},
		{"no such base", "adapt no-base.yml x", exitInput, "nowhere: no such file or directory", spelling},
		{"no such manifest", "adapt missing.yml x", exitInput, "nowhere.csv: no such file or directory", spelling},
		{"manifest without rows", "adapt empty.yml x", exitInput, "empty.csv", "a manifest has a header such as path,split,tags"},
		{"misspelt column", "adapt column.yml x", exitInput, `"path"`, ""},
		{"no row of the split", "adapt split.yml x", exitInput, `low.csv has no row of split "live"`, "a manifest has a header such as path,split,tags"},
		{"a row without its file", "adapt gone.yml x", exitInput, "file does not exist: gone.wav", spelling},
		{"384 Hz", "adapt slow.yml x", exitInput, "sample rate 384 Hz, want 1000 to 768000 Hz", ""},
		{"unknown resampler", "adapt linear.yml x", exitUsage, `resampler "linear", want kaiser or torchaudio`, "mend the configuration"},
		{"nothing left", "adapt allbad.yml x", exitInput, `slow.csv has no row of split "train" that can be read; 1 left out, the first: slow.wav: invalid`, "a manifest has a header"},
		{"recordings too short", "adapt long.yml x", exitInput, "as long as a crop", ""},
		{"existing output", "adapt tiny.yml done", exitExists, "done: file already exists", "--force replaces it"},
		{"force on a folder that is no model", "adapt tiny.yml folder --force", exitExists, "folder: not a model directory", "a name that is not taken"},
		{"output is the base", "adapt tiny.yml base --force", exitUsage, "the output base is also an input", help},
		{"output is the manifest", "adapt tiny.yml low.csv --force", exitUsage, "the output low.csv is also an input", help},
		{"output is one file", "adapt tiny.yml x.safetensors", exitUsage, "an adapted model is a directory", help},
		{"negative seed", "adapt tiny.yml x --seed -1", exitUsage, "want a whole number, 0 or more", help},
		{"one argument", "adapt tiny.yml", exitUsage, "adapt takes the arguments CONFIG.yml OUT; got 1: tiny.yml", help},
	})
}
