package mert

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op"
)

// last is the output of a forward pass.
func last(o *Output) []float32 { return values(o.Hidden[len(o.Hidden)-1]) }

func forward(t *testing.T, e *Encoder, in Input) *Output {
	t.Helper()
	out, err := e.Forward(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestForwardErrors(t *testing.T) {
	e := newTiny(t, 1)
	unmasked := tiny()
	unmasked.MaskTimeProb = 0
	bare, err := New(unmasked, 1)
	if err != nil {
		t.Fatal(err)
	}
	x := noise(800, 1)
	cases := []struct {
		name string
		e    *Encoder
		in   Input
		want string
	}{
		{"no clips", e, Input{Samples: x}, "800 samples in 0 clips"},
		{"no samples", e, Input{Clips: 1}, "0 samples in 1 clips"},
		{"unequal", e, Input{Samples: x, Clips: 3}, "800 samples in 3 clips"},
		{"short", e, Input{Samples: x[:50], Clips: 2}, "clip of 25 samples, want at least 30"},
		{"mask", e, Input{Samples: x, Clips: 2, Mask: make([]bool, 20)}, "mask of 20 frames, want 2 clips of 19"},
		{"no embedding", bare, Input{Samples: x, Clips: 2, Mask: make([]bool, 38)}, "masked_spec_embed"},
		{"extra", e, Input{Samples: x, Clips: 2, Extra: make([]float32, 5)}, "extra input of 5 values, want 0"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.e.Forward(c.in)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want an ErrInvalid with %q", err, c.want)
			}
		})
	}
}

// TestBatchIsClipByClip: clips of a batch do not see each other.
func TestBatchIsClipByClip(t *testing.T) {
	e := newTiny(t, 2)
	x := noise(1200, 2)
	all := last(forward(t, e, Input{Samples: x, Clips: 3}))
	for clip := range 3 {
		one := last(forward(t, e, Input{Samples: x[clip*400 : (clip+1)*400], Clips: 1}))
		if d := furthest(all[clip*len(one):(clip+1)*len(one)], one); d > 1e-6 {
			t.Errorf("clip %d in a batch: off by %.2g", clip, d)
		}
	}
}

// TestInferenceEqualsForward: on raw audio both are the same function.
func TestInferenceEqualsForward(t *testing.T) {
	e := newTiny(t, 3)
	if err := e.SetPreprocessor([]byte(`{"do_normalize": false}`)); err != nil {
		t.Fatal(err)
	}
	x := noise(4000, 3)
	states, err := e.HiddenStates(x)
	if err != nil {
		t.Fatal(err)
	}
	out := forward(t, e, Input{Samples: x, Clips: 1})
	for layer, h := range out.Hidden {
		if d := furthest(states[layer], values(h)); d > 1e-5 {
			t.Errorf("hidden state %d: off by %.2g", layer, d)
		}
	}
}

func TestDropoutFollowsTheSeed(t *testing.T) {
	c := tiny()
	c.LayerDrop = 0.3
	e, err := New(c, 4)
	if err != nil {
		t.Fatal(err)
	}
	x := noise(400, 4)
	run := func(train bool, seed uint64) []float32 {
		return slices.Clone(last(forward(t, e, Input{Samples: x, Clips: 1, Train: train, Seed: seed})))
	}
	if !slices.Equal(run(true, 1), run(true, 1)) {
		t.Error("the same seed gave other values")
	}
	if slices.Equal(run(true, 1), run(true, 2)) {
		t.Error("two seeds gave the same values")
	}
	if !slices.Equal(run(false, 1), run(false, 2)) {
		t.Error("the seed changed a pass without dropout")
	}
}

