package mert

import (
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint"
)

// withConfig is a golden's encoder under a changed configuration.
func withConfig(t *testing.T, g golden, edit func(*Config)) *Encoder {
	t.Helper()
	c := g.enc.Config()
	edit(&c)
	e, err := Load(c, g.enc)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestDeepNormMatters: the parity tests tell scaled residuals from plain ones, and the depth that sets the scale.
func TestDeepNormMatters(t *testing.T) {
	g := readGolden(t, "deepnorm")
	plain := withConfig(t, g, func(c *Config) { c.DeepNorm = false })
	out := forward(t, plain, Input{Samples: g.expect["input"], Clips: g.clips, Mask: g.mask})
	if d := furthest(values(out.Hidden[1]), g.state(t, 1)); d < 0.1 {
		t.Errorf("without deepnorm the first layer is off by only %.2g", d)
	}
	if got, want := g.enc.cfg.residualScale(), math.Pow(6, 0.25); got != want {
		t.Errorf("three layers: residuals scaled by %g, want %g", got, want)
	}
}

// TestAttentionRelaxHasNoEffect: that the definition agrees is in the goldens; here the key changes no bit.
func TestAttentionRelaxHasNoEffect(t *testing.T) {
	for _, name := range []string{"deepnorm_relaxed", "deep"} {
		g := readGolden(t, name)
		if g.enc.cfg.AttentionRelax != 32 {
			t.Errorf("%s: attention_relax %g, want the golden's 32", name, g.enc.cfg.AttentionRelax)
		}
		in := Input{Samples: g.expect["input"], Clips: g.clips, Mask: g.mask}
		without := withConfig(t, g, func(c *Config) { c.AttentionRelax = -1 })
		if !slices.Equal(last(forward(t, g.enc, in)), last(forward(t, without, in))) {
			t.Errorf("%s: attention_relax changed the output", name)
		}
	}
}

// TestDeepNormInitialisation: the four kinds of weights are the plain ones over (8N)^¼, all others are the same.
func TestDeepNormInitialisation(t *testing.T) {
	c := tiny()
	c.DeepNorm = true
	deep, err := New(c, 3)
	if err != nil {
		t.Fatal(err)
	}
	plain := newTiny(t, 3)
	scaled := regexp.MustCompile(`layers\.\d+\.(attention\.(v|out)_proj|feed_forward\.(intermediate|output)_dense)\.weight$`)
	by, count := math.Pow(8*3, 0.25), 0
	for i, w := range plain.table {
		want := slices.Clone(plain.data[i])
		if scaled.MatchString(w.name) {
			count++
			for j := range want {
				want[j] = float32(float64(want[j]) / by)
			}
		}
		if d := furthest(deep.data[i], want); d > 1e-8 { // one rounding of values up to 0.1
			t.Errorf("%s: off by %.2g", w.name, d)
		}
	}
	if count != 4*3 {
		t.Errorf("%d tensors are scaled, want 4 a layer", count)
	}
}

// TestDeepNormDirectory: config.json keeps the key, and the weights are those of the plain encoder of that size.
func TestDeepNormDirectory(t *testing.T) {
	c := tiny()
	c.DeepNorm = true
	e, err := New(c, 4)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "model")
	if err := checkpoint.Write(t.Context(), dir, e, checkpoint.WriteOptions{SideFiles: e.SideFiles()}); err != nil {
		t.Fatal(err)
	}
	got, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	sameWeights(t, got, e)
	if !got.cfg.DeepNorm || !strings.Contains(string(got.cfg.JSON()), `"deepnorm": true`) {
		t.Error("deepnorm was lost")
	}
}
