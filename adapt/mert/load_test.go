package mert

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// tensorsOf copies a source into tensors that a test may change.
func tensorsOf(t *testing.T, src checkpoint.Source) []checkpoint.Tensor {
	t.Helper()
	var out []checkpoint.Tensor
	for _, info := range src.Tensors() {
		data, err := checkpoint.ReadAll(src, info.Name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, checkpoint.Tensor{Name: info.Name, Shape: slices.Clone(info.Shape), Data: data})
	}
	return out
}

func memory(t *testing.T, tensors []checkpoint.Tensor) checkpoint.Source {
	t.Helper()
	src, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func newTiny(t *testing.T, seed uint64) *Encoder {
	t.Helper()
	e, err := New(tiny(), seed)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// sameWeights reports the first weight in which a and b differ.
func sameWeights(t *testing.T, a, b *Encoder) {
	t.Helper()
	for i, w := range a.table {
		if !slices.Equal(a.data[i], b.data[i]) {
			t.Errorf("%s differs", w.name)
			return
		}
	}
}

func TestLoadReadsBothSpellings(t *testing.T) {
	g := readGolden(t, "post_group")
	old, err := checkpoint.Open("testdata/old_names.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if _, ok := checkpoint.Find(old, "encoder.pos_conv_embed.conv.weight_g"); !ok {
		t.Fatal("old_names.safetensors does not have the old names")
	}
	e, err := Load(g.enc.Config(), old)
	if err != nil {
		t.Fatal(err)
	}
	sameWeights(t, e, g.enc)
	if _, ok := checkpoint.Find(e, "encoder.pos_conv_embed.conv.parametrizations.weight.original0"); !ok {
		t.Error("the encoder does not offer the new name")
	}
}

func TestLoadReadsPrefixedNames(t *testing.T) {
	e := newTiny(t, 3)
	for _, prefix := range []string{"hubert.", "model."} {
		got, err := Load(tiny(), checkpoint.Prefix(e, prefix))
		if err != nil {
			t.Fatalf("%s: %v", prefix, err)
		}
		sameWeights(t, got, e)
	}
	if _, err := Load(tiny(), checkpoint.Prefix(e, "wav2vec2.")); err == nil || !strings.Contains(err.Error(), "no name matches") {
		t.Errorf("an unknown prefix: %v, want an error with a hint", err)
	}
}

func TestLoadReportsEverythingThatDoesNotFit(t *testing.T) {
	const query = "encoder.layers.1.attention.q_proj.weight"
	drop := func(name string) func([]checkpoint.Tensor) []checkpoint.Tensor {
		return func(ts []checkpoint.Tensor) []checkpoint.Tensor {
			return slices.DeleteFunc(ts, func(x checkpoint.Tensor) bool { return x.Name == name })
		}
	}
	add := func(name string, shape ...int) func([]checkpoint.Tensor) []checkpoint.Tensor {
		return func(ts []checkpoint.Tensor) []checkpoint.Tensor {
			n := 1
			for _, d := range shape {
				n *= d
			}
			return append(ts, checkpoint.Tensor{Name: name, Shape: shape, Data: make([]float32, n)})
		}
	}
	cases := []struct {
		name string
		edit func([]checkpoint.Tensor) []checkpoint.Tensor
		want []string
	}{
		{"missing", drop(query), []string{`tensor "` + query + `" is missing, want shape [16 16]`}},
		{"no mask embedding", drop("masked_spec_embed"), []string{"masked_spec_embed", "mask_time_prob"}},
		{"extra head", add("final_proj.weight", 4, 16), []string{`tensor "final_proj.weight" [4 16] is not part`, "select its tensors"}},
		{"extra embeddings", add("label_embs_concat", 4, 2), []string{`"label_embs_concat" [4 2]`}},
		{"extra CQT head", add("encoder_cqt_model.fc.bias", 3), []string{`"encoder_cqt_model.fc.bias" [3]`}},
		{"both spellings", add("encoder.pos_conv_embed.conv.weight_g", 1, 1, 8), []string{"are the same weight"}},
		{"shape", func(ts []checkpoint.Tensor) []checkpoint.Tensor {
			for i := range ts {
				if ts[i].Name == query {
					ts[i].Shape = []int{8, 32}
				}
			}
			return ts
		}, []string{`tensor "` + query + `": shape [8 32], want [16 16]`}},
		{"empty", func([]checkpoint.Tensor) []checkpoint.Tensor { return nil }, []string{"no tensors", "and 58 more"}},
		{"several at once", func(ts []checkpoint.Tensor) []checkpoint.Tensor {
			return add("b", 1)(drop(query)(add("a", 1)(ts)))
		}, []string{query, `"a" [1]`, `"b" [1]`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := newTiny(t, 4)
			src := memory(t, c.edit(tensorsOf(t, e)))
			_, err := Load(tiny(), src)
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("error %v, want an ErrInvalid", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want it to have %q", err, want)
				}
			}
			before := newTiny(t, 5)
			if err := before.SetWeights(src); !errors.Is(err, ErrInvalid) {
				t.Errorf("SetWeights: %v, want an ErrInvalid", err)
			}
			sameWeights(t, before, newTiny(t, 5)) // nothing was changed
		})
	}
}

func TestLoadRefusesIntegers(t *testing.T) {
	e := newTiny(t, 6)
	_, err := Load(tiny(), retyped{e, "encoder.layer_norm.bias"})
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "dtype I32, want a floating-point type") {
		t.Errorf("error %v, want an ErrInvalid about the dtype", err)
	}
}

