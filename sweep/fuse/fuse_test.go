package fuse_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"syncretic/arithmetic"
	"syncretic/arithmetic/mergekit"
	"syncretic/arithmetic/method"
	"syncretic/arithmetic/taskvector"
	"syncretic/checkpoint"
	"syncretic/sweep/fuse"
)

// merged is what `syncretic merge` makes of a recipe: compiled by itself, written and read back.
func merged(t *testing.T, recipe []byte, seed uint64) *checkpoint.Model {
	t.Helper()
	docs, err := mergekit.Parse(recipe)
	must(t, err)
	plan, err := mergekit.Compile(docs, mergekit.Options{Seed: seed})
	must(t, err)
	defer plan.Close()
	path := filepath.Join(t.TempDir(), "out.safetensors")
	save(t, path, plan.Merge(), nil)
	m, err := checkpoint.Open(path)
	must(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

// equal wants the model of a choice to be what its recipe makes, byte for byte.
func equal(t *testing.T, m *fuse.Model, seed uint64) {
	t.Helper()
	want := merged(t, m.Recipe(), seed)
	if got, want := m.Tensors(), want.Tensors(); len(got) != len(want) {
		t.Fatalf("%d tensors, the recipe makes %d", len(got), len(want))
	}
	for i, info := range want.Tensors() {
		if got := m.Tensors()[i]; got.Name != info.Name || got.DType != info.DType || !slices.Equal(got.Shape, info.Shape) {
			t.Fatalf("tensor %+v, the recipe makes %+v", got, info)
		}
		got, err := checkpoint.ReadAll(m, info.Name)
		must(t, err)
		want, err := checkpoint.ReadAll(want, info.Name)
		must(t, err)
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Fatalf("%s\ntensor %q, element %d: %v, the recipe makes %v", m.Recipe(), info.Name, i, got[i], want[i])
			}
		}
	}
}

// choices draws a valid choice of a method, with everything that it has.
func draw(f *fuse.Fuser, name string, rng *rand.Rand) fuse.Choice {
	m, _ := method.Find(name)
	c := fuse.Choice{Method: name, Params: map[string]float64{}}
	vectors := f.Vectors()
	if m.Max > 0 {
		vectors = vectors[:m.Max]
	}
	for _, p := range m.Params {
		if p.Inert || !p.Required && rng.IntN(2) == 0 {
			continue
		}
		switch {
		case p.Name == "weight":
			c.Weights = map[string]fuse.Weight{}
			for _, v := range vectors {
				w := fuse.Weight{Value: rng.NormFloat64()}
				if rng.IntN(2) == 0 {
					w.Groups = map[string]float64{fuse.Upper: rng.Float64(), fuse.Front: 1e-3 * rng.Float64()}
				}
				c.Weights[v] = w
			}
		case p.Name == "eps":
			c.Params[p.Name] = 1e-6
		case p.Name == "iterations" || p.Name == "max_iter":
			c.Params[p.Name] = 3
		case p.Name == "k":
			c.Params[p.Name] = float64(1 + rng.IntN(2))
		case p.Kind == method.Flag:
			c.Params[p.Name] = float64(rng.IntN(2))
		case p.Kind == method.Choice:
			c.Params[p.Name] = float64(rng.IntN(len(p.Choices)))
		case p.Name == "density":
			c.Params[p.Name] = 0.3 + 0.4*rng.Float64()
		case p.Name == "epsilon" && strings.HasPrefix(name, "della"):
			c.Params[p.Name] = 0.2 * rng.Float64()
		default:
			c.Params[p.Name] = rng.Float64()
		}
	}
	return c
}

// TestEveryMethodIsItsRecipe: over all methods with a base, in one fuser that keeps what it found between them.
func TestEveryMethodIsItsRecipe(t *testing.T) {
	h := newHall(t)
	for _, name := range fuse.Methods() {
		t.Run(name, func(t *testing.T) {
			m, _ := method.Find(name)
			h := h
			switch {
			case m.Max == 1:
				h = h.only("dense")
			case m.Max == 2:
				h = h.only("dense", "tuned")
			}
			const seed = 7
			f := h.open(t, fuse.Options{Seed: seed})
			rng := rand.New(rand.NewPCG(3, 4))
			for range 4 {
				c := draw(f, name, rng)
				model, err := f.Model(c)
				must(t, err)
				equal(t, model, seed)
			}
		})
	}
}

