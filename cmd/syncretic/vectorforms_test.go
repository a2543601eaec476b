package main

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"syncretic/arithmetic"
	"syncretic/arithmetic/taskvector"
	"syncretic/checkpoint"
)

// vectorForms are flags of `vector`, by a name for the file.
var vectorForms = map[string]string{
	"bf16": "--dtype bf16", "f16": "--dtype float16", "sparse": "--density 0.1", "sparse16": "--density 0.3 --dtype bf16", "whole": "--density 1",
	"rank": "--rank 2", "rank16": "--rank 3 --dtype f16",
}

// forms makes what [workshop.models] does, and the first vector in every form.
func (w workshop) forms() {
	w.t.Helper()
	w.models()
	for name, flags := range vectorForms {
		w.succeed("vector base tuned " + name + ".safetensors --quiet " + flags)
	}
}

// decoded opens a task vector in any form.
func (w workshop) decoded(path string) (checkpoint.Source, *checkpoint.Model) {
	w.t.Helper()
	m, err := checkpoint.Open(path)
	w.must(err)
	w.t.Cleanup(func() { m.Close() })
	v, err := taskvector.Decode(m)
	w.must(err)
	return v, m
}

// densify writes a vector of any form as a dense one of the same base.
func (w workshop) densify(path, out string) {
	w.t.Helper()
	v, m := w.decoded(path)
	meta := m.Metadata()
	delete(meta, taskvector.FormKey)
	delete(meta, taskvector.VersionKey)
	w.must(checkpoint.Write(w.t.Context(), out, v, checkpoint.WriteOptions{Metadata: meta}))
}

// Any form gives the merge that the same numbers in a dense file give, bit for bit.
func TestApplyReadsEveryForm(t *testing.T) {
	w := newWorkshop(t)
	w.forms()
	for name := range vectorForms {
		w.densify(name+".safetensors", name+".dense.safetensors")
		for _, how := range []string{"--vector %s=0.3 --vector stranger=0.1", "--expr 0.25*%s"} {
			for _, file := range []string{name, name + ".dense"} {
				w.succeed("apply base " + file + ".out --force --quiet " + strings.ReplaceAll(how, "%s", file+".safetensors"))
			}
			got, want := w.weights(name+".out"), w.weights(name+".dense.out")
			equal(t, got, want, want, 0)
			if len(got) != len(w.weights("base")) {
				t.Errorf("%s: %d tensors", name, len(got))
			}
		}
	}
}

func TestVectorSaysWhatAFormLoses(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	tau, _ := w.decoded("tau.safetensors")
	size := func(path string) float64 {
		info, err := os.Stat(path)
		w.must(err)
		return float64(info.Size())
	}
	for name, flags := range vectorForms {
		path := name + ".safetensors"
		before := w.contents()
		got := w.result("vector base tuned " + path + " " + flags)
		w.unchanged(before, path)
		stored, m := w.decoded(path)
		loss, err := taskvector.Lost(tau, stored, nil)
		w.must(err)
		if got["relative_error"] != loss.Relative || got["worst_relative_error"] != loss.Worst || got["worst_tensor"] != loss.Tensor && loss.Tensor != "" {
			t.Errorf("%s: %v, want %+v", name, got, loss)
		}
		tensors, parameters := count(tau)
		if got["tensors"] != float64(tensors) || got["parameters"] != float64(parameters) || got["bytes"] != size(path) || got["output"] != path {
			t.Errorf("%s: %v, want %d tensors, %d parameters, %v bytes", name, got, tensors, parameters, size(path))
		}
		if meta := m.Metadata(); got["form"] != meta[taskvector.FormKey] || meta[arithmetic.BaseKey] != got["base_sha256"] || meta[arithmetic.KindKey] != arithmetic.VectorKind {
			t.Errorf("%s: result %v, metadata %v", name, got, meta)
		}
		if dense := size("tau.safetensors"); math.Abs(got["dense_bytes"].(float64)-dense) > 200 { // which has other metadata
			t.Errorf("%s: dense_bytes %v, want about %v", name, got["dense_bytes"], dense)
		}
	}
	got := w.result("vector base tuned exact.safetensors")
	if got["form"] != "dense" || got["dtype"] != "F32" || got["relative_error"] != 0.0 || got["bytes"] != got["dense_bytes"] || got["bytes"] != size("exact.safetensors") {
		t.Errorf("dense: %v", got)
	}
	for line, want := range map[string]string{
		"x.safetensors --density 0.1 --dtype bf16": "; sparse, ", "y.safetensors --rank 2": " tensors as factors; F32, ", "z.safetensors --dtype bf16": "parameters; BF16, "} {
		text := w.succeed("vector base tuned " + line).stdout
		if !strings.Contains(text, want) || !strings.Contains(text, "relative error ") || !strings.Contains(text, ", at worst ") {
			t.Errorf("%s: %s", line, text)
		}
	}
}

// A sparse vector is what is left of the whole one: the cosine between them and what was lost are two sides of a right angle.
func TestCompareReadsEveryForm(t *testing.T) {
	w := newWorkshop(t)
	w.forms()
	for name, flags := range vectorForms {
		lost := w.result("vector base tuned again.safetensors --force " + flags)["relative_error"].(float64)
		cosine := w.result("compare base tuned " + name + ".safetensors")["cosine"].([]any)[0].([]any)[1].(float64)
		if math.Abs(cosine*cosine+lost*lost-1) > 1e-5 {
			t.Errorf("%s: cosine %v, lost %v", name, cosine, lost)
		}
	}
}

