package mert

import (
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"syncretic/adapt/op"
)

func noise(n int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64() * 0.2)
	}
	return x
}

// TestFeaturesAreMeans: of the hidden states over the frames.
func TestFeaturesAreMeans(t *testing.T) {
	g := readGolden(t, "long")
	samples := g.expect["input"]
	states, err := g.enc.HiddenStates(samples)
	if err != nil {
		t.Fatal(err)
	}
	features, err := g.enc.Features(samples)
	if err != nil {
		t.Fatal(err)
	}
	dim := g.enc.Config().HiddenSize
	if len(features) != len(states) {
		t.Fatalf("%d layers, want %d", len(features), len(states))
	}
	for layer, h := range states {
		want := make([]float32, dim)
		for i := range dim {
			sum := 0.0
			for t := i; t < len(h); t += dim {
				sum += float64(h[t])
			}
			want[i] = float32(sum / float64(len(h)/dim))
		}
		if d := furthest(features[layer], want); d > 1e-7 {
			t.Errorf("layer %d: off by %.2g", layer, d)
		}
	}
}

// TestPiecesDoNotShow: the front-end in pieces gives what one convolution over the whole clip gives, for both norms.
func TestPiecesDoNotShow(t *testing.T) {
	for _, norm := range []string{"group", "layer"} {
		c := tiny()
		c.FeatExtractNorm, c.ConvBias = norm, true
		e, err := New(c, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, frames := range []int{1, pieceFrames, pieceFrames + 1, 3*pieceFrames - 1} {
			samples := noise(c.ReceptiveField()+(frames-1)*c.Hop()+3, 4)
			p := &pass{cfg: &e.cfg, m: e.eval.Load(), clips: 1}
			whole := values(p.front(op.Tensor(len(samples), 1, samples)))
			if d := furthest(values(p.frontInPieces(samples)), whole); d > 5e-6 {
				t.Errorf("%s norm, %d frames: off by %.2g", norm, frames, d)
			}
		}
	}
}

// TestFoldedNorm: the first convolution, its norm and GELU against their definition in float64, on audio that makes a
// GroupNorm in float32 hard: an offset, silence, a very quiet tone, a quiet tone far off zero.
func TestFoldedNorm(t *testing.T) {
	g := readGolden(t, "normalised") // it has convolution biases
	tone := make([]float32, 1000)
	for i := range tone {
		tone[i] = float32(math.Sin(float64(i) * 0.3))
	}
	scaled := func(gain, offset float32) []float32 {
		x := slices.Clone(tone)
		for i := range x {
			x[i] = gain*x[i] + offset
		}
		return x
	}
	for name, samples := range map[string][]float32{
		"tone": tone, "offset": scaled(0.5, 0.3), "quiet": scaled(1e-4, 0), "silence": make([]float32, 1000),
		"constant": scaled(0, 0.5), "quiet and far": scaled(1e-3, 0.5),
	} {
		p, x := (&pass{cfg: &g.enc.cfg, m: g.enc.eval.Load(), clips: 1}).withFoldedNorm(samples)
		got := values(p.conv(op.Tensor(len(x), 1, x), 0))
		if d := furthest(got, firstLayer(g.enc, samples)); d > 5e-6 {
			t.Errorf("%s: off by %.2g", name, d)
		}
	}
}

// firstLayer is convolution 0 with bias, GroupNorm and GELU as they are defined, in float64.
func firstLayer(e *Encoder, x []float32) []float32 {
	const name = "feature_extractor.conv_layers.0."
	w, b := e.weight(name+"conv.weight"), e.weight(name+"conv.bias")
	gamma, beta := e.weight(name+"layer_norm.weight"), e.weight(name+"layer_norm.bias")
	taps, stride := e.cfg.ConvKernel[0], e.cfg.ConvStride[0]
	rows, channels := (len(x)-taps)/stride+1, len(gamma)
	out := make([]float32, rows*channels)
	y := make([]float64, rows)
	for c := range channels {
		mean, variance := 0.0, 0.0
		for t := range y {
			y[t] = float64(b[c])
			for k := range taps {
				y[t] += float64(w[c*taps+k]) * float64(x[t*stride+k])
			}
			mean += y[t] / float64(rows)
		}
		for _, v := range y {
			variance += (v - mean) * (v - mean) / float64(rows)
		}
		for t, v := range y {
			z := (v-mean)/math.Sqrt(variance+1e-5)*float64(gamma[c]) + float64(beta[c])
			out[t*channels+c] = float32(z * 0.5 * math.Erfc(-z/math.Sqrt2))
		}
	}
	return out
}

// TestInferenceIsConcurrent: many clips at once give what each gives alone, whatever GOMAXPROCS is.
func TestInferenceIsConcurrent(t *testing.T) {
	e := newTiny(t, 5)
	const clips = 6
	want := make([][][]float32, clips)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for i := range want {
		var err error
		if want[i], err = e.Features(noise(700+100*i, uint64(i))); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GOMAXPROCS(4)
	var wg sync.WaitGroup
	for i := range want {
		wg.Go(func() {
			got, err := e.Features(noise(700+100*i, uint64(i)))
			if err != nil {
				t.Error(err)
				return
			}
			for layer := range got {
				if !slices.Equal(got[layer], want[i][layer]) {
					t.Errorf("clip %d, layer %d differs", i, layer)
				}
			}
		})
	}
	wg.Wait()
}

func TestInferenceLeavesNoGradients(t *testing.T) {
	e := newTiny(t, 6)
	samples := noise(400, 1)
	before := slices.Clone(samples)
	if _, err := e.Features(samples); err != nil {
		t.Fatal(err)
	}
	for _, p := range e.Params() {
		if p.Value.HasGrad() {
			t.Errorf("%s has a gradient", p.Name)
		}
	}
	if !slices.Equal(samples, before) {
		t.Error("the samples were changed")
	}
}

func TestShortClips(t *testing.T) {
	e, err := Open(filepath.Join("testdata", "post_group"))
	if err != nil {
		t.Fatal(err)
	}
	least := e.Config().ReceptiveField()
	if states, err := e.HiddenStates(noise(least, 1)); err != nil || len(states[0]) != e.Config().HiddenSize {
		t.Errorf("%d samples: %v, want one frame", least, err)
	}
	for _, n := range []int{0, 1, least - 1} {
		_, err := e.Features(noise(n, 1))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "want at least") {
			t.Errorf("%d samples: %v, want an ErrInvalid that says how many it takes", n, err)
		}
	}
}

// TestMemoryIsReused: hidden states keep their values while other clips are encoded, and repeated inference gives the same
// bits in the memory of the inference before.
func TestMemoryIsReused(t *testing.T) {
	for _, stable := range []bool{false, true} {
		c := tiny()
		c.DoStableLayerNorm = stable
		e, err := New(c, 3)
		if err != nil {
			t.Fatal(err)
		}
		samples := noise(4000, 5)
		kept, err := e.HiddenStates(samples)
		if err != nil {
			t.Fatal(err)
		}
		before := make([][]float32, len(kept))
		for i := range kept {
			before[i] = slices.Clone(kept[i])
		}
		var wg sync.WaitGroup
		for seed := range uint64(4) {
			wg.Go(func() {
				for range 3 {
					if _, err := e.Features(noise(4000, seed)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		again, err := e.HiddenStates(samples)
		if err != nil {
			t.Fatal(err)
		}
		for i := range before {
			if !slices.Equal(kept[i], before[i]) || !slices.Equal(again[i], before[i]) {
				t.Errorf("pre-LN %t: hidden state %d changed", stable, i)
			}
		}
	}
}
