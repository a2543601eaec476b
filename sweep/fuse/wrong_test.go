package fuse_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"syncretic/arithmetic"
	"syncretic/arithmetic/mergekit"
	"syncretic/arithmetic/taskvector"
	"syncretic/checkpoint"
	"syncretic/sweep/fuse"
)

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
