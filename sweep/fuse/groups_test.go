package fuse_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"syncretic/checkpoint"
	"syncretic/sweep/fuse"
)

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
