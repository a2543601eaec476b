package main

import (
	"math"
	"os"
	"strings"
	"testing"

	"syncretic/arithmetic/lora"
	"syncretic/checkpoint"
)

// TestExtractLoraGivesTheTunedModel: with full rank, base and adapter make the tuned model again, within roundings.
func TestExtractLoraGivesTheTunedModel(t *testing.T) {
	w := newWorkshop(t)
	w.model("base", narrow, 1)
	w.model("tuned", narrow, 2)
	before := w.contents()
	got := w.result("extract-lora base tuned adapter --rank 64")
	w.unchanged(before, "adapter")
	base, err := checkpoint.Open("base")
	w.must(err)
	defer base.Close()
	adapter, err := lora.Open("adapter")
	w.must(err)
	defer adapter.Close()
	merged, err := lora.Apply(base, adapter, 1)
	w.must(err)
	for name, want := range w.weights("tuned") {
		x, err := checkpoint.ReadAll(merged, name)
		w.must(err)
		for i := range x {
			if math.Abs(float64(x[i]-want[i])) > 1e-6*max(1, math.Abs(float64(want[i]))) {
				t.Fatalf("%s[%d] = %v, want %v", name, i, x[i], want[i])
			}
		}
	}
	if got["output"] != "adapter" || got["modules"].(float64) < 5 || got["relative_error"].(float64) > 1e-6 || got["left"] != 0.0 {
		t.Errorf("result %v", got)
	}
	if adapter.Base() != "base" {
		t.Errorf("the adapter names the base %q", adapter.Base())
	}
	if files, err := os.ReadDir("adapter"); err != nil || len(files) != 2 {
		t.Errorf("%d files, %v; want the configuration and the tensors", len(files), err)
	}
}

func TestExtractLoraTakesMergekitsFlags(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.succeed("extract-lora base tuned ours --rank 3 --distribute-scale=false --embed-lora -e feature_projection -i attention -i projection --save-module k_proj --sv-epsilon 0.001 --skip-undecomposable")
	o := w.succeed("extract-lora --base-model base --model tuned --out-path theirs --max-rank 3 --no-distribute-scale --embed-lora -e feature_projection " +
		"-i attention -i projection --save-module k_proj --sv-epsilon 0.001 --skip-undecomposable --cuda --lora-merge-cache x")
	for _, name := range []string{"adapter_config.json", "adapter_model.safetensors"} {
		if w.read("ours/"+name) != w.read("theirs/"+name) {
			t.Errorf("%s differs", name)
		}
	}
	if !strings.Contains(o.stderr, "--cuda has no effect here") || !strings.Contains(o.stdout, "theirs: ") {
		t.Errorf("standard error %q, output %q", o.stderr, o.stdout)
	}
	w.succeed("extract-lora base tuned ours --rank 2 --dtype bfloat16 --force")
	m, err := checkpoint.Open("ours/adapter_model.safetensors")
	w.must(err)
	defer m.Close()
	if first := m.Tensors()[0]; first.DType != checkpoint.BF16 {
		t.Errorf("%s is %s", first.Name, first.DType)
	}
}

func TestExtractLoraRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.must(os.Mkdir("taken", 0o777))
	w.refuse([]refusal{
		{"rank 0", "extract-lora base tuned x --rank 0", exitUsage, "--rank 0: want 1 or more", "extract-lora --help"},
		{"a threshold below 0", "extract-lora base tuned x --sv-epsilon -1", exitUsage, "--sv-epsilon -1", "extract-lora --help"},
		{"no expression", "extract-lora base tuned x -e (", exitUsage, "--exclude-regex: error parsing regexp", "extract-lora --help"},
		{"a file", "extract-lora base tuned x.safetensors", exitUsage, "an adapter is a directory", "extract-lora --help"},
		{"no such type", "extract-lora base tuned x --dtype I64", exitUsage, "--dtype", "extract-lora --help"},
		{"two arguments", "extract-lora base tuned", exitUsage, "takes the arguments BASE TUNED OUT; got 2", "extract-lora --help"},
		{"four arguments", "extract-lora base tuned x y", exitUsage, "", "extract-lora --help"},
		{"arguments twice", "extract-lora base tuned x --model y", exitUsage, "got both", "extract-lora --help"},
		{"half of mergekit's", "extract-lora --model tuned --base-model base", exitUsage, "takes the arguments", "extract-lora --help"},
		{"no such base", "extract-lora nowhere tuned x", exitInput, "nowhere: no such file or directory", "check the spelling"},
		{"another architecture", "extract-lora base larger x", exitInput, "shapes [8] and [12]", ""},
		{"a task vector", "extract-lora base tau.safetensors x", exitInput, "a task vector", "syncretic apply"},
		{"no difference", "extract-lora base base x", exitInput, "nothing to extract", ""},
		{"existing output", "extract-lora base tuned taken", exitExists, "file already exists", "--force replaces it"},
		{"output is an input", "extract-lora base tuned base --force", exitUsage, "is also an input", "extract-lora --help"},
	})
	w.interrupt("extract-lora base tuned x", "")
}
