package main

import (
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// small writes a checkpoint of two tensors, sharded into a file each where the path is a directory.
func (w workshop) small(path string, data ...float32) {
	w.t.Helper()
	ids, err := checkpoint.NewIntegers("ids", checkpoint.I64, []int{3}, []int64{1, 2, 3})
	w.must(err)
	src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "weight", Shape: []int{2, len(data) / 2}, Data: data}, ids)
	w.must(err)
	opts := checkpoint.WriteOptions{Metadata: map[string]string{"note": "small"}}
	if !strings.HasSuffix(path, ".safetensors") {
		opts.ShardBytes = 1
		opts.SideFiles = []checkpoint.SideFile{{Name: "config.json", Data: []byte(`{"torch_dtype": "float32", "layers": 2}`)}}
	}
	w.must(checkpoint.Write(w.t.Context(), path, src, opts))
}

func TestInspectListsTensors(t *testing.T) {
	w := newWorkshop(t)
	w.small("model", 1, 2, 3, 4)
	before := w.contents()
	got := w.result("inspect model")
	tensors := got["tensors"].([]any)
	weight := tensors[1].(map[string]any)
	if len(tensors) != 2 || weight["name"] != "weight" || weight["dtype"] != "F32" || weight["bytes"] != 16.0 || weight["file"] != "model-00002-of-00002.safetensors" {
		t.Errorf("%v, want ids and weight of 16 bytes in the second file", tensors)
	}
	if shape := weight["shape"].([]any); len(shape) != 2 || shape[0] != 2.0 || shape[1] != 2.0 {
		t.Errorf("shape %v, want [2 2]", shape)
	}
	if got["model"] != "model" || got["count"] != 2.0 || got["parameters"] != 7.0 || got["bytes"] != 40.0 || got["metadata"].(map[string]any)["note"] != "small" {
		t.Errorf("%v, want 2 tensors, 7 parameters, 40 bytes and the note", got)
	}
	if types := got["dtypes"].(map[string]any); types["I64"] != 1.0 || types["F32"] != 1.0 || len(types) != 2 {
		t.Errorf("types %v", types)
	}
	text := w.succeed("inspect model").stdout
	for _, want := range []string{"name    dtype  shape  bytes  file\n", "weight  F32    [2 2]  16     model-00002-of-00002.safetensors\n", "2 tensors, 7 parameters, 40 bytes (40 bytes): 1 F32, 1 I64\n", "note = small\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	w.unchanged(before)
}

// A scalar has an empty shape, not none; a name cannot move the terminal's cursor.
func TestInspectOddTensors(t *testing.T) {
	w := newWorkshop(t)
	src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "\x1b[2J", Data: []float32{1}}, checkpoint.Tensor{Name: "é", Shape: []int{0}})
	w.must(err)
	w.must(checkpoint.Write(t.Context(), "odd.safetensors", src, checkpoint.WriteOptions{}))
	text := w.succeed("inspect odd.safetensors").stdout
	if strings.Contains(text, "\x1b") || !strings.Contains(text, `"\x1b[2J"`) || !strings.Contains(text, "é") {
		t.Errorf("got %q", text)
	}
	first := w.result("inspect odd.safetensors")["tensors"].([]any)[0].(map[string]any)
	if shape, ok := first["shape"].([]any); !ok || len(shape) != 0 || first["name"] != "\x1b[2J" {
		t.Errorf("got %v, want the empty shape of a scalar", first)
	}
}

func TestInspectRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.write("noise.safetensors", "this is not a checkpoint at all")
	w.refuse([]refusal{
		{"nothing there", "inspect nowhere", exitInput, "nowhere: no such file or directory", "check the spelling"},
		{"not a checkpoint", "inspect noise.safetensors", exitInput, "noise.safetensors: header length", "copy or download it again"},
		{"no argument", "inspect", exitUsage, "inspect takes the arguments MODEL; got none", "inspect --help"},
		{"two arguments", "inspect a b", exitUsage, "got 2: a b", "inspect --help"},
	})
}
