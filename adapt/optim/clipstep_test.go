package optim

import (
	"fmt"
	"math"
	"testing"
)

// clipParams returns two parameters of several blocks, a frozen one and one
// without a gradient.
func clipParams() []Param {
	params := append(twoParams(), newParam("frozen", 1, 2), newParam("fresh", 3))
	setGrad(params[2], 7, 8)
	params[2].Value.SetRequiresGrad(false)
	return params
}

// ClipStep gives the bits of the three calls that it joins.
func TestClipStep(t *testing.T) {
	for _, variant := range []Variant{PyTorch, Fairseq} {
		for _, limit := range []float64{0, 0.5, 20, 1e9, math.Inf(1)} {
			t.Run(fmt.Sprint(variant, " ", limit), func(t *testing.T) {
				cfg := AdamWConfig{WeightDecay: 0.01, Variant: variant}
				joined, apart := clipParams(), clipParams()
				a, b := NewAdamW(cfg, joined), NewAdamW(cfg, apart)
				for s := range 4 {
					for i := range 2 {
						grad := filled(len(valueOf(joined[i])), 10*s+i)
						ZeroGrad(joined[i : i+1])
						setGrad(joined[i], grad...)
						setGrad(apart[i], grad...)
					}
					got := a.ClipStep(0.01, limit)
					want := ClipGradNorm(apart, limit)
					b.Step(0.01)
					ZeroGrad(apart)
					if got != want || !(want > 20 && want < 1e9) {
						t.Errorf("step %d: norm %v, want %v, and between the limits", s, got, want)
					}
					for i, p := range joined {
						if !sameBits(valueOf(p), valueOf(apart[i])) {
							t.Errorf("step %d: %s: other values", s, p.Name)
						}
						if p.Value.HasGrad() && !sameBits(gradOf(p), gradOf(apart[i])) {
							t.Errorf("step %d: %s: other gradients", s, p.Name)
						}
					}
				}
				for i, s := range a.State() {
					if w := b.State()[i]; s.Name != w.Name || s.Step != 4 || !sameBits(s.M, w.M) || !sameBits(s.V, w.V) {
						t.Errorf("%s: other moments", s.Name)
					}
				}
				if g := gradOf(joined[2]); g[0] != 7 || joined[3].Value.HasGrad() {
					t.Error("a parameter that is skipped got another gradient")
				}
			})
		}
	}
}

// Where the norm is no number nothing changes, and no step is counted.
func TestClipStepNotFinite(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		params := twoParams()
		opt := NewAdamW(AdamWConfig{WeightDecay: 0.01}, params)
		for i, p := range params {
			setGrad(p, filled(len(valueOf(p)), i)...)
		}
		opt.ClipStep(0.1, 1)
		grad := filled(len(valueOf(params[0])), 5)
		grad[blockSize+1] = float32(bad)
		setGrad(params[0], grad...)
		var want [3][]float32
		for k, x := range [][]float32{valueOf(params[0]), opt.State()[0].M, opt.State()[0].V} {
			want[k] = append([]float32(nil), x...)
		}
		if norm := opt.ClipStep(0.1, 1); !math.IsNaN(norm) && !math.IsInf(norm, 1) || math.IsNaN(norm) != math.IsNaN(bad) {
			t.Errorf("norm %v of a gradient with %v", norm, bad)
		}
		s := opt.State()[0]
		if s.Step != 1 || !sameBits(valueOf(params[0]), want[0]) || !sameBits(s.M, want[1]) || !sameBits(s.V, want[2]) || !sameBits(gradOf(params[0]), grad) {
			t.Errorf("a gradient with %v changed the parameter, its gradient or its state", bad)
		}
	}
}

func TestClipStepPanics(t *testing.T) {
	for _, limit := range []float64{-1, math.NaN()} {
		func() {
			defer func() {
				if got, want := fmt.Sprint(recover()), fmt.Sprintf("optim: ClipStep: max is %v, want 0 or more", limit); got != want {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			NewAdamW(AdamWConfig{}, nil).ClipStep(1, limit)
		}()
	}
}
