package mert

import (
	"math"
	"slices"
	"testing"
)

// TestDropoutPlaces: each of the config's probabilities drops what transformers drops, alone, and scales the rest by
// 1/(1-p). The encoder is pre-LN, so that a layer's output is its input plus two branches, on a clip of one frame, so that
// attention is certain; weights are set so that the dropped values are the branch themselves.
func TestDropoutPlaces(t *testing.T) {
	const p, hidden = 0.25, 16
	const layer = "encoder.layers.0."
	fill := func(e *Encoder, name string, value func(i int) float32) {
		for i := range e.weight(name) {
			e.weight(name)[i] = value(i)
		}
	}
	zero := func(int) float32 { return 0 }
	ramp := func(i int) float32 { return float32(i+1) / 8 }
	set := func(e *Encoder, name string, weight, bias func(int) float32) {
		fill(e, layer+name+".weight", weight)
		fill(e, layer+name+".bias", bias)
	}
	// square takes the first columns of its input as they are: [hidden][columns].
	square := func(columns int) func(int) float32 {
		return func(i int) float32 {
			if i/columns == i%columns {
				return 1
			}
			return 0
		}
	}
	for _, c := range []struct {
		name   string
		config func(*Config)
		weight func(*Encoder)
		branch bool // what is dropped is the layer's output less its input, not its input
		unit   int  // neighbours that are dropped together
	}{
		{"feat_proj_dropout", func(c *Config) { c.FeatProjDropout = p }, func(*Encoder) {}, false, 1},
		{"hidden_dropout before the layers", func(c *Config) { c.HiddenDropout = p }, func(*Encoder) {}, false, 1},
		{"attention_dropout", func(c *Config) { c.AttentionDropout = p }, func(e *Encoder) {
			set(e, "attention.out_proj", square(hidden), zero)
			set(e, "feed_forward.output_dense", zero, zero)
		}, true, hidden / 2},
		{"hidden_dropout after attention", func(c *Config) { c.HiddenDropout = p }, func(e *Encoder) {
			set(e, "attention.v_proj", zero, zero)
			set(e, "attention.out_proj", zero, ramp)
			set(e, "feed_forward.output_dense", zero, zero)
		}, true, 1},
		{"activation_dropout", func(c *Config) { c.ActivationDropout = p }, func(e *Encoder) {
			set(e, "attention.out_proj", zero, zero)
			set(e, "feed_forward.intermediate_dense", zero, ramp)
			set(e, "feed_forward.output_dense", square(32), zero)
		}, true, 1},
		{"hidden_dropout after the feed-forward network", func(c *Config) { c.HiddenDropout = p }, func(e *Encoder) {
			set(e, "attention.out_proj", zero, zero)
			set(e, "feed_forward.output_dense", zero, ramp)
		}, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := tiny()
			cfg.DoStableLayerNorm, cfg.InitializerRange = true, 0.5
			cfg.HiddenDropout, cfg.ActivationDropout, cfg.AttentionDropout, cfg.FeatProjDropout, cfg.LayerDrop = 0, 0, 0, 0, 0
			c.config(&cfg)
			e, err := New(cfg, 1)
			if err != nil {
				t.Fatal(err)
			}
			fill(e, "encoder.pos_conv_embed.conv."+gainName, zero) // the layers see the projection alone
			c.weight(e)
			run := func(train bool, seed uint64) []float32 {
				out := forward(t, e, Input{Samples: noise(30, 1), Clips: 1, Train: train, Seed: seed})
				x := slices.Clone(values(out.Hidden[0]))
				if c.branch {
					for i, v := range values(out.Hidden[1]) {
						x[i] = v - x[i]
					}
				}
				return x
			}
			whole := run(false, 0)
			const seeds = 100
			dropped := 0
			for seed := range uint64(seeds) {
				got := run(true, seed)
				for at := 0; at < hidden; at += c.unit {
					zeros := 0
					for i := at; i < at+c.unit; i++ {
						if math.Abs(float64(got[i])) < 1e-6 {
							zeros++
						} else if want := float64(whole[i]) / (1 - p); math.Abs(float64(got[i])-want) > 2e-6*(1+math.Abs(want)) {
							t.Fatalf("seed %d, value %d: %g, want 0 or %g", seed, i, got[i], want)
						}
					}
					if zeros != 0 && zeros != c.unit {
						t.Fatalf("seed %d: %d of the %d values from %d on are dropped, want all or none", seed, zeros, c.unit, at)
					}
					dropped += min(zeros, 1)
				}
			}
			n := float64(seeds * hidden / c.unit)
			if d := math.Abs(float64(dropped) - p*n); d > 5*math.Sqrt(n*p*(1-p)) {
				t.Errorf("%d of %g dropped, want about %g", dropped, n, p*n)
			}
		})
	}
}
