package fuse_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
			switch m.Max {
			case 1:
				h = h.only("dense")
			case 2:
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
		var tau checkpoint.Source
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
		Weights: map[string]fuse.Weight{"dense": {Value: math.Copysign(0, -1)}, "sparse": {Value: 0.25, Groups: map[string]float64{fuse.Lower: 1}}}})
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

// TestTogether: many models are made and read at once, by methods that share what they find.
func TestTogether(t *testing.T) {
	h := newHall(t).only("dense", "sparse", "tuned")
	f := h.open(t, fuse.Options{Memory: 1})
	choice := func(i int) fuse.Choice {
		return fuse.Choice{Method: []string{"ties", "dare_linear", "task_arithmetic"}[i%3], Params: map[string]float64{"lambda": float64(1 + i%5)},
			Weights: map[string]fuse.Weight{"dense": {Value: 1}, "tuned": {Value: 0.5}}}
	}
	var wg sync.WaitGroup
	models, values := make([]*fuse.Model, 30), make([][]float32, 30)
	errs := make([]error, len(models))
	for i := range models {
		wg.Go(func() {
			if models[i], errs[i] = f.Model(choice(i)); errs[i] == nil {
				values[i], errs[i] = checkpoint.ReadAll(models[i], "encoder.layers.3.feed_forward.weight")
			}
		})
	}
	wg.Wait()
	for i, m := range models {
		must(t, errs[i])
		want, err := checkpoint.ReadAll(merged(t, m.Recipe(), 0), "encoder.layers.3.feed_forward.weight")
		must(t, err)
		if !slices.Equal(values[i], want) {
			t.Errorf("model %d is another one than its recipe makes", i)
		}
	}
}
