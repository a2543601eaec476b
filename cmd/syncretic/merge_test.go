package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// recipes writes the models of workshop.models and some recipes over them.
func (w workshop) recipes() {
	w.t.Helper()
	w.models()
	w.write("ta.yml", "merge_method: task_arithmetic\nbase_model: base\nmodels:\n- model: tuned\n  parameters: {weight: 0.5}\n")
	w.write("ties.yml", "merge_method: ties\nbase_model: ./base\nmodels:\n- model: ./tuned\n  parameters: {weight: 1, density: 0.5}\n- model: ./stranger\n  parameters: {weight: 0.5, density: 0.5}\n")
	w.write("dare.yml", "merge_method: dare_linear\nbase_model: base\nmodels:\n- model: tuned\n  parameters: {weight: 1, density: 0.5}\n")
	w.write("typo.yml", "merge_method: ties\nbase_model: base\nmodels:\n- model: tuned\n  parameters: {weight: 1, densty: 0.5}\n")
}

func TestMergeRunsARecipe(t *testing.T) {
	w := newWorkshop(t)
	w.recipes()
	before := w.contents()
	w.succeed("merge ta.yml merged --quiet")
	w.unchanged(before, "merged")
	w.succeed("apply base applied --vector tuned=0.5 --quiet")
	equal(t, w.weights("merged"), w.weights("applied"), w.weights("base"), 2*rounding)
	for _, file := range []string{"config.json", "README.md", "mergekit_config.yml"} {
		if _, err := os.Stat("merged/" + file); err != nil {
			t.Error(err)
		}
	}
	if w.read("merged/mergekit_config.yml") != w.read("ta.yml") {
		t.Error("mergekit_config.yml is not the recipe")
	}
	if meta := w.metadata("merged"); meta["syncretic.verb"] != "merge" || !strings.Contains(meta["syncretic.recipe"], "task_arithmetic") {
		t.Errorf("metadata %v", meta)
	}
}

// The same bytes whatever the number of threads and shards, and for random methods the same seed; another seed gives others.
func TestMergeIsDeterministic(t *testing.T) {
	w := newWorkshop(t)
	w.recipes()
	w.succeed("merge dare.yml one --seed 7 --quiet --threads 1")
	w.succeed("merge dare.yml two --seed 7 --quiet --out-shard-size 2K")
	w.succeed("merge dare.yml three --random-seed 8 --quiet")
	hash := func(path string) string {
		m, err := checkpoint.Open(path)
		w.must(err)
		defer m.Close()
		h, err := checkpoint.Hash(m)
		w.must(err)
		return h
	}
	if hash("one") != hash("two") {
		t.Error("threads or shards change the result")
	}
	if hash("one") == hash("three") {
		t.Error("the seed changes nothing")
	}
	if _, err := os.Stat("two/model.safetensors.index.json"); err != nil {
		t.Error(err)
	}
}

func TestMergeSeveralLambdas(t *testing.T) {
	w := newWorkshop(t)
	w.recipes()
	r := w.result("merge ta.yml merged --lambda 0,0.5,2")
	if n := len(r["outputs"].([]any)); n != 3 {
		t.Fatalf("%d outputs, want 3", n)
	}
	equal(t, w.weights("merged-lambda-0"), w.weights("base"), w.weights("base"), 0)
	equal(t, w.weights("merged-lambda-2"), w.weights("tuned"), w.weights("base"), 2*rounding)
	w.succeed("merge ta.yml single.safetensors --lambda 2 --quiet")
	equal(t, w.weights("single.safetensors"), w.weights("tuned"), w.weights("base"), 2*rounding)
}

func TestMergePlan(t *testing.T) {
	w := newWorkshop(t)
	w.recipes()
	before := w.contents()
	text := w.succeed("merge ties.yml merged --plan").stdout
	for _, want := range []string{"ties(./tuned density=0.5 weight=1, ./stranger density=0.5 weight=0.5, ./base (base))", "side files from ./base", "model.safetensors"} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan lacks %q:\n%s", want, text)
		}
	}
	w.unchanged(before)
	var planned planReport
	o := w.succeed("merge ties.yml merged --plan --json --quiet")
	w.must(json.Unmarshal([]byte(o.stdout), &planned))
	w.succeed("merge ties.yml merged --quiet")
	for _, f := range planned.Files {
		info, err := os.Stat("merged/" + f.Name)
		if err != nil || info.Size() != f.Bytes {
			t.Errorf("%s: planned %d bytes, written %v (%v)", f.Name, f.Bytes, info.Size(), err)
		}
	}
	list, err := os.ReadDir("merged")
	w.must(err)
	if len(list) != len(planned.Files) {
		t.Errorf("%d files written, %d planned", len(list), len(planned.Files))
	}
}

