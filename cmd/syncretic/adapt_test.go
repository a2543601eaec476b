package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
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
	w.write("gone.yml", strings.Replace(recipe, "manifest: low.csv", "manifest: gone.csv", 1))
	w.refuse([]refusal{
		{"without --resume, before the corpora are opened", "adapt gone.yml out", exitExists, "an interrupted run (go on with --resume, start over with --force)", ""},
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
	w.write("wild.yml", strings.Replace(recipe, "peak: 1e-3", "peak: 1e30", 1)+"max_skipped: 0\n")
	o := w.syncretic("adapt wild.yml out --json --quiet")
	if o.code != exitFailed {
		t.Errorf("exit code %d, want %d", o.code, exitFailed)
	}
	o.complains(t, "stage all, step 2: training diverged", "lower the stage's peak learning rate")
	if _, err := os.Stat("out"); err == nil {
		t.Error("a diverged run left an output")
	}
}

// Skipped steps are counted in the result; too many in a row leave the state before them, and --resume says what happened.
func TestAdaptSkipsNaN(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	wild := strings.Replace(recipe, "peak: 1e-3", "peak: 1e30", 1) // after its first step no loss is finite
	w.write("wild.yml", wild)
	got := w.result("adapt wild.yml out")
	if last := got["last"].(map[string]any); got["steps"] != 4.0 || got["skipped_steps"] != 3.0 || last["skipped"] != true || last["loss"] != nil {
		t.Errorf("result %v, want 3 of 4 steps skipped", got)
	}
	if o := w.syncretic("adapt wild.yml again"); o.code != 0 || !strings.Contains(o.stdout, ", skipped steps: 3\n") || !strings.Contains(o.stderr, "clips/s  skipped steps: 3\n") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want both to count 3 skipped steps", o.code, o.stdout, o.stderr)
	}

	w.write("wild.yml", wild+"max_skipped: 1\n")
	o := w.syncretic("adapt wild.yml cut --json --quiet")
	if o.code != exitFailed {
		t.Errorf("exit code %d, want %d", o.code, exitFailed)
	}
	o.complains(t, "stopped after step 1, its state is in cut.run: stage all, step 3: training diverged: the loss is", "lower the stage's peak learning rate")
	w.write("wild.yml", wild+"max_skipped: 3\n")
	if o := w.syncretic("adapt wild.yml cut --resume"); o.code != 0 || !strings.Contains(o.stderr, "going on after step 1, where the run stopped: stage all, step 3: training diverged") {
		t.Errorf("exit code %d, stderr %q; want a resumed run that says where it had stopped", o.code, o.stderr)
	}
}

