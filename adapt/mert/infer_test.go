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
			p := &pass{cfg: &e.cfg, m: e.eval, clips: 1}
			whole := values(p.front(op.Tensor(len(samples), 1, samples)))
			if d := furthest(values(p.frontInPieces(samples)), whole); d > 5e-6 {
				t.Errorf("%s norm, %d frames: off by %.2g", norm, frames, d)
			}
		}
	}
}

// TestFoldedNorm: on audio that makes a GroupNorm in float32 hard: an offset, silence, a very quiet tone.
func TestFoldedNorm(t *testing.T) {
	g := readGolden(t, "post_group")
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
		"tone": tone, "offset": scaled(0.5, 0.3), "quiet": scaled(1e-4, 0), "silence": make([]float32, 1000), "constant": scaled(0, 0.5),
	} {
		p := &pass{cfg: &g.enc.cfg, m: g.enc.eval, clips: 1}
		want := values(p.front(op.Tensor(len(samples), 1, samples)))
		got := values(p.withFoldedNorm(samples).front(op.Tensor(len(samples), 1, samples)))
		if d := furthest(got, want); d > 2e-5 {
			t.Errorf("%s: off by %.2g", name, d)
		}
	}
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
