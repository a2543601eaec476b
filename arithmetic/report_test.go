package arithmetic

import (
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

func small(t *testing.T, x ...float32) checkpoint.Source {
	t.Helper()
	m, err := checkpoint.NewMemory(
		checkpoint.Tensor{Name: "encoder.layers.1.w", Shape: []int{2}, Data: x[:2]},
		checkpoint.Tensor{Name: "feature.w", Shape: []int{len(x) - 2}, Data: x[2:]})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestInterferenceByHand(t *testing.T) {
	r, err := Interference([]string{"a", "b"}, []checkpoint.Source{small(t, 3, 4, 0, 0), small(t, 4, -3, 0, 12)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	// a = (3 4 | 0 0), b = (4 −3 | 0 12): ‖a‖ = 5, ‖b‖ = √(16+9+144) = 13, ⟨a, b⟩ = 0, signs differ in 1 of 2 shared places.
	want := `{"names":["a","b"],"norms":[5,13],"cosine":[[1,0],[0,1]],"sign_conflict":[[0,0.5],[0.5,0]],"layers":[` +
		`{"name":"encoder.layers.1","tensors":1,"elements":2,"norms":[5,5],"cosine":[[1,0],[0,1]],"sign_conflict":[[0,0.5],[0.5,0]]},` +
		`{"name":"feature","tensors":1,"elements":2,"norms":[0,12],"cosine":[[0,0],[0,1]],"sign_conflict":[[0,0],[0,0]]}],"tensors":[` +
		`{"name":"encoder.layers.1.w","shape":[2],"elements":2,"norms":[5,5],"cosine":[[1,0],[0,1]],"sign_conflict":[[0,0.5],[0.5,0]]},` +
		`{"name":"feature.w","shape":[2],"elements":2,"norms":[0,12],"cosine":[[0,0],[0,1]],"sign_conflict":[[0,0],[0,0]]}]}`
	if string(got) != want {
		t.Errorf("report\n%s\nwant\n%s", got, want)
	}
}

func TestInterferenceOfOneWithItself(t *testing.T) {
	v := model(t, 5, 0.01)
	r, err := Interference([]string{"v", "v again", "minus v"}, []checkpoint.Source{v, v, Scale(v, -1)})
	if err != nil {
		t.Fatal(err)
	}
	const tolerance = 1e-12 // of a cosine: one rounding a sum of 24,000 terms
	for _, c := range []struct {
		i, j             int
		cosine, conflict float64
	}{{0, 1, 1, 0}, {0, 2, -1, 1}, {2, 1, -1, 1}} {
		if math.Abs(r.Cosine[c.i][c.j]-c.cosine) > tolerance || r.SignConflict[c.i][c.j] != c.conflict {
			t.Errorf("pair %d %d: cosine %v, conflict %v; want %v, %v", c.i, c.j, r.Cosine[c.i][c.j], r.SignConflict[c.i][c.j], c.cosine, c.conflict)
		}
	}
	var squares float64
	var names []string
	for _, l := range r.Layers {
		squares += l.Norms[0] * l.Norms[0]
		names = append(names, l.Name)
	}
	if math.Abs(math.Sqrt(squares)/r.Norms[0]-1) > tolerance {
		t.Errorf("layers' norms make %v, want %v", math.Sqrt(squares), r.Norms[0])
	}
	if got, want := strings.Join(names, " "), "encoder.layers.0 encoder.layers.2 encoder.layers.10 encoder.pos_conv_embed feature_projection masked_spec_embed none"; got != want {
		t.Errorf("groups %q, want %q", got, want)
	}
}

func TestInterferenceSameWhateverTheThreads(t *testing.T) {
	big := make([]float32, 3*sumElements+11)
	for i := range big {
		big[i] = float32(math.Sin(float64(i)))
	}
	v := small(t, big...)
	var first string
	for _, n := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(n)
		r, err := Interference([]string{"v", "w"}, []checkpoint.Source{v, Scale(v, 0.1)})
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(text)
		} else if first != string(text) {
			t.Errorf("%d threads give another report", n)
		}
	}
}

func TestInterferenceRefuses(t *testing.T) {
	v := small(t, 1, 2, 3)
	for _, c := range []struct {
		name    string
		names   []string
		vectors []checkpoint.Source
		text    string
	}{
		{"none", nil, nil, "at least one"},
		{"names", []string{"a"}, []checkpoint.Source{v, v}, "1 names for 2 vectors"},
		{"NaN", []string{"a", "b"}, []checkpoint.Source{v, small(t, 1, 2, float32(math.NaN()))}, `b: tensor "feature.w": not finite`},
		{"infinite", []string{"a"}, []checkpoint.Source{small(t, float32(math.Inf(-1)), 2, 3)}, `a: tensor "encoder.layers.1.w": not finite`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Interference(c.names, c.vectors); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v, want one that says %q", err, c.text)
			}
		})
	}
}

// The largest finite weights do not overflow the sums.
func TestInterferenceOfExtremes(t *testing.T) {
	r, err := Interference([]string{"a", "b"}, []checkpoint.Source{small(t, math.MaxFloat32, 1e-45, 1), small(t, math.MaxFloat32, -1e-45, 1)})
	if err != nil || r.Cosine[0][1] != 1 || r.SignConflict[0][1] != 1.0/3 {
		t.Errorf("report %+v, %v; want cosine 1 and conflict 1/3", r, err)
	}
}

func TestGroup(t *testing.T) {
	for tensor, want := range map[string]string{
		"encoder.layers.3.attention.k_proj.weight":    "encoder.layers.3",
		"encoder.layers.11.final_layer_norm.bias":     "encoder.layers.11",
		"model.layers.0.mlp.up.weight":                "model.layers.0",
		"transformer.h.7.ln_1.weight":                 "transformer.h.7",
		"bert.encoder.layer.2.output.dense.weight":    "bert.encoder.layer.2",
		"encoder.pos_conv_embed.conv.weight_g":        "encoder.pos_conv_embed",
		"encoder.layer_norm.weight":                   "encoder.layer_norm",
		"encoder.weight":                              "encoder",
		"feature_extractor.conv_layers.0.conv.weight": "feature_extractor",
		"feature_projection.projection.weight":        "feature_projection",
		"masked_spec_embed":                           "masked_spec_embed",
		"model.embed_tokens.weight":                   "model.embed_tokens",
		"layers.x.weight":                             "layers",
		"layers.-1.weight":                            "layers",
		"":                                            "",
	} {
		if got := Group(tensor); got != want {
			t.Errorf("Group(%q) = %q, want %q", tensor, got, want)
		}
	}
}
