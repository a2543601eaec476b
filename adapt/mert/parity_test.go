package mert

import (
	"strings"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
)

// parity is the largest absolute difference allowed between a hidden state and transformers' own. States are of order 1
// (post-LN) to 10 (pre-LN) and float32 resolves 1e-6 at 10.
const parity = 2e-5

// TestHiddenStatesEqualTransformers: inference, one clip at a time, on every golden without a mask.
func TestHiddenStatesEqualTransformers(t *testing.T) {
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			g := readGolden(t, name)
			if g.mask != nil {
				g.testForward(t)
				return
			}
			input := g.expect["input"]
			samples := len(input) / g.clips
			for clip := range g.clips {
				states, err := g.enc.HiddenStates(input[clip*samples : (clip+1)*samples])
				if err != nil {
					t.Fatal(err)
				}
				for layer, got := range states {
					n := len(got)
					want := g.state(t, layer)[clip*n : (clip+1)*n]
					if d := furthest(got, want); d > parity {
						t.Errorf("clip %d, hidden state %d: off by %.2g, want at most %g", clip, layer, d, parity)
					}
				}
			}
		})
	}
}

// TestForwardEqualsTransformers: the training graph over the whole batch, without dropout, masks included.
func TestForwardEqualsTransformers(t *testing.T) {
	for _, name := range cases {
		if name == "normalised" {
			continue // training takes raw audio
		}
		t.Run(name, func(t *testing.T) { readGolden(t, name).testForward(t) })
	}
}

func (g golden) testForward(t *testing.T) *Output {
	t.Helper()
	out, err := g.enc.Forward(Input{Samples: g.expect["input"], Clips: g.clips, Mask: g.mask})
	if err != nil {
		t.Fatal(err)
	}
	if want := g.enc.Config().NumHiddenLayers + 1; len(out.Hidden) != want {
		t.Fatalf("%d hidden states, want %d", len(out.Hidden), want)
	}
	for layer, h := range out.Hidden {
		d := furthest(values(h), g.state(t, layer))
		t.Logf("hidden state %d: off by %.2g", layer, d)
		if d > parity {
			t.Errorf("hidden state %d: off by %.2g, want at most %g", layer, d, parity)
		}
	}
	return out
}

// TestGradientsEqualPyTorch: every parameter's gradient of a fixed linear loss over the output against autograd.
func TestGradientsEqualPyTorch(t *testing.T) {
	const tolerance = 2e-5 // of the largest value of that gradient, at least 1
	for _, name := range []string{"gradients", "post_layer", "pre_group", "pre_layer", "biases", "deepnorm", "deepnorm_relaxed", "deep"} {
		t.Run(name, func(t *testing.T) {
			g := readGolden(t, name)
			out := g.testForward(t)
			last := out.Hidden[len(out.Hidden)-1]
			shape := last.Value().Shape()
			last.AccGrad(mat.NewDense[float32](mat.WithShape(shape...), mat.WithBacking(g.expect["loss.weights"])))
			if err := ag.Backward(last); err != nil {
				t.Fatal(err)
			}
			checked, worst := 0, 0.0
			for _, p := range g.enc.Params() {
				want, ok := g.expect["grad."+p.Name]
				if !ok {
					if p.Value.HasGrad() {
						t.Errorf("%s has a gradient, autograd has none", p.Name)
					}
					continue
				}
				checked++
				largest := 1.0
				for _, v := range want {
					largest = max(largest, float64(v), -float64(v))
				}
				if !p.Value.HasGrad() {
					t.Errorf("%s has no gradient", p.Name)
					continue
				}
				d := furthest(values(p.Value.Grad()), want) / largest
				worst = max(worst, d)
				if d > tolerance {
					t.Errorf("%s: gradient off by %.2g of %.3g, want at most %g of it", p.Name, d, largest, tolerance)
				}
			}
			t.Logf("%d gradients, off by at most %.2g", checked, worst)
			goldens := 0
			for key := range g.expect {
				if strings.HasPrefix(key, "grad.") {
					goldens++
				}
			}
			if checked != goldens || checked < 27 {
				t.Errorf("%d gradients checked of %d goldens, want all and at least 27", checked, goldens)
			}
		})
	}
}
