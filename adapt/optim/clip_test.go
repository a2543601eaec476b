package optim

import (
	"fmt"
	"math"
	"testing"
)

func TestClipGradNormGolden(t *testing.T) {
	for i, c := range readGolden(t).Clip {
		var params []Param
		for _, n := range names {
			p := newParam(n, make([]float32, len(c.Before[n]))...)
			setGrad(p, c.Before[n]...)
			params = append(params, p)
		}
		norm := ClipGradNorm(params, c.Max)
		if math.Abs(norm-c.Norm) > 1e-6*c.Norm {
			t.Errorf("clip %d: norm %v, want %v", i, norm, c.Norm)
		}
		for _, p := range params {
			near(t, fmt.Sprintf("clip %d: %s", i, p.Name), gradOf(p), c.After[p.Name])
		}
	}
}

func TestClipGradNorm(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, test := range []struct {
		name  string
		grad  []float32
		max   float64
		norm  float64
		after []float32
	}{
		{"below the limit", []float32{3, 4}, 6, 5, []float32{3, 4}},
		{"above the limit", []float32{30, 40}, 5, 50, []float32{3, 4}},
		{"max 0 measures", []float32{3, 4}, 0, 5, []float32{3, 4}},
		{"max Inf measures", []float32{3, 4}, math.Inf(1), 5, []float32{3, 4}},
		{"NaN", []float32{3, nan, 4}, 1, math.NaN(), []float32{3, nan, 4}},
		{"Inf", []float32{3, -inf, 4}, 1, math.Inf(1), []float32{3, -inf, 4}},
		{"squares beyond float32", []float32{3e30, 4e30}, 0, 5e30, []float32{3e30, 4e30}},
		{"zeros", []float32{0, 0, 0, 0, 0}, 1, 0, []float32{0, 0, 0, 0, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newParam("p", test.grad...)
			setGrad(p, test.grad...)
			norm := ClipGradNorm([]Param{p}, test.max)
			if fmt.Sprintf("%.6g", norm) != fmt.Sprintf("%.6g", test.norm) {
				t.Errorf("norm %v, want %v", norm, test.norm)
			}
			if got, want := fmt.Sprintf("%.6g", gradOf(p)), fmt.Sprintf("%.6g", test.after); got != want {
				t.Errorf("gradient %s, want %s", got, want)
			}
		})
	}
}

func TestClipGradNormWithoutGradients(t *testing.T) {
	if norm := ClipGradNorm([]Param{newParam("p", 1)}, 1); norm != 0 {
		t.Errorf("norm %v, want 0", norm)
	}
	if norm := ClipGradNorm(nil, 1); norm != 0 {
		t.Errorf("norm of nothing %v, want 0", norm)
	}
}

func TestClipGradNormPanics(t *testing.T) {
	for _, limit := range []float64{-1, math.NaN()} {
		func() {
			defer func() {
				if got, want := fmt.Sprint(recover()), fmt.Sprintf("optim: ClipGradNorm: max is %v, want 0 or more", limit); got != want {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			ClipGradNorm(nil, limit)
		}()
	}
}

func TestZeroGrad(t *testing.T) {
	p, fresh := newParam("p", 1, 2), newParam("fresh", 3)
	setGrad(p, 5, float32(math.NaN()))
	buffer := &gradOf(p)[0]
	ZeroGrad([]Param{p, fresh})
	if g := gradOf(p); g[0] != 0 || g[1] != 0 || &g[0] != buffer {
		t.Errorf("gradient %v, want zeros in the same memory", g)
	}
	if fresh.Value.HasGrad() {
		t.Error("ZeroGrad gave a gradient to a parameter without one")
	}
}
