package mert

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

const training = "testdata/fairseq/MERT-v1-95M_fairseq.pt"

// folderOf is a directory with copies of files of testdata, by the name that they get.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, from := range files {
		data, err := os.ReadFile(filepath.Join("testdata", from))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestReleasesOpen: the directories as the hub has them, in either container and either spelling of the weight norm, hold
// the encoder that transformers wrote as post_group; so do the training checkpoints beside them.
func TestReleasesOpen(t *testing.T) {
	want := readGolden(t, "post_group").enc
	const config, preprocessor = "fairseq/config.json", "released_old/preprocessor_config.json"
	for name, path := range map[string]string{
		"MERT: pytorch_model.bin, old names":         "testdata/released_old",
		"pytorch_model.bin, new names":               "testdata/released_new",
		"CultureMERT: model.safetensors, new names":  folderOf(t, map[string]string{"config.json": config, "preprocessor_config.json": preprocessor, "model.safetensors": "post_group/model.safetensors"}),
		"model.safetensors, old names":               folderOf(t, map[string]string{"config.json": config, "model.safetensors": "old_names.safetensors"}),
		"training checkpoint":                        training,
		"training checkpoint beside a released file": filepath.Join(folderOf(t, map[string]string{"config.json": config, "pytorch_model.bin": "released_old/pytorch_model.bin", "t.pt": "fairseq/MERT-v1-95M_fairseq.pt"}), "t.pt"),
	} {
		t.Run(name, func(t *testing.T) {
			e, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			sameWeights(t, e, want)
			if c := e.Config(); c.ModelType != "mert_model" || c.Rate() != 24000 || !e.Normalises() {
				t.Errorf("model type %q at %d Hz, normalises %t; want mert_model at 24000, true", c.ModelType, c.Rate(), e.Normalises())
			}
			dir := filepath.Join(t.TempDir(), "again")
			if err := checkpoint.Write(t.Context(), dir, e, checkpoint.WriteOptions{SideFiles: e.SideFiles()}); err != nil {
				t.Fatal(err)
			}
			again, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			sameWeights(t, again, want)
		})
	}
}

// TestHalfTrainingCheckpoint: the container before PyTorch 1.6, arguments as a Namespace, float16.
func TestHalfTrainingCheckpoint(t *testing.T) {
	path := filepath.Join(folderOf(t, map[string]string{"config.json": "fairseq/config.json", "last.pt": "fairseq_half.pt"}), "last.pt")
	e, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := readGolden(t, "post_group").enc
	for i, w := range want.table {
		if d := furthest(e.data[i], want.data[i]); d > 1e-3 { // half a unit of float16 between 1 and 2
			t.Errorf("%s: off by %.2g", w.name, d)
		}
	}
}

