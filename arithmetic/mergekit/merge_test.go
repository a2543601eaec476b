package mergekit

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

const average = "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\n"

// mergekit writes the tensors of its list of the architecture, and loses the others without a word; here none is lost.
func TestNothingIsLost(t *testing.T) {
	b := newBench(t)
	for i, name := range []string{"a", "b"} {
		b.stack(name, 2, float32(i))
	}
	m, err := checkpoint.Open("a")
	b.must(err)
	defer m.Close()
	p := b.compile(average, Options{})
	if got, want := len(p.Tensors), len(m.Tensors()); got != want {
		t.Errorf("%d tensors, want the %d of the models", got, want)
	}
}

func TestTensorsOfSomeModelsOnly(t *testing.T) {
	b := newBench(t)
	b.model("a", "", floats("w", 1), floats("bias", 3))
	b.model("b", "", floats("w", 3), floats("extra", 5))
	err := b.fail(average, Options{})
	if !errors.Is(err, ErrDiffer) || !errors.Is(err, checkpoint.ErrInvalid) {
		t.Errorf("%v: want ErrDiffer and ErrInvalid", err)
	}
	for _, says := range []string{`tensor "bias": not in b`, `tensor "extra": not in a`} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%v: want %q in it", err, says)
		}
	}
	if p := b.compile(average, Options{Intersection: true}); names(p) != "w" {
		t.Errorf("intersection: %s", names(p))
	}
	p := b.compile(average, Options{Union: true})
	if names(p) != "bias extra w" || b.value(p, "w") != 2 || b.value(p, "bias") != 3 || b.value(p, "extra") != 5 {
		t.Errorf("union: %s, w %v", names(p), b.value(p, "w"))
	}
	if p.Tensors[0].Note != "not in b" || !p.Tensors[0].Copy {
		t.Errorf("bias is not said to be a copy: %+v", p.Tensors[0])
	}
}

func TestShapes(t *testing.T) {
	b := newBench(t)
	b.model("a", "", floats("w", 1), floats("model.embed_tokens.weight", 1, 2, 3))
	b.model("b", "", floats("w", 1), floats("model.embed_tokens.weight", 3, 4))
	err := b.fail(average, Options{})
	if want := `b: tensor "model.embed_tokens.weight": shape [2], but a has [3]; vocabularies differ`; !strings.Contains(err.Error(), want) {
		t.Errorf("%v: want %q in it", err, want)
	}
	p := b.compile(average, Options{Truncate: true})
	x, err := checkpoint.ReadAll(p.Merge(), "model.embed_tokens.weight")
	if err != nil || len(x) != 2 || x[1] != 3 {
		t.Errorf("truncated: %v, %v", x, err)
	}
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], `a: tensor "model.embed_tokens.weight" cut from 3 to 2 rows`) {
		t.Errorf("notes %q", p.Notes)
	}
}

func TestTiedHeads(t *testing.T) {
	b := newBench(t)
	const tied, untied = `{"tie_word_embeddings": true}`, `{"tie_word_embeddings": false}`
	embed, norm := floats("model.embed_tokens.weight", 1), floats("model.norm.weight", 1)
	b.model("a", tied, embed, norm)
	b.model("b", untied, floats("model.embed_tokens.weight", 3), norm, floats("lm_head.weight", 7))
	// mergekit writes the merged head beside a config that tells loaders to ignore it.
	p := b.compile(average, Options{})
	if got := b.value(p, "lm_head.weight"); got != 4 {
		t.Errorf("the head is %v, want the mean of a's embedding and b's head", got)
	}
	if !strings.Contains(string(p.Config()), `"tie_word_embeddings": false`) {
		t.Errorf("config: %s", p.Config())
	}
	b.model("c", tied, embed, norm)
	p = b.compile(strings.ReplaceAll(average, "model: b", "model: c"), Options{})
	if strings.Contains(names(p), "lm_head") || !strings.Contains(string(p.Config()), `"tie_word_embeddings": true`) {
		t.Errorf("both tied: %s, config %s", names(p), p.Config())
	}
}