// TestReferences: the base and a single expert.
func TestReferences(t *testing.T) {
	h := newHall(t)
	f := h.open(t, fuse.Options{})
	base, err := f.Model(f.Base())
	must(t, err)
	equal(t, base, 0)
	stored, err := checkpoint.Open(h.base)
	must(t, err)
	defer stored.Close()
	for name, want := range all(t, stored) {
		if !slices.Equal(all(t, base)[name], want) {
			t.Errorf("tensor %q is not the base's", name)
		}
	}
	for _, name := range f.Vectors() {
		expert, err := f.Model(f.Expert(name))
		must(t, err)
		equal(t, expert, 0)
		vector, err := checkpoint.Open(h.vectors[name])
		must(t, err)
		defer vector.Close()
		var tau checkpoint.Source = vector
		if name == "tuned" {
			tau, err = arithmetic.Sub(vector, stored)
		} else {
			tau, err = taskvector.Decode(vector)
		}
		must(t, err)
		want, err := arithmetic.Add(stored, tau)
		must(t, err)
		for name, want := range all(t, want) {
			if !slices.Equal(all(t, expert)[name], want) {
				t.Errorf("tensor %q is not base + τ", name)
			}
		}
	}
}

// TestVersions: equal versions are equal values, over random choices that share parts; and what is equal by construction has one.
func TestVersions(t *testing.T) {
	h := newHall(t).only("dense", "sparse", "tuned")
	f := h.open(t, fuse.Options{})
	seen := map[string][]float32{}
	rng := rand.New(rand.NewPCG(5, 6))
	again := 0
	for i := range 200 {
		pick := func() float64 { return []float64{0, 0.5, 1}[rng.IntN(3)] }
		c := fuse.Choice{Method: []string{"task_arithmetic", "ties", "lines", "dare_linear"}[rng.IntN(4)], Weights: map[string]fuse.Weight{}}
		for _, v := range f.Vectors()[:1+rng.IntN(3)] {
			c.Weights[v] = fuse.Weight{Value: pick(), Groups: map[string]float64{fuse.Upper: pick()}}
		}
		if i%3 == 0 {
			c.Params = map[string]float64{"lambda": pick()}
		}
		m, err := f.Model(c)
		must(t, err)
		for name, x := range all(t, m) {
			v := m.Version(name)
			if v == "" {
				t.Fatalf("tensor %q has no version", name)
			}
			if old, ok := seen[v]; ok {
				again++
				if !slices.Equal(old, x) {
					t.Fatalf("tensor %q: a version stands for two values", name)
				}
			}
			seen[v] = x
		}
	}
	if again == 0 {
		t.Error("no version was met twice")
	}
	a, err := f.Model(fuse.Choice{Method: "ties", Params: map[string]float64{"density": 0.5}, Weights: map[string]fuse.Weight{"dense": {Value: 0.3}}})
	must(t, err)
	b, err := f.Model(fuse.Choice{Method: "ties", Params: map[string]float64{"density": 0.5}, Weights: map[string]fuse.Weight{"dense": {Value: 0.3, Groups: map[string]float64{fuse.Upper: 0.4}}}})
	must(t, err)
	changed := 0
	for _, info := range a.Tensors() {
		group, _ := f.Groups().Of(info.Name)
		same := a.Version(info.Name) == b.Version(info.Name)
		if want := group != fuse.Upper || info.DType.Integer(); same != want {
			t.Errorf("tensor %q of group %s: same version: %v, want %v", info.Name, group, same, want)
		}
		if !same {
			changed++
		}
	}
	if changed == 0 {
		t.Error("nothing changed")
	}
	if other := h.open(t, fuse.Options{}); mustModel(t, other, f.Base()).Version("lm_head.weight") == mustModel(t, f, f.Base()).Version("lm_head.weight") {
		t.Error("two fusers, whose files may differ, give the same version")
	}
	if v := a.Version("nothing"); v != "" {
		t.Errorf("a tensor that is not there has version %q", v)
	}
}

func mustModel(t testing.TB, f *fuse.Fuser, c fuse.Choice) *fuse.Model {
	t.Helper()
	m, err := f.Model(c)
	must(t, err)
	return m
}