func TestVectorFormsCheckTheBase(t *testing.T) {
	w := newWorkshop(t)
	w.forms()
	for name := range vectorForms {
		w.refuse([]refusal{
			{name, "apply stranger x --vector " + name + ".safetensors=1", exitInput, name + ".safetensors: a task vector of another base", "--any-base"},
			{name + " as base", "apply " + name + ".safetensors x --vector tuned=1", exitInput, "a task vector, and a model is wanted", "syncretic apply"},
			{name + " compared", "compare stranger " + name + ".safetensors", exitInput, "a task vector of another base", "name the model that the vector was taken from"},
		})
		w.succeed("apply stranger out --force --any-base --vector " + name + ".safetensors=1")
	}
}

func TestVectorFormRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.forms()
	_, m := w.decoded("sparse.safetensors")
	again := func(out string, change func(meta map[string]string), src checkpoint.Source) {
		meta := m.Metadata()
		change(meta)
		w.must(checkpoint.Write(t.Context(), out, src, checkpoint.WriteOptions{Metadata: meta}))
	}
	again("later.safetensors", func(meta map[string]string) { meta[taskvector.VersionKey] = "2" }, m)
	again("other.safetensors", func(meta map[string]string) { meta[taskvector.FormKey] = "ternary" }, m)
	again("short.safetensors", func(map[string]string) {}, checkpoint.Select(m, func(name string) bool { return !strings.HasSuffix(name, ".mask") }))
	again("tensor.safetensors", func(map[string]string) {}, sources(t, w, "sparse.safetensors"))
	w.nan("nan", "tuned")
	const help = "vector --help"
	w.refuse([]refusal{
		{"both", "vector base tuned x.safetensors --density 0.1 --rank 2", exitUsage, "--density and --rank exclude each other", help},
		{"density 0", "vector base tuned x.safetensors --density 0", exitUsage, "--density 0: want more than 0 and at most 1", help},
		{"density above 1", "vector base tuned x.safetensors --density 1.01", exitUsage, "--density 1.01", help},
		{"density NaN", "vector base tuned x.safetensors --density nan", exitUsage, "--density NaN", help},
		{"density of text", "vector base tuned x.safetensors --density much", exitUsage, "--density", help},
		{"rank 0", "vector base tuned x.safetensors --rank 0", exitUsage, "--rank 0: want 1 or more", help},
		{"negative rank", "vector base tuned x.safetensors --rank -3", exitUsage, "--rank -3: want 1 or more", help},
		{"dtype", "vector base tuned x.safetensors --dtype f64", exitUsage, `--dtype "f64": want f32, bf16 or f16`, help},
		{"a later version", "apply base x --vector later.safetensors=1", exitInput, `later.safetensors: version "2" of task vector files, want 1`, ""},
		{"another form", "apply base x --vector other.safetensors=1", exitInput, `other.safetensors: a task vector of form "ternary"`, ""},
		{"a part missing", "apply base x --vector short.safetensors=1", exitInput, "its parts are octets, shape, values", ""},
		{"compare, a part missing", "compare base short.safetensors", exitInput, "short.safetensors: tensor", ""},
		{"NaN, sparse", "vector base nan x.safetensors --density 0.5", exitInput, `tensor "encoder.layer_norm.bias": element 0 differs by NaN`, ""},
		{"NaN, low rank", "vector base nan x.safetensors --rank 2", exitInput, "element 0 differs by NaN", ""},
		{"NaN, rounded", "vector base nan x.safetensors --dtype bf16", exitInput, "element 0 differs by NaN", ""},
	})
	if o := w.syncretic("apply base x --vector tensor.safetensors=1"); o.code != exitInput {
		t.Errorf("a tensor missing: exit code %d, %s", o.code, o.stderr)
	}
}

// nan copies a model, with a NaN in one vector.
func (w workshop) nan(out, from string) {
	w.t.Helper()
	m, err := checkpoint.Open(from)
	w.must(err)
	defer m.Close()
	const name = "encoder.layer_norm.bias"
	x, err := checkpoint.ReadAll(m, name)
	w.must(err)
	x[0] = float32(math.NaN())
	bad, err := checkpoint.NewMemory(checkpoint.Tensor{Name: name, Shape: []int{len(x)}, Data: x})
	w.must(err)
	all, err := checkpoint.Union(bad, checkpoint.Select(m, func(n string) bool { return n != name }))
	w.must(err)
	w.must(checkpoint.Write(w.t.Context(), out, all, checkpoint.WriteOptions{}))
}

func TestVectorFormsInterrupted(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	for _, flags := range vectorForms {
		w.interrupt("vector base tuned x.safetensors "+flags, "")
		w.interrupt("vector base stranger tau.safetensors --force "+flags, "")
	}
}

func TestVectorFormsAreTheSameForAnyThreads(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	restoreThreads(t)
	for name, flags := range vectorForms {
		var all []string
		for _, n := range []string{"1", "2", "5"} {
			w.succeed("vector base tuned " + name + n + ".safetensors --quiet --threads " + n + " " + flags)
			all = append(all, w.read(name+n+".safetensors"))
		}
		if len(slices.Compact(all)) != 1 {
			t.Errorf("%s: the bytes depend on --threads", name)
		}
	}
}
