package mert

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestBase95MIsTheReleasedFile: the git blob hashes of config.json and preprocessor_config.json in m-a-p/MERT-v1-95M at
// 12af15fef9d0ac838c3f475bfbbf26d2060dd4f5.
func TestBase95MIsTheReleasedFile(t *testing.T) {
	blob := func(data []byte) string {
		return fmt.Sprintf("%x", sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...)))
	}
	if got, want := blob(Base95M().JSON()), "8061aff2203f5caeb5c58628dba945de3ef71079"; got != want {
		t.Errorf("config.json: blob %s, want %s", got, want)
	}
	if got, want := blob(defaultPreprocessor(Base95M()).document), "12d419697ffa30069405b3ace413be9a997e9f7f"; got != want {
		t.Errorf("preprocessor_config.json: blob %s, want %s", got, want)
	}
}

// TestConfigsOfTransformersSurvive: what transformers wrote comes back byte for byte.
func TestConfigsOfTransformersSurvive(t *testing.T) {
	paths, err := filepath.Glob("testdata/*/config.json")
	if err != nil || len(paths) < 11 {
		t.Fatalf("%d configs under testdata (%v), want at least 11", len(paths), err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := ParseConfig(data)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if got := bytes.TrimSpace(c.JSON()); !bytes.Equal(got, bytes.TrimSpace(data)) {
			t.Errorf("%s: came back as\n%s\nwant\n%s", path, got, data)
		}
	}
}

func TestParseConfigKeepsUnknownKeysAndSpelling(t *testing.T) {
	in := `{"hidden_size": 32, "num_attention_heads": 4, "num_conv_pos_embedding_groups": 4, "layer_norm_eps": 1e-05,
		"id2label": {"0": "<b>&"}, "torch_dtype": "float32", "layerdrop": 0.0, "centred_conv_init": false}`
	c, err := ParseConfig([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	c.IntermediateSize = 48
	out := string(c.JSON())
	for _, want := range []string{
		`"layer_norm_eps": 1e-05`, `"<b>&"`, `"torch_dtype": "float32"`, `"layerdrop": 0.0`, `"intermediate_size": 48`,
		`"num_feat_extract_layers": 7`, `"model_type": "hubert"`, `"centred_conv_init": false`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("config lacks %s:\n%s", want, out)
		}
	}
	again, err := ParseConfig([]byte(out))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.JSON(), []byte(out)) {
		t.Error("a second round trip changed the document")
	}
}

func TestConfigJSONFollowsEdits(t *testing.T) {
	c := Base95M()
	c.FeatureExtractorCQT = true
	c.FeatureExtractorCQTFMin = 65.4
	c.CentredConvInit = true
	c, err := ParseConfig(c.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if !c.FeatureExtractorCQT || c.FeatureExtractorCQTFMin != 65.4 || !c.CentredConvInit {
		t.Errorf("edits were lost: %+v", c)
	}
	c.FeatureExtractorCQT, c.FeatureExtractorCQTFMin, c.CentredConvInit = false, 0, false
	if c, err = ParseConfig(c.JSON()); err != nil {
		t.Fatal(err)
	}
	if c.FeatureExtractorCQT || c.FeatureExtractorCQTFMin != 0 || c.CentredConvInit {
		t.Errorf("edits back to the default were lost: %+v", c)
	}
}

// TestDefaultConfig: keys that a file leaves out mean what HubertConfig() of transformers 5.24 means, of which the
// testdata configs keep everything but the sizes.
func TestDefaultConfig(t *testing.T) {
	c, err := ParseConfig([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	c.document = nil
	if want := DefaultConfig(); !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, want %+v", c, want)
	}
	if got := (Config{}).Validate(); !errors.Is(got, ErrConfig) {
		t.Errorf("the zero Config: %v, want an ErrConfig", got)
	}
}

func TestParseConfigErrors(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{"not JSON", `{`, "unexpected end"},
		{"null", `null`, "want an object"},
		{"a list", `[]`, "array"},
		{"trailing", `{} {}`, "after top-level value"},
		{"wrong type", `{"hidden_size": "768"}`, "hidden_size: a JSON string, want int"},
		{"fraction", `{"hidden_size": 768.5}`, "hidden_size"},
		{"model type", `{"model_type": "wav2vec2"}`, `model_type: "wav2vec2"`},
		{"zero size", `{"hidden_size": 0}`, "hidden_size: 0"},
		{"absurd size", `{"intermediate_size": 1000000000}`, "intermediate_size"},
		{"negative", `{"num_hidden_layers": -1}`, "num_hidden_layers: -1"},
		{"heads", `{"num_attention_heads": 5}`, "num_attention_heads: 5 does not divide hidden_size 768"},
		{"groups", `{"num_conv_pos_embedding_groups": 5}`, "5 does not divide"},
		{"conv lengths", `{"conv_dim": [8, 8]}`, "conv_dim: 2 layers, but conv_kernel has 7 and conv_stride 7"},
		{"no conv", `{"conv_dim": [], "conv_kernel": [], "conv_stride": []}`, "conv_dim: 0 layers"},
		{"conv zero", `{"conv_stride": [5, 2, 0, 2, 2, 2, 2]}`, "conv_stride: layer 2: 0"},
		{"conv overflow", `{"conv_stride": [60000, 60000, 60000, 60000, 60000, 60000, 60000]}`, "product of the strides"},
		{"layer count", `{"num_feat_extract_layers": 3}`, "num_feat_extract_layers: 3"},
		{"norm", `{"feat_extract_norm": "batch"}`, `feat_extract_norm: "batch"`},
		{"activation", `{"hidden_act": "gelu_new"}`, `hidden_act: "gelu_new"`},
		{"conv activation", `{"feat_extract_activation": "relu"}`, "feat_extract_activation"},
		{"deepnorm before the layers", `{"deepnorm": true, "do_stable_layer_norm": true}`, "deepnorm: true goes with post-LN layers"},
		{"batch norm", `{"conv_pos_batch_norm": true}`, "conv_pos_batch_norm: true is not supported"},
		{"adapter", `{"adapter_attn_dim": 16}`, "adapter_attn_dim"},
		{"dropout", `{"hidden_dropout": 1}`, "hidden_dropout: 1"},
		{"layerdrop", `{"layerdrop": -0.5}`, "layerdrop: -0.5"},
		{"epsilon", `{"layer_norm_eps": 0}`, "layer_norm_eps: 0"},
		{"initialiser", `{"initializer_range": -1}`, "initializer_range"},
		{"rate", `{"sample_rate": -24000}`, "sample_rate"},
		{"bins", `{"feature_extractor_cqt_bins": -1}`, "feature_extractor_cqt_bins: -1"},
		{"many bins", `{"feature_extractor_cqt_bins": 1000000}`, "feature_extractor_cqt_bins"},
		{"std", `{"feature_extractor_cqt_std": -2}`, "feature_extractor_cqt_std: -2"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseConfig([]byte(c.in))
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want an ErrConfig with %q", err, c.want)
			}
		})
	}
	c := DefaultConfig()
	c.AttentionRelax = math.NaN()
	if err := c.Validate(); !errors.Is(err, ErrConfig) {
		t.Errorf("attention_relax NaN: %v, want an ErrConfig", err)
	}
}