// TestLayerDrop: skipped layers pass their input on and get no gradient; the share of them follows the probability.
func TestLayerDrop(t *testing.T) {
	c := tiny()
	c.LayerDrop = 0.4
	c.HiddenDropout, c.ActivationDropout, c.AttentionDropout, c.FeatProjDropout = 0, 0, 0, 0
	e, err := New(c, 5)
	if err != nil {
		t.Fatal(err)
	}
	x := noise(100, 5)
	skipped, total := 0, 0
	for seed := range uint64(200) {
		out := forward(t, e, Input{Samples: x, Clips: 1, Train: true, Seed: seed})
		if len(out.Hidden) != c.NumHiddenLayers+1 {
			t.Fatalf("seed %d: %d hidden states", seed, len(out.Hidden))
		}
		for i := 1; i < len(out.Hidden); i++ {
			total++
			if slices.Equal(values(out.Hidden[i]), values(out.Hidden[i-1])) {
				skipped++
			}
		}
	}
	// 600 draws of probability 0.4: standard deviation 12; five of them.
	if skipped < 180 || skipped > 300 {
		t.Errorf("%d of %d layers skipped, want about 240", skipped, total)
	}
}

// TestFeatureGradMult: the front-end's gradients scale, those behind it stay.
func TestFeatureGradMult(t *testing.T) {
	grads := func(mult float32) map[string][]float32 {
		e := newTiny(t, 6)
		out := forward(t, e, Input{Samples: noise(400, 6), Clips: 1, FeatureGradMult: mult})
		if err := ag.Backward(op.MeanSquare(out.Hidden[0])); err != nil {
			t.Fatal(err)
		}
		all := map[string][]float32{}
		for _, p := range e.Params() {
			if p.Value.HasGrad() {
				all[p.Name] = values(p.Value.Grad())
			}
		}
		return all
	}
	full, tenth := grads(0), grads(0.1)
	if len(full) != len(tenth) || len(full) < 10 {
		t.Fatalf("%d and %d gradients", len(full), len(tenth))
	}
	for name, g := range full {
		want := slices.Clone(g)
		if strings.HasPrefix(name, "feature_extractor.") {
			for i := range want {
				want[i] *= 0.1
			}
		}
		if d := furthest(tenth[name], want); d > 1e-6 {
			t.Errorf("%s: off by %.2g", name, d)
		}
	}
}

// TestFrozenParametersStayOut: without RequiresGrad a parameter gets no gradient and those before it still do.
func TestFrozenParametersStayOut(t *testing.T) {
	e := newTiny(t, 7)
	for _, p := range e.Params() {
		if strings.HasPrefix(p.Name, "encoder.layers.") {
			p.Value.SetRequiresGrad(false)
		}
	}
	out := forward(t, e, Input{Samples: noise(400, 7), Clips: 1, Mask: make([]bool, 19)})
	if err := ag.Backward(op.WeightedSum([]float32{1, 10}, op.MeanSquare(out.Hidden[3]), op.MeanSquare(out.Conv))); err != nil {
		t.Fatal(err)
	}
	for _, p := range e.Params() {
		frozen := strings.HasPrefix(p.Name, "encoder.layers.")
		if p.Value.HasGrad() == frozen {
			t.Errorf("%s: frozen %t, has a gradient %t", p.Name, frozen, p.Value.HasGrad())
		}
	}
}

// TestMaskedFramesForget: what was under a mask does not reach the output other than through the front-end.
func TestMaskedFramesForget(t *testing.T) {
	e := newTiny(t, 8)
	mask := slices.Repeat([]bool{true}, 19)
	a := last(forward(t, e, Input{Samples: noise(400, 8), Clips: 1, Mask: mask}))
	b := last(forward(t, e, Input{Samples: noise(400, 9), Clips: 1, Mask: mask}))
	if !slices.Equal(a, b) {
		t.Error("everything is masked, and yet the output depends on the input")
	}
}

// TestParamsUpdateTheEncoder: parameters and weights are the same memory.
func TestParamsUpdateTheEncoder(t *testing.T) {
	e := newTiny(t, 9)
	p := e.Params()[0]
	mat.Data[float32](p.Value.Value())[0] = 42
	got := make([]float32, 1)
	if err := e.Read(p.Name, 0, got); err != nil || got[0] != 42 {
		t.Errorf("%v %v, want the 42 that was written through the parameter", got, err)
	}
}
