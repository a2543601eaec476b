package mert

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// tiny is a small post-LN encoder: 20 samples a frame, 16 features.
func tiny() Config {
	c := DefaultConfig()
	c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads, c.IntermediateSize = 16, 3, 2, 32
	c.ConvDim, c.ConvKernel, c.ConvStride = []int{8, 8, 8}, []int{10, 3, 2}, []int{5, 2, 2}
	c.NumConvPosEmbeddings, c.NumConvPosEmbeddingGroups = 8, 4
	return c
}

// cases are the goldens that testdata/make_hubert.py wrote with transformers' HubertModel, and make_mert.py, the last
// three, with what MERT has beyond it.
var cases = []string{"post_group", "pre_group", "post_layer", "pre_layer", "gradients", "normalised", "long", "biases",
	"deepnorm", "deepnorm_relaxed", "deep"}

// golden is one of them.
type golden struct {
	enc    *Encoder
	expect map[string][]float32
	clips  int
	mask   []bool
}

func readGolden(t *testing.T, name string) golden {
	t.Helper()
	enc, err := Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	file, err := checkpoint.Open(filepath.Join("testdata", name+".expect.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	g := golden{enc: enc, expect: map[string][]float32{}}
	for _, info := range file.Tensors() {
		if g.expect[info.Name], err = checkpoint.ReadAll(file, info.Name); err != nil {
			t.Fatal(err)
		}
		if info.Name == "input" {
			g.clips = info.Shape[0]
		}
	}
	for _, v := range g.expect["mask"] {
		g.mask = append(g.mask, v != 0)
	}
	if g.clips == 0 {
		t.Fatalf("%s has no input", name)
	}
	return g
}

// state is the expected hidden state of a layer.
func (g golden) state(t *testing.T, layer int) []float32 {
	t.Helper()
	s, ok := g.expect[fmt.Sprintf("state.%d", layer)]
	if !ok {
		t.Fatalf("no golden for hidden state %d", layer)
	}
	return s
}

// furthest is the largest absolute difference of two slices, +Inf if their lengths differ or a value is NaN.
func furthest(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	worst := 0.0
	for i := range got {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if !(d <= worst) {
			worst = d
		}
		if math.IsNaN(d) {
			return math.Inf(1)
		}
	}
	return worst
}

func TestGoldensExist(t *testing.T) {
	for _, name := range cases {
		g := readGolden(t, name)
		if states := g.enc.Config().NumHiddenLayers + 1; len(g.state(t, states-1)) == 0 {
			t.Errorf("%s: an empty last state", name)
		}
	}
}

// TestTableIsThatOfTransformers: names and shapes of every architecture are those that save_pretrained wrote.
func TestTableIsThatOfTransformers(t *testing.T) {
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			m, err := checkpoint.Open(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			got, want := readGolden(t, name).enc.Tensors(), m.Tensors()
			equal := func(a, b checkpoint.Info) bool {
				return a.Name == b.Name && a.DType == b.DType && slices.Equal(a.Shape, b.Shape)
			}
			if !slices.EqualFunc(got, want, equal) {
				t.Errorf("got %v\nwant %v", got, want)
			}
		})
	}
}

// TestTable95M: 211 tensors and 94,371,712 values, what the released pytorch_model.bin holds.
func TestTable95M(t *testing.T) {
	table := Base95M().weights()
	values := 0
	for _, w := range table {
		values += w.elements()
		if rows, cols := w.matrix(); rows*cols != w.elements() {
			t.Errorf("%s: matrix [%d %d] of shape %v", w.name, rows, cols, w.shape)
		}
	}
	if len(table) != 211 || values != 94_371_712 {
		t.Errorf("%d tensors with %d values, want 211 and 94371712", len(table), values)
	}
	if !slices.IsSortedFunc(table, func(a, b weight) int { return strings.Compare(a.name, b.name) }) {
		t.Error("the table is not sorted by name")
	}
}

func TestTableWithCQTAndWithoutMask(t *testing.T) {
	c := tiny()
	c.FeatureExtractorCQT, c.FeatureExtractorCQTBins = true, 12
	c.MaskTimeProb = 0
	for _, w := range c.weights() {
		switch w.name {
		case "masked_spec_embed":
			t.Error("masked_spec_embed without a mask probability: transformers has none")
		case "feature_projection.layer_norm.weight":
			if !slices.Equal(w.shape, []int{20}) {
				t.Errorf("%s: shape %v, want [20]: 8 features and 12 bins", w.name, w.shape)
			}
		case "feature_projection.projection.weight":
			if !slices.Equal(w.shape, []int{16, 20}) {
				t.Errorf("%s: shape %v, want [16 20]", w.name, w.shape)
			}
		}
	}
}