func TestDefaultGroups(t *testing.T) {
	h := newHall(t)
	f := h.open(t, fuse.Options{})
	for name, want := range map[string]string{
		"feature_extractor.conv_layers.1.conv.weight": fuse.Front,
		"encoder.layer_norm.weight":                   fuse.Front,
		"encoder.layers.1.attention.q_proj.weight":    fuse.Lower,
		"encoder.layers.2.layer_norm.bias":            fuse.Middle,
		"encoder.layers.3.layer_norm.bias":            fuse.Middle,
		"encoder.layers.4.layer_norm.bias":            fuse.Upper,
		"encoder.layers.5.feed_forward.weight":        fuse.Upper,
		"lm_head.weight":                              fuse.Upper,
	} {
		if got, ok := f.Groups().Of(name); got != want || !ok {
			t.Errorf("%s is of group %q, want %q", name, got, want)
		}
	}
	var infos []checkpoint.Info
	for i := range 12 {
		infos = append(infos, checkpoint.Info{Name: fmt.Sprintf("model.layers.%d.w", i), DType: checkpoint.F32, Shape: []int{1}})
	}
	g, err := fuse.DefaultGroups(append(infos, checkpoint.Info{Name: "embed", DType: checkpoint.F32}), nil)
	must(t, err)
	for name, want := range map[string]string{"model.layers.1.w": fuse.Lower, "model.layers.10.w": fuse.Upper, "model.layers.11.w": fuse.Upper, "model.layers.4.w": fuse.Middle, "embed": fuse.Front} {
		if got, _ := g.Of(name); got != want {
			t.Errorf("of 12 layers, %s is of group %q, want %q", name, got, want)
		}
	}
	for _, n := range []int{0, 1, 2} {
		g, err := fuse.DefaultGroups(append(slices.Clone(infos[:n]), checkpoint.Info{Name: "embed"}), nil)
		must(t, err)
		if len(g) != n+1 {
			t.Errorf("%d layers make groups %v", n, g)
		}
	}
	clash := append(slices.Clone(infos), checkpoint.Info{Name: "model.layers.0.w.extra.model.layers.7.w"})
	if g, err := fuse.DefaultGroups(append(clash, checkpoint.Info{Name: "adapter.model.layers.1.w"}), nil); !errors.Is(err, fuse.ErrChoice) {
		t.Errorf("a name that two groups have passes: %v, %v", g, err)
	}
}

func TestWrongChoices(t *testing.T) {
	h := newHall(t).only("dense", "sparse")
	f := h.open(t, fuse.Options{})
	w := func(v float64) map[string]fuse.Weight { return map[string]fuse.Weight{"dense": {Value: v}} }
	for _, test := range []struct {
		name string
		c    fuse.Choice
		want string
		is   error
	}{
		{"method", fuse.Choice{Method: "linear"}, `method "linear", want one of slerp`, fuse.ErrChoice},
		{"method with statistics", fuse.Choice{Method: "fisher"}, `method "fisher"`, fuse.ErrChoice},
		{"parameter", fuse.Choice{Method: "ties", Params: map[string]float64{"densty": 1}, Weights: w(1)}, `method ties has no parameter "densty"`, fuse.ErrChoice},
		{"parameter without effect", fuse.Choice{Method: "task_arithmetic", Params: map[string]float64{"density": 1}, Weights: w(1)}, `no parameter "density"`, fuse.ErrChoice},
		{"range", fuse.Choice{Method: "ties", Params: map[string]float64{"density": 2}, Weights: w(1)}, "density: got 2, want a number from 0 to 1", fuse.ErrChoice},
		{"flag", fuse.Choice{Method: "ties", Params: map[string]float64{"normalize": 0.5}, Weights: w(1)}, "normalize: got 0.5", fuse.ErrChoice},
		{"word", fuse.Choice{Method: "ties", Params: map[string]float64{"rescale": 2}, Weights: w(1)}, "rescale: got 2", fuse.ErrChoice},
		{"weights of none", fuse.Choice{Method: "model_stock", Weights: w(1)}, "method model_stock has no weights", fuse.ErrChoice},
		{"no weights", fuse.Choice{Method: "ties"}, "parameter weight is missing", mergekit.ErrRecipe},
		{"vector", fuse.Choice{Method: "ties", Weights: map[string]fuse.Weight{"makam": {}}}, `no task vector "makam"; there are dense, sparse`, fuse.ErrChoice},
		{"group", fuse.Choice{Method: "ties", Weights: map[string]fuse.Weight{"dense": {Groups: map[string]float64{"top": 1}}}}, `weights: dense: no group "top"`, fuse.ErrChoice},
		{"NaN", fuse.Choice{Method: "ties", Weights: w(math.NaN())}, "weights: dense: NaN, want a finite number", fuse.ErrChoice},
		{"infinity in a group", fuse.Choice{Method: "ties", Weights: map[string]fuse.Weight{"dense": {Groups: map[string]float64{fuse.Upper: math.Inf(1)}}}}, "+Inf in group upper", fuse.ErrChoice},
		{"too few", fuse.Choice{Method: "nuslerp", Weights: w(1)}, "1 models beside the base, want exactly 2", mergekit.ErrRecipe},
	} {
		t.Run(test.name, func(t *testing.T) {
			if m, err := f.Model(test.c); err == nil || !strings.Contains(err.Error(), test.want) || !errors.Is(err, test.is) {
				t.Errorf("got %v, %v, want an error with %q", m, err, test.want)
			}
		})
	}
	equal(t, mustModel(t, f, f.Expert("dense")), 0) // it still works
}