func TestDTypes(t *testing.T) {
	b := newBench(t)
	half := func(path string, dtype checkpoint.DType, tensors ...checkpoint.Tensor) {
		src, err := checkpoint.NewMemory(tensors...)
		b.must(err)
		b.must(checkpoint.Write(t.Context(), path, src, checkpoint.WriteOptions{DType: dtype}))
	}
	half("a", checkpoint.BF16, floats("w", 1))
	half("b", checkpoint.F16, floats("w", 2))
	for text, want := range map[string]checkpoint.DType{average: checkpoint.F32, average + "dtype: bfloat16": checkpoint.BF16,
		average + "dtype: bfloat16\nout_dtype: float16": checkpoint.F16, strings.ReplaceAll(average, "model: b", "model: a"): checkpoint.BF16} {
		if got := b.compile(text, Options{}).Tensors[0].DType; got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	// Inputs are not rounded to dtype first, as mergekit does: 1 + 2^-9 in float32 merged into BF16 rounds once.
	b.model("fine", "", floats("w", 1+0x1p-9))
	p := b.compile("merge_method: linear\ndtype: bfloat16\nmodels: [{model: fine, parameters: {weight: 2}}]\nparameters: {normalize: false}", Options{})
	if got := b.value(p, "w"); got != 2+0x1p-8 {
		t.Errorf("got %v before rounding, want %v", got, 2+0x1p-8)
	}
}

func TestIntegersAreCopied(t *testing.T) {
	b := newBench(t)
	ids := func(v int64) checkpoint.Tensor {
		x, err := checkpoint.NewIntegers("ids", checkpoint.I64, []int{2}, []int64{0, v})
		b.must(err)
		return x
	}
	b.model("a", "", floats("w", 1), ids(1<<40))
	b.model("b", "", floats("w", 1), ids(1<<40))
	b.model("c", "", floats("w", 1), ids(2))
	p := b.compile(average, Options{})
	v, err := checkpoint.ReadIntegers(p.Merge(), "ids")
	if err != nil || v[1] != 1<<40 {
		t.Errorf("%v, %v", v, err)
	}
	if err := b.fail(strings.ReplaceAll(average, "model: b", "model: c"), Options{}); !strings.Contains(err.Error(), `c: tensor "ids": I64 that is not the same in a`) {
		t.Error(err)
	}
}

// One NaN poisons whole tensors of a slerp in mergekit; here it is refused, kept or set to 0, as the options say.
func TestNonFinite(t *testing.T) {
	b := newBench(t)
	nan := float32(math.NaN())
	b.model("a", "", floats("v", 1, 2, 3), floats("w", 1, nan, 3))
	b.model("b", "", floats("v", 1, 2, 3), floats("w", 1, 2, float32(math.Inf(-1))))
	read := func(policy NonFinite, tensor string) ([]float32, error) {
		p := b.compile(average, Options{NonFinite: policy})
		return checkpoint.ReadAll(p.Merge(), tensor)
	}
	if _, err := read(Refuse, "w"); !errors.Is(err, ErrNonFinite) || !strings.Contains(err.Error(), `a: tensor "w": element 1 is NaN`) {
		t.Errorf("refuse: %v", err)
	}
	if _, err := read(Refuse, "v"); err != nil {
		t.Errorf("a tensor without: %v", err)
	}
	if x, err := read(Keep, "w"); err != nil || x[1] == x[1] || !math.IsInf(float64(x[2]), -1) || x[0] != 1 {
		t.Errorf("keep: %v, %v", x, err)
	}
	if x, err := read(Zero, "w"); err != nil || x[1] != 1 || x[2] != 1.5 {
		t.Errorf("zero: %v, %v", x, err)
	}
	// Copies are looked at too, though their bytes pass through.
	copied := b.compile("merge_method: passthrough\nmodels: [{model: a}]", Options{})
	if _, err := copied.Merge().Raw("w"); !errors.Is(err, ErrNonFinite) {
		t.Errorf("a copy: %v", err)
	}
}

func TestWholeRangesAgree(t *testing.T) {
	b := newBench(t)
	x, y := make([]float32, 1000), make([]float32, 1000)
	for i := range x {
		x[i], y[i] = float32(i), float32(i*i)
	}
	b.model("a", "", floats("w", x...))
	b.model("b", "", floats("w", y...))
	p := b.compile("merge_method: ties\nbase_model: a\nmodels: [{model: b, parameters: {weight: 1, density: 0.3}}]", Options{})
	all, err := checkpoint.ReadAll(p.Merge(), "w")
	b.must(err)
	for _, at := range []int{0, 1, 500, 993} {
		part := make([]float32, 7)
		b.must(p.Merge().Read("w", at, part))
		for i, v := range part {
			if v != all[at+i] {
				t.Errorf("element %d is %v alone and %v with all", at+i, v, all[at+i])
			}
		}
	}
	if err := p.Merge().Read("w", 995, make([]float32, 7)); err == nil {
		t.Error("a read beyond the end succeeds")
	}
	if err := p.Merge().Read("v", 0, make([]float32, 1)); err == nil {
		t.Error("a read of another name succeeds")
	}
}

func TestSideFiles(t *testing.T) {
	b := newBench(t)
	b.stack("base", 1, 0)
	b.stack("a", 1, 1)
	for _, f := range []string{"tokenizer.json", "README.md", "mergekit_config.yml", "preprocessor_config.json", "train.jsonl", "adapt.json"} {
		b.write("base/"+f, "base's "+f)
		b.write("a/"+f, "a's "+f)
	}
	recipe := "merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1}}]\ndtype: bfloat16"
	p := b.compile(recipe, Options{})
	files, err := p.SideFiles()
	b.must(err)
	var got []string
	for _, f := range files {
		got = append(got, f.Name)
		if f.Name != "config.json" && !bytes.HasPrefix(f.Data, []byte("base's")) {
			t.Errorf("%s is not the base's", f.Name)
		}
	}
	if want := "config.json preprocessor_config.json tokenizer.json"; strings.Join(got, " ") != want {
		t.Errorf("side files %v, want %s", got, want)
	}
	if !strings.Contains(string(p.Config()), `"torch_dtype": "bfloat16"`) {
		t.Errorf("config: %s", p.Config())
	}
	card := string(p.Card([]byte(recipe)).Data)
	for _, want := range []string{"# Merged model", "[task_arithmetic](https://arxiv.org/abs/2212.04089)", "- a\n", "with base as the base", recipe} {
		if !strings.Contains(card, want) {
			t.Errorf("the card lacks %q:\n%s", want, card)
		}
	}
}

func TestStacks(t *testing.T) {
	infos := func(names ...string) (list []checkpoint.Info) {
		for _, n := range names {
			list = append(list, checkpoint.Info{Name: n})
		}
		return list
	}
	hubert := infos("encoder.layers.0.a", "encoder.layers.0.b", "encoder.layers.1.a", "encoder.layers.1.b", "feature_extractor.conv_layers.0.conv",
		"feature_extractor.conv_layers.1.conv", "feature_extractor.conv_layers.2.conv")
	for _, c := range []struct {
		name   string
		infos  []checkpoint.Info
		config string
		want   []Stack
	}{
		{"most tensors", hubert, "", []Stack{{"encoder.layers", 2}}},
		{"number of the config", hubert, `{"num_hidden_layers": 3}`, []Stack{{"feature_extractor.conv_layers", 3}}},
		{"config that fits none", hubert, `{"num_hidden_layers": 12}`, []Stack{{"encoder.layers", 2}}},
		{"experts are inside", infos("m.h.0.experts.0.w", "m.h.0.experts.1.w", "m.h.1.experts.0.w"), "", []Stack{{"m.h", 2}}},
		{"two stacks", infos("decoder.layer.0.w", "decoder.layer.1.w", "encoder.layer.0.w", "encoder.layer.1.w"), `{"text_config": {"num_layers": 2}}`,
			[]Stack{{"decoder.layer", 2}, {"encoder.layer", 2}}},
		{"numbers with holes", infos("a.1.w", "a.3.w"), "", nil},
		{"none", infos("weight"), "", nil},
	} {
		got := Stacks(c.infos, []byte(c.config))
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	}
}

// Fisher merging takes a file of statistics a model, which is opened once and may be shared.
func TestStatistics(t *testing.T) {
	b := newBench(t)
	b.model("a", "", floats("w", 1, 1))
	b.model("b", "", floats("w", 3, 3))
	b.model("fa.safetensors", "", floats("w", 3, 4)) // of norm 5: 0.6, 0.8
	b.model("fb.safetensors", "", floats("w", 4, 3)) // 0.8, 0.6
	err := b.fail("merge_method: fisher\nmodels: [{model: a}, {model: b}]", Options{})
	if !errors.Is(err, ErrRecipe) || !strings.Contains(err.Error(), "a: merge method fisher needs statistics") {
		t.Errorf("without statistics: %v", err)
	}
	p := b.compile("merge_method: fisher\nmodels: [{model: a, statistics: fa.safetensors}, {model: b, statistics: fb.safetensors}]", Options{})
	got, err := checkpoint.ReadAll(p.Merge(), "w")
	b.must(err)
	if want := []float32{(0.6 + 3*0.8) / 1.4, (0.8 + 3*0.6) / 1.4}; !near(got[0], want[0]) || !near(got[1], want[1]) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := b.fail("merge_method: fisher\nmodels: [{model: a, statistics: nowhere.safetensors}, {model: b, statistics: fb.safetensors}]", Options{}); !strings.Contains(err.Error(), "nowhere.safetensors") {
		t.Error(err)
	}
}