// retyped claims that one tensor of a source holds integers.
type retyped struct {
	checkpoint.Source
	name string
}

func (r retyped) Tensors() []checkpoint.Info {
	infos := r.Source.Tensors()
	for i := range infos {
		if infos[i].Name == r.name {
			infos[i].DType = checkpoint.I32
		}
	}
	return infos
}

// TestSetWeightsIsInPlace: parameters keep their memory, and results are those of a freshly loaded encoder.
func TestSetWeightsIsInPlace(t *testing.T) {
	a, b := newTiny(t, 7), newTiny(t, 8)
	params := a.Params()
	first := &a.data[0][0]
	if err := a.SetWeights(b); err != nil {
		t.Fatal(err)
	}
	if first != &a.data[0][0] {
		t.Error("the weights moved")
	}
	for i, p := range params {
		if !slices.Equal(values(p.Value), b.data[i]) {
			t.Errorf("%s: the parameter still has the old values", p.Name)
		}
	}
	samples := noise(500, 1)
	got, err := a.HiddenStates(samples)
	if err != nil {
		t.Fatal(err)
	}
	want, err := b.HiddenStates(samples)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("hidden state %d differs from the source's own", i)
		}
	}
}

// failing gives out every tensor but one.
type failing struct {
	checkpoint.Source
	name string
	err  error
}

func (f failing) Read(name string, offset int, dst []float32) error {
	if name == f.name {
		return f.err
	}
	return f.Source.Read(name, offset, dst)
}

func TestSetWeightsPassesReadErrorsOn(t *testing.T) {
	broken := errors.New("disk gone")
	e := newTiny(t, 9)
	err := e.SetWeights(failing{newTiny(t, 10), "encoder.layer_norm.bias", broken})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), `"encoder.layer_norm.bias"`) {
		t.Errorf("error %v, want the source's own with the tensor's name", err)
	}
}

// TestDirectoryRoundTrip: what an encoder writes, Open reads back with the same weights, config and preprocessor.
func TestDirectoryRoundTrip(t *testing.T) {
	e := newTiny(t, 11)
	if err := e.SetPreprocessor([]byte(`{"do_normalize": false, "feature_size": 1}`)); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "model")
	sides := append(e.SideFiles(), checkpoint.SideFile{Name: "modeling_MERT.py", Data: []byte("pass\n")})
	if err := checkpoint.Write(context.Background(), dir, e, checkpoint.WriteOptions{SideFiles: sides}); err != nil {
		t.Fatal(err)
	}
	got, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	sameWeights(t, got, e)
	if string(got.Config().JSON()) != string(e.Config().JSON()) {
		t.Error("the config changed")
	}
	if got.Normalises() {
		t.Error("do_normalize false was not taken over")
	}
	var names []string
	for _, side := range got.SideFiles() {
		names = append(names, side.Name)
	}
	if want := []string{"config.json", "preprocessor_config.json", "modeling_MERT.py"}; !slices.Equal(names, want) {
		t.Errorf("side files %v, want %v", names, want)
	}
}

func TestOpenErrors(t *testing.T) {
	copyCase := func(t *testing.T, edit func(dir string)) string {
		dir := filepath.Join(t.TempDir(), "model")
		if err := os.CopyFS(dir, os.DirFS("testdata/post_group")); err != nil {
			t.Fatal(err)
		}
		edit(dir)
		return dir
	}
	write := func(name, content string) func(string) {
		return func(dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases := []struct {
		name string
		edit func(dir string)
		is   error
		want string
	}{
		{"no directory", func(dir string) { os.RemoveAll(dir) }, fs.ErrNotExist, "model"},
		{"no config", func(dir string) { os.Remove(filepath.Join(dir, "config.json")) }, fs.ErrNotExist, "config.json"},
		{"bad config", write("config.json", `{"hidden_size": 17}`), ErrConfig, "config.json"},
		{"other sizes", write("config.json", `{}`), ErrInvalid, "shape [16], want [768]"},
		{"bad preprocessor", write("preprocessor_config.json", `{"do_normalize": 3}`), ErrInvalid, "preprocessor_config.json"},
		{"bad weights", write("model.safetensors", "x"), checkpoint.ErrInvalid, "model.safetensors"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(copyCase(t, c.edit))
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want a %v with %q", err, c.is, c.want)
			}
		})
	}
	if _, err := Open(filepath.Join("testdata", "old_names.safetensors")); err == nil || !strings.Contains(err.Error(), "model directory") {
		t.Errorf("a single weights file: %v, want an error that asks for a directory", err)
	}
}

func TestOpenWithoutPreprocessorNormalises(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "model")
	if err := os.CopyFS(dir, os.DirFS("testdata/post_group")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "preprocessor_config.json")); err != nil {
		t.Fatal(err)
	}
	e, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !e.Normalises() {
		t.Error("no preprocessor_config.json: the clip is not normalised, want MERT's default")
	}
}

func TestReadRanges(t *testing.T) {
	e := newTiny(t, 12)
	const name = "encoder.layer_norm.weight"
	two := make([]float32, 2)
	if err := e.Read(name, 14, two); err != nil || two[1] != 1 {
		t.Errorf("the last two values: %v %v, want ones", two, err)
	}
	for _, offset := range []int{-1, 15, 1 << 40} {
		if err := e.Read(name, offset, two); !errors.Is(err, ErrInvalid) {
			t.Errorf("offset %d: %v, want an ErrInvalid", offset, err)
		}
	}
	if err := e.Read("nothing", 0, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("an unknown name: %v, want an ErrInvalid", err)
	}
}
