package probe

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// fittedHeads returns one head of each kind, and of an mlp on one layer, with test features.
func fittedHeads(t *testing.T) (map[string]*Fitted, *Features) {
	t.Helper()
	train, valid, test := toy(1, 30, 3, 4)
	single := smallMLP()
	single.Layers = "2"
	heads := map[string]*Fitted{}
	for name, cfg := range map[string]HeadConfig{"logistic": logisticHead(1, 10), "mlp": smallMLP(), "mlp of one layer": single} {
		cfg.Epochs = min(cfg.Epochs, 3)
		head, err := Fit(context.Background(), train, valid, cfg)
		if err != nil {
			t.Fatal(err)
		}
		heads[name] = head
	}
	return heads, test.Features
}

func TestSaveAndLoadHead(t *testing.T) {
	heads, features := fittedHeads(t)
	for name, head := range heads {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "head")
			if err := head.Save(context.Background(), dir, false); err != nil {
				t.Fatal(err)
			}
			got, err := LoadHead(dir)
			if err != nil {
				t.Fatal(err)
			}
			checkSameScores(t, got, head, features)
			if !reflect.DeepEqual(got.Config, head.Config) || !reflect.DeepEqual(got.Tags, head.Tags) || got.Layers != 3 || got.Dim != 4 {
				t.Errorf("read back %+v %v, want %+v %v", got.Config, got.Tags, head.Config, head.Tags)
			}
			if got.Chosen.Threshold != head.Chosen.Threshold || !reflect.DeepEqual(got.Chosen.Trials, head.Chosen.Trials) || !reflect.DeepEqual(got.Valid, head.Valid) {
				t.Errorf("read back %+v %+v, want %+v %+v", got.Chosen, got.Valid, head.Chosen, head.Valid)
			}
			if err := head.Save(context.Background(), dir, false); !errors.Is(err, fs.ErrExist) {
				t.Errorf("an existing folder: got %v, want fs.ErrExist", err)
			}
			if err := head.Save(context.Background(), dir, true); err != nil {
				t.Errorf("with force: %v", err)
			}
			if err := head.Save(context.Background(), dir+".safetensors", false); !errors.Is(err, ErrConfig) {
				t.Errorf("a file: got %v, want ErrConfig", err)
			}
		})
	}
}

func TestLoadHeadRefuses(t *testing.T) {
	heads, _ := fittedHeads(t)
	if _, err := LoadHead(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: got %v", err)
	}
	for _, c := range []struct {
		name, kind, from, to, want string
	}{
		{"no JSON", "mlp", "{", "[", "head.json"},
		{"unknown key", "mlp", `"schema"`, `"scheme"`, "scheme"},
		{"another schema", "mlp", `"schema": 2`, `"schema": 1`, "schema is 1, want 2"},
		{"kind", "mlp", `"kind": "mlp"`, `"kind": "svm"`, "head.kind"},
		{"layers", "logistic", `"layers": 3`, `"layers": 2`, "picked_layers"},
		{"no layers", "logistic", `"layers": 3`, `"layers": 0`, "features are [0][4]"},
		{"dim of 10^9", "logistic", `"dim": 4`, `"dim": 1000000000`, "features are [3][1000000000]"},
		{"wider", "logistic", `"dim": 4`, `"dim": 5`, `want F32`},
		{"hidden of 10^6", "mlp", `"hidden": 16`, `"hidden": 1000000`, "take more than the"},
		{"fewer hidden", "mlp", `"hidden": 16`, `"hidden": 15`, `tensor "hidden.weight" is F32 [16 4], want F32 [15 4]`},
		{"other kind", "mlp", `"kind": "mlp"`, `"kind": "logistic"`, "picked_layers"},
		{"one tag more", "mlp of one layer", `"even",`, `"even", "new",`, `tensor "output.weight"`},
		{"mixed or not", "mlp of one layer", `"layers": "2"`, `"layers": ""`, "picked_layers"},
	} {
		dir := filepath.Join(t.TempDir(), "head")
		if err := heads[c.kind].Save(context.Background(), dir, false); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, headFile)
		doc, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(doc), c.from) {
			t.Fatalf("%s: no %s in %s", c.name, c.from, doc)
		}
		writeText(t, path, strings.Replace(string(doc), c.from, c.to, 1))
		if _, err := LoadHead(dir); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrInvalid with %s", c.name, err, c.want)
		}
	}
}

func TestLoadHeadRefusesOtherWeights(t *testing.T) {
	heads, _ := fittedHeads(t)
	head := heads["logistic"]
	nan := float32(0)
	nan /= nan
	for _, c := range []struct {
		name  string
		spoil func() []checkpoint.Tensor
		want  string
	}{
		{"one tensor more", func() []checkpoint.Tensor {
			return append(head.model.tensors(), checkpoint.Tensor{Name: "x", Shape: []int{40}, Data: make([]float32, 40)})
		}, "5 tensors, want 4"},
		{"NaN", func() []checkpoint.Tensor {
			all := head.model.tensors()
			all[1].Data = []float32{0, nan}
			return all
		}, `tensor "bias": element 1 is NaN`},
	} {
		dir := filepath.Join(t.TempDir(), "head")
		if err := head.Save(context.Background(), dir, false); err != nil {
			t.Fatal(err)
		}
		inputs := []int{head.scaler.inputs()}
		src, err := checkpoint.NewMemory(append(c.spoil(),
			checkpoint.Tensor{Name: "input.mean", Shape: inputs, Data: head.scaler.mean},
			checkpoint.Tensor{Name: "input.scale", Shape: inputs, Data: head.scaler.scale})...)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkpoint.Write(context.Background(), filepath.Join(dir, "model.safetensors"), src, checkpoint.WriteOptions{Force: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadHead(dir); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrInvalid with %s", c.name, err, c.want)
		}
	}
}

// FuzzParseHead checks that no document makes a head of more elements than the weights file holds.
func FuzzParseHead(f *testing.F) {
	f.Add([]byte(`{"schema": 2, "config": {"kind": "logistic", "layers": "", "l2": [1]}, "tags": ["a"], "layers": 2, "dim": 3, "picked_layers": [0, 1], "chosen": {"layers": "all"}, "valid": {}}`))
	f.Add([]byte(`{"schema": 2, "config": {"kind": "mlp", "layers": "1", "hidden": 4, "lr": 1, "batch": 1, "epochs": 1, "patience": 1, "stop": 1}, "tags": ["a"], "layers": 2, "dim": 3, "picked_layers": [1], "chosen": {"layers": "1"}, "valid": {}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		const elements = 100
		h, err := parseHead(doc, elements)
		if err != nil {
			return
		}
		for _, tensor := range h.model.tensors() {
			if len(tensor.Data) > elements {
				t.Fatalf("tensor %q has %d elements, the file %d", tensor.Name, len(tensor.Data), elements)
			}
		}
	})
}
