package main

import (
	"slices"
	"testing"

	"syncretic/arithmetic"
	"syncretic/checkpoint"
)

// models makes three models of one architecture, one of another, and the task vector of the first two.
func (w workshop) models() {
	w.t.Helper()
	w.model("base", narrow, 1)
	w.model("tuned", narrow, 2)
	w.model("stranger", narrow, 3)
	w.model("larger", wide, 4)
	w.succeed("vector base tuned tau.safetensors --quiet")
}

func TestVectorIsTheDifference(t *testing.T) {
	w := newWorkshop(t)
	w.model("base", narrow, 1)
	w.model("tuned", narrow, 2)
	before := w.contents()
	got := w.result("vector base tuned tau.safetensors")
	w.unchanged(before, "tau.safetensors")

	base, tuned, tau := w.weights("base"), w.weights("tuned"), w.weights("tau.safetensors")
	parameters := 0
	for name, b := range base {
		parameters += len(b)
		for i := range b {
			if want := tuned[name][i] - b[i]; tau[name][i] != want {
				t.Fatalf("%s[%d] = %v, want %v", name, i, tau[name][i], want)
			}
		}
	}
	if len(tau) != len(base) || got["tensors"] != float64(len(base)) || got["parameters"] != float64(parameters) || got["output"] != "tau.safetensors" {
		t.Errorf("%d tensors, result %v; want %d tensors, %d parameters", len(tau), got, len(base), parameters)
	}
	meta := w.metadata("tau.safetensors")
	for key, path := range map[string]string{"base_sha256": "base", "tuned_sha256": "tuned"} {
		m, err := checkpoint.Open(path)
		w.must(err)
		want, err := checkpoint.Hash(m)
		m.Close()
		if err != nil || got[key] != want || meta["syncretic."+key] != want {
			t.Errorf("%s: result %v, metadata %v, want %s", key, got[key], meta["syncretic."+key], want)
		}
	}
	if meta[arithmetic.KindKey] != arithmetic.VectorKind {
		t.Errorf("metadata %v has no kind", meta)
	}
}

func TestVectorReplacesOnlyWithForce(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	first := w.read("tau.safetensors")
	if o := w.syncretic("vector base stranger tau.safetensors"); o.code != exitExists || w.read("tau.safetensors") != first {
		t.Errorf("exit code %d, or the vector was replaced", o.code)
	}
	w.succeed("vector base stranger tau.safetensors --force")
	if w.read("tau.safetensors") == first {
		t.Error("--force replaced nothing")
	}
	w.succeed("vector base tuned new/folder/tau.safetensors")
	if w.read("new/folder/tau.safetensors") != first {
		t.Error("the same vector again has other bytes")
	}
}

func TestVectorRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.must(checkpoint.Write(t.Context(), "short.safetensors", sources(t, w, "base"), checkpoint.WriteOptions{}))
	weights := w.read("base/model.safetensors")
	w.write("truncated.safetensors", weights[:len(weights)-100])
	w.write("noise.safetensors", "this is not a checkpoint at all")
	w.write("notes.txt", "notes")
	const fit, spelling = "the very base", "check the spelling"
	w.refuse([]refusal{
		{"no such base", "vector nowhere tuned x.safetensors", exitInput, "nowhere: no such file or directory", spelling},
		{"no such tuned model", "vector base nowhere x.safetensors", exitInput, "nowhere: no such file or directory", spelling},
		{"another architecture", "vector base larger x.safetensors", exitInput, "shape [12], want [8]", fit},
		{"tensors missing", "vector base short.safetensors x.safetensors", exitInput, "the models do not fit together", fit},
		{"truncated", "vector base truncated.safetensors x.safetensors", exitInput, "truncated.safetensors: truncated", "copy or download it again"},
		{"not a checkpoint", "vector base noise.safetensors x.safetensors", exitInput, "noise.safetensors", "copy or download it again"},
		{"a text file", "vector base notes.txt x.safetensors", exitInput, "notes.txt: not a .safetensors file", ""},
		{"a task vector as base", "vector tau.safetensors tuned x.safetensors", exitInput, "tau.safetensors: a task vector", "syncretic apply"},
		{"a task vector as tuned model", "vector base tau.safetensors x.safetensors", exitInput, "tau.safetensors: a task vector", "syncretic apply"},
		{"existing output", "vector base tuned tau.safetensors", exitExists, "tau.safetensors: file already exists", "--force replaces it"},
		{"a directory as output", "vector base tuned stranger.safetensors/", exitUsage, "must end in .safetensors", "vector --help"},
		{"output without suffix", "vector base tuned x", exitUsage, "must end in .safetensors", "vector --help"},
		{"output in a file", "vector base tuned notes.txt/x.safetensors", exitUsage, "notes.txt is not a directory", "vector --help"},
		{"output is an input", "vector base tuned base/model.safetensors --force", exitUsage, "is also an input", "vector --help"},
		{"one argument", "vector base", exitUsage, "vector takes the arguments BASE TUNED OUT.safetensors; got 1: base", "vector --help"},
		{"four arguments", "vector a b c d", exitUsage, "got 4: a b c d", "vector --help"},
		{"unknown flag", "vector base tuned x.safetensors --lambda 1", exitUsage, "unknown flag: --lambda", "vector --help"},
	})
}

// sources is a model without its first tensor.
func sources(t *testing.T, w workshop, path string) checkpoint.Source {
	m, err := checkpoint.Open(path)
	w.must(err)
	t.Cleanup(func() { m.Close() })
	first := m.Tensors()[0].Name
	return checkpoint.Select(m, func(name string) bool { return name != first })
}

func TestVectorInterrupted(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.interrupt("vector base tuned x.safetensors", "")
	w.interrupt("vector base stranger tau.safetensors --force", "")
}

func TestVectorIsTheSameForAnyThreads(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	restoreThreads(t)
	var all []string
	for _, n := range []string{"1", "2", "5"} {
		w.succeed("vector base tuned " + n + ".safetensors --threads " + n)
		all = append(all, w.read(n+".safetensors"))
	}
	if len(slices.Compact(all)) != 1 {
		t.Error("the bytes depend on --threads")
	}
}