// TestFrames: counts measured on transformers' HubertModel with MERT-v1-95M's convolutions.
func TestFrames(t *testing.T) {
	c := Base95M()
	for samples, want := range map[int]int{
		0: 0, 1: 0, 399: 0, 400: 1, 719: 1, 720: 2, 24000: 74, 72000: 224, 120000: 374, 122880: 383, 240000: 749, 360000: 1124, 720000: 2249,
	} {
		if got := c.Frames(samples); got != want {
			t.Errorf("%d samples: %d frames, want %d", samples, got, want)
		}
	}
	if hop, field := c.Hop(), c.ReceptiveField(); hop != 320 || field != 400 {
		t.Errorf("hop %d, receptive field %d, want 320 and 400", hop, field)
	}
}

// TestFramesMeetsReceptiveField: for any strides, one sample less than the receptive field gives no frame, and one hop
// more gives one frame more.
func TestFramesMeetsReceptiveField(t *testing.T) {
	for _, c := range []Config{
		{ConvDim: []int{1}, ConvKernel: []int{1}, ConvStride: []int{1}},
		{ConvDim: []int{1}, ConvKernel: []int{3}, ConvStride: []int{7}},
		{ConvDim: []int{1, 1, 1}, ConvKernel: []int{10, 3, 2}, ConvStride: []int{5, 2, 2}},
		{ConvDim: []int{1, 1}, ConvKernel: []int{2, 5}, ConvStride: []int{3, 1}},
	} {
		field, hop := c.ReceptiveField(), c.Hop()
		got := []int{c.Frames(field - 1), c.Frames(field), c.Frames(field + hop - 1), c.Frames(field + hop)}
		if want := []int{0, 1, 1, 2}; !slices.Equal(got, want) {
			t.Errorf("kernels %v strides %v: %v frames, want %v", c.ConvKernel, c.ConvStride, got, want)
		}
	}
}

func TestConfigIsCopied(t *testing.T) {
	cfg := tiny()
	e, err := New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ConvDim[0] = 99
	e.Config().ConvStride[0] = 99
	if got := e.Config(); got.ConvDim[0] == 99 || got.ConvStride[0] == 99 {
		t.Errorf("the encoder's config shares memory with a caller: %v %v", got.ConvDim, got.ConvStride)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"hidden_size": 16, "num_attention_heads": 2}`))
	f.Add(base95M)
	f.Add([]byte(`{"conv_dim": null, "layerdrop": 1e-320, "feature_extractor_cqt_std": 1e300}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig(data)
		if err != nil {
			if !errors.Is(err, ErrConfig) {
				t.Fatalf("%v is not an ErrConfig", err)
			}
			return
		}
		out := c.JSON()
		if !json.Valid(out) {
			t.Fatalf("not JSON: %s", out)
		}
		again, err := ParseConfig(out)
		if err != nil {
			t.Fatalf("%v\nin what JSON wrote:\n%s", err, out)
		}
		if !bytes.Equal(again.JSON(), out) {
			t.Fatal("a second round trip changed the document")
		}
	})
}