func TestMergeMethods(t *testing.T) {
	w := newWorkshop(t)
	text := w.succeed("merge --methods").stdout
	for _, want := range []string{"task_arithmetic:", "ties:", "karcher:", "density", "https://arxiv.org/abs/2306.01708"} {
		if !strings.Contains(text, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
}

// A command line written for mergekit-yaml runs, and says what has no effect.
func TestMergeTakesMergekitsFlags(t *testing.T) {
	w := newWorkshop(t)
	w.recipes()
	o := w.succeed("merge ties.yml merged --cuda --allow-crimes --lazy-unpickle --low-cpu-memory --out-shard-size 5B --copy-tokenizer --no-write-model-card --trust-remote-code -j 2 -v --write-threads 4")
	for _, want := range []string{"--cuda has no effect", "--write-threads has no effect"} {
		if !strings.Contains(o.stderr, want) {
			t.Errorf("standard error lacks %q:\n%s", want, o.stderr)
		}
	}
	if _, err := os.Stat("merged/README.md"); err == nil {
		t.Error("--no-write-model-card writes a model card")
	}
	if o := w.succeed("merge ties.yml --out-path multi -I parts --lazy --quiet"); w.read("multi/model.safetensors") != w.read("merged/model.safetensors") {
		t.Errorf("--out-path gives another model: %s", o.stderr)
	}
}

func TestMergeRefuses(t *testing.T) {
	w := newWorkshop(t)
	w.recipes()
	w.write("other.yml", "merge_method: linear\nmodels:\n- {model: base, parameters: {weight: 1}}\n- {model: other, parameters: {weight: 1}}\n")
	w.model("other", wide, 3)
	w.write("missing.yml", "merge_method: linear\nmodels: [{model: nowhere/at/all, parameters: {weight: 1}}]\n")
	w.must(os.MkdirAll("existing", 0o777))
	w.write("existing/model.safetensors", "old")
	w.refuse([]refusal{
		{"no recipe", "merge nowhere.yml out", exitInput, "nowhere.yml: no such file", "check the spelling"},
		{"a key misspelt", "merge typo.yml out", exitUsage, `merge method ties has no parameter "densty" (did you mean "density"?)`, "mend the configuration"},
		{"a model that is not there", "merge missing.yml out", exitInput, "model nowhere/at/all: no such file", "check the spelling"},
		{"models of other shapes", "merge other.yml out", exitInput, "shape", ""},
		{"an output that exists", "merge ta.yml existing", exitExists, "existing: file already exists", "--force replaces it"},
		{"an output that is an input", "merge ta.yml base --force", exitUsage, "the output base is also an input", "merge --help"},
		{"the recipe as output", "merge ta.yml ta.yml --force", exitUsage, "is also an input", "merge --help"},
		{"a policy misspelt", "merge ta.yml out --non-finite maybe", exitUsage, `non-finite "maybe", want refuse, keep or zero`, "merge --help"},
		{"a size misspelt", "merge ta.yml out --out-shard-size much", exitUsage, `"much" is not a size`, "merge --help"},
		{"union and intersection", "merge ta.yml out --tensor-union --tensor-intersection", exitUsage, "exclude each other", "merge --help"},
		{"two outputs", "merge ta.yml out --out-path other", exitUsage, "--out-path stands in place of OUT", "merge --help"},
		{"one argument", "merge ta.yml", exitUsage, "merge takes the arguments CONFIG OUT; got 1: ta.yml", "merge --help"},
	})
	w.interrupt("merge ties.yml out", "")
}

// Files of an earlier output never mix with those of a new one: mergekit leaves old shards and their index, and then reads those.
func TestMergeLeavesNoStaleShards(t *testing.T) {
	w := newWorkshop(t)
	w.recipes()
	w.succeed("merge ties.yml out --out-shard-size 2K --quiet")
	w.succeed("merge ta.yml out --force --quiet")
	list, err := os.ReadDir("out")
	w.must(err)
	for _, f := range list {
		if strings.HasPrefix(f.Name(), "model-") || strings.HasSuffix(f.Name(), ".index.json") {
			t.Errorf("%s is left from the sharded output", f.Name())
		}
	}
}

func TestArguments(t *testing.T) {
	for line, want := range map[string]string{
		"/usr/bin/syncretic merge a b": "merge a b",
		"/opt/x/mergekit-yaml a b":     "merge a b",
		"mergekit-multi a -I b":        "merge a -I b",
		"mergekit-yaml.exe a b":        "merge a b",
		"syncretic":                    "",
	} {
		if got := strings.Join(arguments(strings.Fields(line)), " "); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// A model may be base+adapter: a PEFT adapter applied on the way, as peft's merge_and_unload does it.
func TestMergeAppliesAdapters(t *testing.T) {
	golden, err := filepath.Abs(filepath.Join("..", "..", "arithmetic", "lora", "testdata", "golden", "conv2d"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorkshop(t)
	w.write("lora.yml", "merge_method: passthrough\nmodels: [{model: "+golden+"/base.safetensors+"+golden+"}]\n")
	w.succeed("merge lora.yml merged.safetensors --quiet")
	w.write("long.yml", "merge_method: passthrough\nmodels: [{model: {model: {path: "+golden+"/base.safetensors}, lora: {path: "+golden+"}}}]\n")
	w.succeed("merge long.yml long.safetensors --quiet")
	want := w.weights(filepath.Join(golden, "merged.safetensors"))
	equal(t, w.weights("merged.safetensors"), want, want, 4*rounding)
	equal(t, w.weights("long.safetensors"), want, want, 4*rounding)
	w.write("none.yml", "merge_method: passthrough\nmodels: [{model: "+golden+"/base.safetensors+nowhere/at/all}]\n")
	w.refuse([]refusal{{"an adapter that is not there", "merge none.yml out.safetensors", exitInput, "nowhere/at/all", "check the spelling"}})
}
