package mergekit

import (
	"errors"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// Every mistake is found before a weight is read, and names what was probably meant. mergekit ignores most of these.
func TestRecipeErrors(t *testing.T) {
	b := newBench(t)
	b.stack("base", 2, 0)
	b.stack("a", 2, 1)
	b.stack("deep", 3, 1)
	b.model("odd", "", floats("model.embed_tokens.weight", 1, 2))
	const two = "models: [{model: base, parameters: {weight: 1}}, {model: a, parameters: {weight: 1}}]\n"
	for _, c := range []struct {
		name, recipe, says string
		input              bool // the models are at fault, not the recipe
	}{
		{"empty", "", "the document is empty", false},
		{"no method", two, "merge_method is missing", false},
		{"method misspelt", "merge_method: linaer\n" + two, `no merge method "linaer" (did you mean "linear"?)`, false},
		{"top key misspelt", "merge_method: linear\ndtypo: float32\n" + two, `line 2: unknown key "dtypo" (did you mean "dtype"?)`, false},
		{"parameters misspelt", "merge_method: linear\nparamters: {normalize: true}\n" + two, `unknown key "paramters" (did you mean "parameters"?)`, false},
		{"parameter misspelt", "merge_method: ties\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1, densty: 0.1}}]", `a: merge method ties has no parameter "densty" (did you mean "density"?)`, false},
		{"parameter of no method", "merge_method: linear\nparameters: {warmth: 0.1}\n" + two, `parameters: merge method linear has no parameter "warmth"`, false},
		{"shared parameter on a model", "merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1, lambda: 0.5}}]", "a: parameter lambda is not a model's", false},
		{"dtype misspelt", "merge_method: linear\ndtype: bfloat\n" + two, `dtype "bfloat" is not a type of floats (did you mean "bfloat16"?)`, false},
		{"weight missing", "merge_method: linear\nmodels: [{model: base}, {model: a}]", `base: tensor "lm_head.weight": parameter weight is missing`, false},
		{"weight of words", "merge_method: linear\nmodels: [{model: base, parameters: {weight: much}}]", "weight: got much, want a number", false},
		{"density beyond 1", "merge_method: ties\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1, density: 1.5}}]", "density: got 1.5, want a number from 0 to 1", false},
		{"weight that filters miss", "merge_method: linear\nmodels: [{model: base, parameters: {weight: [{filter: nowhere, value: 1}]}}]", "parameter weight is missing", false},
		{"condition misspelt", "merge_method: linear\nmodels: [{model: base, parameters: {weight: [{filtr: mlp, value: 1}]}}]", `unknown key "filtr" in a condition (did you mean "filter"?)`, false},
		{"no base", "merge_method: ties\nmodels: [{model: a, parameters: {weight: 1}}]", "merge method ties needs base_model", false},
		{"too many models", "merge_method: passthrough\nmodels: [{model: a}, {model: base}]", "merge method passthrough: 2 models, want exactly 1", false},
		{"models and slices", "merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0, 1]}]}]\n" + two, "want either models or slices", false},
		{"layers beyond the model", "merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [1, 4]}]}]", "slice 1: a: layers [1 4), but it has 2", false},
		{"layers of different number", "merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0, 1]}, {model: base, layer_range: [0, 2]}]}]", "slice 1: base: 2 layers, but a has 1", false},
		{"layers upside down", "merge_method: linear\nslices: [{sources: [{model: a, layer_range: [2, 1]}]}]", "layer_range [2 1], want [from, to)", false},
		{"residual weight", "merge_method: linear\nslices: [{residual_weight: 0.5, sources: [{model: a, layer_range: [0, 1]}]}]", "residual_weight has no effect in mergekit", false},
		{"base is no source of a slice", "merge_method: ties\nbase_model: base\nslices: [{sources: [{model: a, layer_range: [0, 1], parameters: {weight: 1}}]}]", "slice 1: the base base is not among the sources", false},
		{"a name twice", "name: x\nmerge_method: linear\n" + two + "---\nname: x\nmerge_method: linear\n" + two, `document 2: the name "x" is taken`, false},
		{"made from itself", "name: x\nmerge_method: linear\nmodels: [{model: x, parameters: {weight: 1}}]", "x is made from itself", false},
		{"depth", "merge_method: linear\nmodels: [{model: base, parameters: {weight: 1}}, {model: deep, parameters: {weight: 1}}]", "deep: 3 layers, but base has 2", true},
		{"tensors of one model only", "merge_method: linear\nmodels: [{model: base, parameters: {weight: 1}}, {model: odd, parameters: {weight: 1}}]", "odd: 0 layers, but base has 2", true},
		{"no such model", "merge_method: linear\nmodels: [{model: ./nowhere, parameters: {weight: 1}}]", "model ./nowhere: no such file or directory", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := bench{t}.fail(c.recipe, Options{})
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %q, want %q in it", err, c.says)
			}
			if errors.Is(err, ErrRecipe) == c.input {
				t.Errorf("%v: is a mistake of the recipe: %v", err, !c.input)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	b := newBench(t)
	b.stack("base", 3, 0)
	b.stack("a", 3, 1)
	const mlp, attn = "model.layers.%.mlp.weight", "model.layers.%.attn.weight"
	at := func(name, layer string) string { return strings.Replace(name, "%", layer, 1) }
	weights := func(setting string) *Plan {
		return b.compile("merge_method: linear\nparameters: {normalize: false}\nmodels: [{model: a, parameters: {weight: "+setting+"}}]", Options{})
	}
	check := func(what string, p *Plan, want map[string]float64) {
		t.Helper()
		for _, row := range p.Tensors {
			if w, ok := want[row.Name]; ok && !near(float32(row.Inputs[0].Params["weight"]), float32(w)) {
				t.Errorf("%s: %s has weight %v, want %v", what, row.Name, row.Inputs[0].Params["weight"], w)
			}
		}
	}
	check("scalar", weights("0.5"), map[string]float64{"lm_head.weight": 0.5, at(mlp, "1"): 0.5})
	// A gradient runs over the layers; what stands outside of them has its first value.
	check("gradient", weights("[0, 1, 0.5]"), map[string]float64{"model.embed_tokens.weight": 0, "lm_head.weight": 0, "model.norm.weight": 0,
		at(mlp, "0"): 0, at(mlp, "1"): 1, at(attn, "2"): 0.5})
	check("gradient between", weights("[0, 1]"), map[string]float64{at(mlp, "0"): 0, at(mlp, "1"): 0.5, at(mlp, "2"): 1})
	check("filters", weights("[{filter: mlp, value: [0, 1]}, {filter: layers.1, value: 7}, {value: 3}]"), map[string]float64{
		at(mlp, "1"): 0.5, at(attn, "1"): 7, at(attn, "0"): 3, "lm_head.weight": 3})
	check("star", weights("[{filter: '*', value: 2}, {filter: mlp, value: 1}]"), map[string]float64{at(mlp, "1"): 2})

	// A model's setting goes before a slice's, that before the top's; where no condition holds the next level decides.
	p := b.compile(`merge_method: linear
parameters: {weight: 1, normalize: false}
slices:
- sources: [{model: a, layer_range: [0, 1], parameters: {weight: [{filter: mlp, value: 5}]}}]
  parameters: {weight: 4}
- sources: [{model: a, layer_range: [1, 3], parameters: {weight: [{filter: mlp, value: 6}]}}]
`, Options{})
	check("levels", p, map[string]float64{at(mlp, "0"): 5, at(attn, "0"): 4, at(mlp, "1"): 6, at(attn, "2"): 1, "model.embed_tokens.weight": 4, "lm_head.weight": 1})
}

// Recipes often give what only other methods have; that is said, and does no harm.
func TestParametersOfOtherMethods(t *testing.T) {
	b := newBench(t)
	b.stack("a", 1, 1)
	b.stack("c", 1, 2)
	p := b.compile("merge_method: slerp\nbase_model: a\nparameters: {t: 0.5, int8_mask: true}\nmodels: [{model: a}, {model: c, parameters: {weight: 1, density: 0.5}}]", Options{})
	want := "parameters: parameter int8_mask has no effect on slerp\nc: parameter density has no effect on slerp\nc: parameter weight has no effect on slerp"
	if got := strings.Join(p.Notes, "\n"); got != want {
		t.Errorf("notes\n%s\nwant\n%s", got, want)
	}
}

func TestOneLayerSliceTakesTheLastValue(t *testing.T) {
	b := newBench(t)
	b.stack("a", 3, 1)
	p := b.compile("merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [1, 2], parameters: {scale: [0, 2]}}]}]", Options{})
	if got := b.value(p, "model.layers.0.mlp.weight"); !near(got, 2.2) {
		t.Errorf("the layer is %v, want 2 · 1.1", got)
	}
	if got := b.value(p, "lm_head.weight"); got != 0 {
		t.Errorf("the head is %v, want 0", got)
	}
}

func TestSlices(t *testing.T) {
	b := newBench(t)
	b.stack("a", 3, 1)
	b.stack("b", 4, 2)
	p := b.compile(`merge_method: passthrough
slices:
- sources: [{model: a, layer_range: [0, 2]}]
- sources: [{model: b, layer_range: [1, 4]}]
`, Options{})
	for name, want := range map[string]float32{
		"model.embed_tokens.weight": 1, "model.layers.0.mlp.weight": 1, "model.layers.1.attn.weight": 1.1, "model.layers.2.mlp.weight": 2.1,
		"model.layers.4.mlp.weight": 2.3, "model.norm.weight": 12, "lm_head.weight": 22,
	} {
		if got := b.value(p, name); !near(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if n := len(p.Tensors); n != 3+2*5 {
		t.Errorf("%d tensors, want 13", n)
	}
	if !strings.Contains(string(p.Config()), `"num_hidden_layers": 5`) {
		t.Errorf("config.json does not say 5 layers: %s", p.Config())
	}
}

func TestNestedDocuments(t *testing.T) {
	b := newBench(t)
	b.stack("base", 2, 0)
	b.stack("a", 2, 1)
	b.stack("c", 2, 4)
	p := b.compile(`name: middle
merge_method: linear
models: [{model: a, parameters: {weight: 1}}, {model: c, parameters: {weight: 1}}]
---
merge_method: task_arithmetic
base_model: base
models: [{model: middle, parameters: {weight: 2}}]
`, Options{})
	if got := b.value(p, "model.layers.1.mlp.weight"); !near(got, 0.1+2*2.5) {
		t.Errorf("got %v, want base + 2 · (mean of a and c − base)", got)
	}
	if p.Donor != "base" {
		t.Errorf("files come from %s, want base", p.Donor)
	}
}

func TestLambdaOption(t *testing.T) {
	b := newBench(t)
	b.stack("base", 1, 0)
	b.stack("a", 1, 1)
	lambda := 0.25
	p := b.compile("merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1}}]\nparameters: {lambda: 1}", Options{Lambda: &lambda})
	if got := b.value(p, "lm_head.weight"); !near(got, 20.25) {
		t.Errorf("got %v, want 20.25", got)
	}
	zero := 0.0
	p = b.compile("merge_method: ties\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1, density: 0.5}}]", Options{Lambda: &zero})
	raw, err := p.Merge().Raw("lm_head.weight")
	if err != nil || len(raw) != 4 {
		t.Errorf("lambda 0 is not a copy of the base: %v", err)
	}
}

// Several lambdas share the passes over the inputs, and give what each gives alone.
func TestLambdasShareThePasses(t *testing.T) {
	b := newBench(t)
	const n = 1000
	x, y := make([]float32, n), make([]float32, n)
	for i := range y {
		y[i] = float32(i%17) - 8 + float32(i)/n
	}
	b.model("base", "", floats("w", x...))
	b.model("a", "", floats("w", y...))
	docs, err := Parse([]byte("merge_method: ties\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1, density: 0.3}}]"))
	b.must(err)
	plans, err := CompileEach(docs, Options{}, []float64{0, 0.5, 1, 2})
	b.must(err)
	for _, p := range plans {
		defer p.Close()
	}
	if !plans[1].merge.at["w"].made.Shares(plans[3].merge.at["w"].made) {
		t.Error("two plans make their own passes")
	}
	for i, lambda := range []float32{0, 0.5, 1, 2} {
		got, err := checkpoint.ReadAll(plans[i].Merge(), "w")
		b.must(err)
		one, err := checkpoint.ReadAll(plans[2].Merge(), "w")
		b.must(err)
		for j := range got {
			if got[j] != lambda*one[j] {
				t.Fatalf("lambda %v: element %d is %v, want %v", lambda, j, got[j], lambda*one[j])
			}
		}
	}
}

func TestPathsWithPlusAndAt(t *testing.T) {
	b := newBench(t)
	b.stack("c++/me@home", 1, 3)
	p := b.compile("merge_method: passthrough\nmodels: [{model: ./c++/me@home}]", Options{})
	if got := b.value(p, "lm_head.weight"); got != 23 {
		t.Errorf("got %v, want 23", got)
	}
}

func TestReferences(t *testing.T) {
	for _, c := range []struct {
		ref  Ref
		want []place
	}{
		{Ref{Text: "org/name"}, []place{{"org/name", "", ""}}},
		{Ref{Text: "org/name@v1"}, []place{{"org/name@v1", "", ""}, {"org/name", "v1", ""}}},
		{Ref{Text: "m+l"}, []place{{"m+l", "", ""}, {"m", "", "l"}}},
		{Ref{Text: "m@v+l"}, []place{{"m@v+l", "", ""}, {"m", "v+l", ""}, {"m@v", "", "l"}, {"m", "v", "l"}}},
		{Ref{Text: "m+", Adapter: "l"}, []place{{"m+", "", "l"}}},
	} {
		got := c.ref.places()
		if len(got) != len(c.want) {
			t.Errorf("%v: %v, want %v", c.ref, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%v: %v, want %v", c.ref, got, c.want)
			}
		}
	}
}