// TestTrainingCheckpointDescribesItself: by the files of its folder that its config names, and no others.
func TestTrainingCheckpointDescribesItself(t *testing.T) {
	dir := folderOf(t, map[string]string{"config.json": "fairseq/config.json", "t.pt": "fairseq/MERT-v1-95M_fairseq.pt", "preprocessor_config.json": "post_group/preprocessor_config.json"})
	for _, name := range []string{"modeling_MERT.py", "setup.py"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("pass\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	e, err := Open(filepath.Join(dir, "t.pt"))
	if err != nil {
		t.Fatal(err)
	}
	if e.Normalises() {
		t.Error("the folder's preprocessor_config.json was not taken over")
	}
	var names []string
	for _, side := range e.SideFiles() {
		names = append(names, side.Name)
	}
	if want := []string{"config.json", "preprocessor_config.json", "modeling_MERT.py"}; !slices.Equal(names, want) {
		t.Errorf("side files %v, want %v", names, want)
	}
}

func TestCodeOf(t *testing.T) {
	for config, want := range map[string][]string{
		string(base95M): {"configuration_MERT.py", "modeling_MERT.py"},
		`{}`:            nil,
		`{"auto_map": {"AutoModel": "../../x.Y", "AutoConfig": "a/b.C", "AutoTokenizer": [null, "t.T"], "x": 7}}`: nil,
		`{"auto_map": 3}`: nil,
	} {
		if got := codeOf([]byte(config)); !slices.Equal(got, want) {
			t.Errorf("%.60s: %q, want %q", config, got, want)
		}
	}
}

// TestTrainingCheckpointErrors: each says which file, what it has and what is wanted, in that file's own names.
func TestTrainingCheckpointErrors(t *testing.T) {
	file := map[string]string{"t.pt": "fairseq/MERT-v1-95M_fairseq.pt"}
	edited := func(from, to string) string {
		dir := folderOf(t, map[string]string{"config.json": "fairseq/config.json", "t.pt": file["t.pt"]})
		path := filepath.Join(dir, "config.json")
		config, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(config, []byte(from)) {
			t.Fatalf("%v, no %s in the config", err, from)
		}
		if err := os.WriteFile(path, bytes.Replace(config, []byte(from), []byte(to), 1), 0o644); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, "t.pt")
	}
	for _, c := range []struct {
		name, path string
		is         error
		want       []string
	}{
		{"no config, other sizes", filepath.Join(folderOf(t, file), "t.pt"), ErrInvalid,
			[]string{"t.pt: ", `tensor "encoder.layer_norm.bias": shape [16], want [768]`, "MERT-v1-95M is assumed: put another model's config.json into the same folder"}},
		{"a layer more", edited(`"num_hidden_layers": 3`, `"num_hidden_layers": 4`), ErrInvalid, []string{`tensor "encoder.layers.3.self_attn.k_proj.bias" is missing, want shape [16]`}},
		{"a layer less", edited(`"num_hidden_layers": 3`, `"num_hidden_layers": 2`), ErrInvalid, []string{`tensor "encoder.layers.2.fc1.bias" [32] is not part of this encoder`}},
		{"another projection", edited(`"intermediate_size": 32`, `"intermediate_size": 64`), ErrInvalid, []string{`tensor "encoder.layers.0.fc1.weight": shape [32 16], want [64 16]`}},
		{"without a mask", edited(`"mask_time_prob": 0.05`, `"mask_time_prob": 0.0`), ErrInvalid, []string{`tensor "mask_emb" [16] is not part`, "mask_time_prob"}},
		{"layer norms", edited(`"feat_extract_norm": "group"`, `"feat_extract_norm": "layer"`), ErrInvalid, []string{`tensor "feature_extractor.conv_layers.1.2.bias" is missing, want shape [8]`}},
		{"another model's config", edited(`"mert_model"`, `"encodec"`), ErrConfig, []string{"config.json", `model_type: "encodec"`}},
		{"its folder", folderOf(t, map[string]string{"config.json": "fairseq/config.json", "t.pt": file["t.pt"]}), fs.ErrNotExist, []string{"a training checkpoint is opened by its own name: ", "t.pt)"}},
		{"weights of another kind", filepath.Join("testdata", "fairseq", "heads.expect.pt"), fs.ErrNotExist, []string{"no config.json beside the weights: want a model directory"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(c.path)
			if !errors.Is(err, c.is) {
				t.Fatalf("error %v, want %v", err, c.is)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want it to have %q", err, want)
				}
			}
		})
	}
}

// TestFairseqNames: the map of MERT's conversion, and every name of the table has its own.
func TestFairseqNames(t *testing.T) {
	for name, want := range map[string]string{
		"masked_spec_embed":                                             "mask_emb",
		"feature_extractor.conv_layers.6.conv.weight":                   "feature_extractor.conv_layers.6.0.weight",
		"feature_extractor.conv_layers.0.conv.bias":                     "feature_extractor.conv_layers.0.0.bias",
		"feature_extractor.conv_layers.0.layer_norm.weight":             "feature_extractor.conv_layers.0.2.weight feature_extractor.conv_layers.0.2.1.weight",
		"feature_projection.layer_norm.bias":                            "layer_norm.bias",
		"feature_projection.projection.weight":                          "post_extract_proj.weight",
		"encoder.pos_conv_embed.conv.bias":                              "encoder.pos_conv.0.bias",
		"encoder.pos_conv_embed.conv.parametrizations.weight.original0": "encoder.pos_conv.0.weight_g encoder.pos_conv.0.parametrizations.weight.original0",
		"encoder.pos_conv_embed.conv.parametrizations.weight.original1": "encoder.pos_conv.0.weight_v encoder.pos_conv.0.parametrizations.weight.original1",
		"encoder.layer_norm.weight":                                     "encoder.layer_norm.weight",
		"encoder.layers.10.attention.q_proj.bias":                       "encoder.layers.10.self_attn.q_proj.bias",
		"encoder.layers.1.attention.out_proj.weight":                    "encoder.layers.1.self_attn.out_proj.weight",
		"encoder.layers.1.layer_norm.weight":                            "encoder.layers.1.self_attn_layer_norm.weight",
		"encoder.layers.1.feed_forward.intermediate_dense.weight":       "encoder.layers.1.fc1.weight",
		"encoder.layers.1.feed_forward.output_dense.bias":               "encoder.layers.1.fc2.bias",
		"encoder.layers.1.final_layer_norm.bias":                        "encoder.layers.1.final_layer_norm.bias",
	} {
		if got := strings.Join(fairseqNames(name), " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	seen := map[string]string{}
	for _, w := range Base95M().weights() {
		for _, name := range fairseqNames(w.name) {
			if twin := seen[name]; twin != "" {
				t.Errorf("%s and %s are both %s", twin, w.name, name)
			}
			seen[name] = w.name
		}
	}
}