func TestWrongInputs(t *testing.T) {
	h := newHall(t)
	other := weights(t, shapes(), 99, nil)
	dir := t.TempDir()
	foreign, nameless := filepath.Join(dir, "foreign.safetensors"), filepath.Join(dir, "nameless.safetensors")
	saveVector(t, foreign, weights(t, shapes(), 98, other), other, taskvector.Options{})
	save(t, nameless, other, map[string]string{arithmetic.KindKey: arithmetic.VectorKind})
	small := shapes()
	delete(small, "lm_head.weight")
	less := filepath.Join(dir, "less.safetensors")
	save(t, less, weights(t, small, 3, nil), nil)
	for _, test := range []struct {
		name    string
		vectors map[string]string
		o       fuse.Options
		want    string
	}{
		{"another base", map[string]string{"x": foreign}, fuse.Options{}, "a task vector of another base"},
		{"no base", map[string]string{"x": nameless}, fuse.Options{}, "does not name its base"},
		{"tensors", map[string]string{"x": less}, fuse.Options{}, `tensor "lm_head.weight": not in`},
		{"missing", map[string]string{"x": filepath.Join(dir, "nothing")}, fuse.Options{}, "no such file"},
		{"none", nil, fuse.Options{}, "no task vectors"},
		{"twice", map[string]string{"a": h.vectors["dense"], "b": h.vectors["dense"]}, fuse.Options{}, "is a too"},
		{"the base", map[string]string{"a": h.base + "/"}, fuse.Options{}, "is the base too"},
		{"empty group", h.vectors, fuse.Options{Groups: fuse.Groups{{Name: "a", Filters: []string{"nowhere"}}}}, `group "a" has no tensors`},
		{"group without name", h.vectors, fuse.Options{Groups: fuse.Groups{{Filters: []string{"encoder"}}}}, "empty or taken"},
		{"catch-all first", h.vectors, fuse.Options{Groups: fuse.Groups{{Name: "a"}, {Name: "b", Filters: []string{"encoder"}}}}, "must be the last"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if f, err := fuse.Open(h.base, test.vectors, test.o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v, want an error with %q", f, err, test.want)
			}
		})
	}
}

// TestGroupsOfOnesOwn: filters overlap, and the first group that has a tensor keeps it.
func TestGroupsOfOnesOwn(t *testing.T) {
	h := newHall(t).only("dense", "bf16")
	f := h.open(t, fuse.Options{Groups: fuse.Groups{{Name: "first", Filters: []string{"layers.0"}}, {Name: "attention", Filters: []string{"q_proj", "layers.0"}}}})
	c := fuse.Choice{Method: "task_arithmetic", Weights: map[string]fuse.Weight{"dense": {Value: 0.5, Groups: map[string]float64{"attention": 0}}}}
	m := mustModel(t, f, c)
	equal(t, m, 0)
	uniform := mustModel(t, f, fuse.Choice{Method: "task_arithmetic", Weights: map[string]fuse.Weight{"dense": {Value: 0.5}}})
	base := mustModel(t, f, f.Base())
	for name, of := range map[string]*fuse.Model{
		"encoder.layers.0.attention.q_proj.weight": uniform, "encoder.layers.1.attention.q_proj.weight": base, "encoder.layers.1.layer_norm.bias": uniform,
	} {
		if m.Version(name) != of.Version(name) {
			t.Errorf("%s has not the coefficient of its group", name)
		}
	}
}