// From EnCodec's weights to a model that has learnt its codes: tokens, then adapt with them as its teacher's, into a folder or into one
// file; then on from an interruption.
func TestAdaptWithTokens(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.codec("codec", 1)
	var list []string
	for i := range 12 {
		list = append(list, fmt.Sprintf("low-%d.wav", i))
	}
	w.succeed("tokens codec " + strings.Join(list, " ") + " -o tokens --codebooks 3")
	w.succeed("tokens codec " + strings.Join(list, " ") + " -o all.safetensors --codebooks 3")
	taught := strings.NewReplacer("  path: teacher\n", "  path: teacher\n  tokens: tokens\n", "  codebook_size: 4\n  iterations: 2\n", "").Replace(recipe)
	w.write("tokens.yml", taught)
	w.write("file.yml", strings.Replace(taught, "tokens: tokens", "tokens: all.safetensors", 1))
	before := w.contents()
	got := w.result("adapt tokens.yml out")
	w.unchanged(before, "out", "teacher")
	if last := got["last"].(map[string]any); got["steps"] != 4.0 || len(last["ce"].([]any)) != 2 {
		t.Errorf("result %v, want 4 steps on 2 codebooks", got)
	}
	heads := w.weights("out/heads.safetensors")
	if n := len(heads["label_embs_concat"]); n != 2*16*4 { // two codebooks of 16, as the codec has them, in 4 dimensions
		t.Errorf("%d values embed the codes, want 2 codebooks of 16 in 4 dimensions", n)
	}
	var stored struct {
		Inputs map[string]string `json:"inputs_sha256"`
		Config struct {
			Teacher map[string]any `json:"teacher"`
		} `json:"config"`
	}
	w.must(json.Unmarshal([]byte(w.read("out/adapt.json")), &stored))
	if stored.Config.Teacher["tokens"] != "tokens" || stored.Config.Teacher["codebook_size"] != 16.0 || len(stored.Inputs["tokens of low"]) != 64 {
		t.Errorf("adapt.json: teacher %v, inputs %v", stored.Config.Teacher, stored.Inputs)
	}
	w.succeed("adapt file.yml again")
	if !equalWeights(w, "out", "again") {
		t.Error("the same codes in one file give another model")
	}
	w.write("resume.yml", strings.Replace(taught, "steps: 4", "steps: 250", 1)+"save_every: 40\n")
	w.succeed("adapt resume.yml whole --quiet")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if log, err := os.ReadFile("cut.run/train.jsonl"); err == nil && strings.Count(string(log), "\n") > 10 {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if o := w.within(ctx, "adapt resume.yml cut --quiet"); o.code != exitInterrupted {
		t.Fatalf("exit code %d, want %d\n%s", o.code, exitInterrupted, o.stderr)
	}
	w.succeed("adapt resume.yml cut --resume --quiet")
	if w.read("whole/model.safetensors") != w.read("cut/model.safetensors") || w.read("whole/adapt.json") != w.read("cut/adapt.json") {
		t.Error("a run with tokens that was resumed differs from one that was not")
	}

	w.codec("other", 2)
	w.succeed("tokens codec low-0.wav low-3.wav -o some --codebooks 2")
	w.succeed("tokens other " + strings.Join(list, " ") + " -o mixed --codebooks 2")
	for name, change := range map[string][2]string{
		"some":    {"tokens: tokens", "tokens: some"},
		"nowhere": {"tokens: tokens", "tokens: nowhere"},
		"model":   {"tokens: tokens", "tokens: base/model.safetensors"},
		"many":    {"codebooks: 2", "codebooks: 4"},
		"size":    {"codebooks: 2", "codebooks: 2\n  codebook_size: 1024"},
		"kmeans":  {"codebooks: 2", "codebooks: 2\n  iterations: 2"},
		"without": {"  tokens: tokens\n", ""},
	} {
		w.write(name+".yml", strings.Replace(taught, change[0], change[1], 1))
	}
	w.write("longer.wav", w.read("low-0.wav"))
	w.must(os.Remove("low-0.wav"))
	w.tone("low-0.wav", 200, 0.5)
	const mend = "mend the configuration"
	w.refuse([]refusal{
		{"another recording by now", "adapt tokens.yml x", exitInput, "30 frames, but low-0.wav of 0.5 s has 38: they are another recording's", ""},
	})
	w.must(os.Rename("longer.wav", "low-0.wav"))
	w.refuse([]refusal{
		{"a recording without codes", "adapt some.yml x", exitInput, "teacher.tokens: some: invalid tokens: no codes of low-6.wav, among those of 2 recordings", ""},
		{"no such folder", "adapt nowhere.yml x", exitInput, "teacher.tokens: nowhere/manifest.csv: no such file or directory", "check the spelling"},
		{"a model", "adapt model.yml x", exitInput, "no codes of low-0.wav", ""},
		{"more codebooks than there are", "adapt many.yml x", exitInput, "3 codebooks, want 4 (teacher.codebooks)", ""},
		{"another size", "adapt size.yml x", exitUsage, "teacher.codebook_size: the recipe asks for 1024", mend},
		{"settings of k-means", "adapt kmeans.yml x", exitUsage, "iterations, batch and seed are of k-means", mend},
		{"its teacher without them", "adapt without.yml x", exitUsage, "teacher teacher has no codebooks", mend},
		{"output is the tokens", "adapt tokens.yml tokens --force", exitUsage, "the output tokens is also an input", "adapt --help"},
	})
}

// Recordings that cannot be read are left out only when the recipe says so, of the corpora and of what the teacher is fitted on; then they are
// counted and named, in the result and in adapt.json.
func TestAdaptSkipsBad(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.write("cut.wav", w.read("low-0.wav")[:400])
	w.write("nan.wav", floats(float32(math.NaN())))
	w.write("low.csv", w.read("low.csv")+"cut.wav,,,train,,\nnan.wav,,,train,,\n")
	w.write("fit.csv", "path,split\nlow-0.wav,train\nlow-3.wav,train\nnan.wav,train\n")
	fit := strings.Replace(recipe, "  path: teacher\n", "  path: fitted\n  fit: [{name: fit, manifest: fit.csv}]\n", 1)
	w.write("fit.yml", strings.Replace(fit, "manifest: low.csv", "manifest: low.csv, skip_bad: true", 1))
	w.write("skip.yml", strings.NewReplacer("manifest: low.csv", "manifest: low.csv, skip_bad: true", "manifest: fit.csv", "manifest: fit.csv, skip_bad: true").Replace(fit))
	w.refuse([]refusal{
		{"not asked for", "adapt tiny.yml x", exitInput, "cut.wav: invalid audio input: truncated", "copy or download it again"},
		{"not asked for what is fitted on", "adapt fit.yml x", exitInput, "nan.wav: invalid audio input: sample 0 is not finite", ""},
	})
	got := w.result("adapt skip.yml out")
	skipped, _ := got["skipped"].([]any)
	if len(skipped) != 2 || !strings.Contains(fmt.Sprint(skipped[0]), "cut.wav: invalid audio input: truncated") ||
		!strings.Contains(fmt.Sprint(skipped[1]), "nan.wav: invalid audio input: sample 0 is not finite") {
		t.Errorf("left out %v, want cut.wav and nan.wav", skipped)
	}
	if doc := w.read("out/adapt.json"); !strings.Contains(doc, "cut.wav: invalid audio input: truncated") || !strings.Contains(doc, `"skipped"`) {
		t.Errorf("adapt.json does not name what was left out:\n%s", doc)
	}
	if text := w.succeed("adapt skip.yml again").stdout; !strings.Contains(text, "2 recordings left out, which cannot be read:\n  cut.wav") {
		t.Errorf("text %q, want the count and the names of what was left out", text)
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