func TestRecipeIsStable(t *testing.T) {
	t.Chdir(t.TempDir())
	h := newHall(t).only("dense", "sparse")
	for from, to := range map[string]string{h.base: "base", h.vectors["dense"]: `ma"kam: #1`, h.vectors["sparse"]: "vectors"} {
		must(t, os.Rename(from, to))
	}
	h = hall{"base", map[string]string{"dense": `./ma"kam: #1`, "sparse": "vectors"}}
	must(t, os.Rename(`ma"kam: #1`, `ma"kam: #1.safetensors`))
	must(t, os.Rename("vectors", "vectors.safetensors"))
	h.vectors = map[string]string{"dense": `./ma"kam: #1.safetensors`, "sparse": "vectors.safetensors"}
	f := h.open(t, fuse.Options{Seed: 3})
	m := mustModel(t, f, fuse.Choice{Method: "dare_ties", Params: map[string]float64{"density": 1e-5, "rescale": 2, "normalize": 1},
		Weights: map[string]fuse.Weight{"dense": {Value: -0.0}, "sparse": {Value: 0.25, Groups: map[string]float64{fuse.Lower: 1}}}})
	equal(t, m, 3)
	want := `# syncretic merge RECIPE OUT --seed 3
merge_method: dare_ties
base_model: "base"
models:
  - model: "./ma\"kam: #1.safetensors"
    parameters:
      weight: 0
  - model: "vectors.safetensors"
    parameters:
      weight:
        - {filter: "encoder.layers.0.", value: 1}
        - {filter: "encoder.layers.1.", value: 1}
        - {filter: "encoder.layers.2.", value: 0.25}
        - {filter: "encoder.layers.3.", value: 0.25}
        - {filter: "encoder.layers.4.", value: 0.25}
        - {filter: "encoder.layers.5.", value: 0.25}
        - {filter: "lm_head.weight", value: 0.25}
        - {value: 0.25}
parameters:
  density: 1.0e-05
  normalize: true
  rescale: "probability"
dtype: float32
`
	if !bytes.Equal(m.Recipe(), []byte(want)) {
		t.Errorf("got\n%s\nwant\n%s", m.Recipe(), want)
	}
}

// TestFilesThatChange: files that are cut short while they are mapped are an error, also where kernels read them as they lie.
func TestFilesThatChange(t *testing.T) {
	big := map[string][]int{"w": {512, 512}}
	base := weights(t, big, 1, nil)
	for _, part := range []string{"base", "f32", "bf16", "tuned"} {
		dir := t.TempDir()
		h := hall{filepath.Join(dir, "base.safetensors"), map[string]string{}}
		save(t, h.base, base, nil)
		for name, o := range map[string]taskvector.Options{"f32": {}, "bf16": {DType: checkpoint.BF16}} {
			h.vectors[name] = filepath.Join(dir, name+".safetensors")
			saveVector(t, h.vectors[name], weights(t, big, 2, base), base, o)
		}
		h.vectors["tuned"] = filepath.Join(dir, "tuned.safetensors")
		save(t, h.vectors["tuned"], weights(t, big, 3, base), nil)
		f := h.open(t, fuse.Options{})
		m := mustModel(t, f, fuse.Choice{Method: "task_arithmetic", Weights: map[string]fuse.Weight{"f32": {Value: 0.1}, "bf16": {Value: 0.2}, "tuned": {Value: 0.3}}})
		equal(t, m, 0)
		path := h.vectors[part]
		if part == "base" {
			path = h.base
		}
		must(t, os.Truncate(path, 8192))
		if _, err := checkpoint.ReadAll(m, "w"); runtime.GOOS == "linux" && !errors.Is(err, checkpoint.ErrInvalid) {
			t.Errorf("%s was cut short: got %v, want ErrInvalid", part, err)
		}
	}
}
