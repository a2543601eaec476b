package mert

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"syncretic/checkpoint"
)

// mosaic is a source of which each tensor is one of several encoders', and whose versions say which.
type mosaic struct {
	of      []*Encoder
	choice  map[string]int // by tensor
	version map[string]int // what else tells versions apart

	mu   sync.Mutex
	read map[string]int // elements
	fail string         // a tensor that cannot be read
}

func (m *mosaic) Tensors() []checkpoint.Info { return m.of[0].Tensors() }

func (m *mosaic) Read(name string, offset int, dst []float32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if name == m.fail {
		return errors.New("the disk is gone")
	}
	if m.read == nil {
		m.read = map[string]int{}
	}
	m.read[name] += len(dst)
	return m.of[m.choice[name]].Read(name, offset, dst)
}

func (m *mosaic) Version(name string) string {
	return fmt.Sprintf("%s of %d, %d", name, m.choice[name], m.version[name])
}

// unversioned hides the versions.
type unversioned struct{ checkpoint.Source }

// mosaics draws encoders of a config.
func mosaics(t testing.TB, c Config, n int) *mosaic {
	t.Helper()
	m := &mosaic{choice: map[string]int{}, version: map[string]int{}}
	for seed := range n {
		e, err := New(c, uint64(seed+1))
		if err != nil {
			t.Fatal(err)
		}
		m.of = append(m.of, e)
	}
	return m
}

// change draws another encoder for some tensors: those of the stages from one on, or single ones.
func (m *mosaic) change(rng *rand.Rand) {
	stages := m.of[0].stages()
	table := m.of[0].table
	switch rng.IntN(4) {
	case 0: // one tensor anywhere, masked_spec_embed too
		m.choice[table[rng.IntN(len(table))].name] = rng.IntN(len(m.of))
	case 1: // all
		for _, w := range table {
			m.choice[w.name] = rng.IntN(len(m.of))
		}
	default:
		to := rng.IntN(len(m.of))
		for _, rows := range stages[rng.IntN(len(stages)):] {
			for _, i := range rows {
				m.choice[table[i].name] = to
			}
		}
	}
}

func equalFeatures(t *testing.T, got, want [][]float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d layers, want %d", len(got), len(want))
	}
	for layer := range want {
		for i := range want[layer] {
			if math.Float32bits(got[layer][i]) != math.Float32bits(want[layer][i]) {
				t.Fatalf("layer %d, element %d: %v, want %v", layer, i, got[layer][i], want[layer][i])
			}
		}
	}
}

// TestReuseIsFresh: over random changes of weights, features and hidden states are those of an encoder that was loaded afresh, bit for bit,
// with room for all states, for few and for none.
func TestReuseIsFresh(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
	}{
		{"post-LN", func(*Config) {}},
		{"pre-LN", func(c *Config) { c.DoStableLayerNorm, c.FeatExtractNorm = true, "layer" }},
		{"masked", func(c *Config) { c.MaskTimeProb = 0.5 }},
	} {
		for _, budget := range []int64{1 << 30, 20_000, 0} {
			t.Run(fmt.Sprintf("%s, %d bytes", c.name, budget), func(t *testing.T) {
				cfg := tiny()
				cfg.NumHiddenLayers = 4
				c.change(&cfg)
				m := mosaics(t, cfg, 3)
				e, err := Load(cfg, m)
				if err != nil {
					t.Fatal(err)
				}
				e.Reuse(budget)
				var clips [][]float32
				for i := range 4 {
					clips = append(clips, noise(cfg.ReceptiveField()+(5+i)*cfg.Hop(), uint64(i)))
				}
				rng := rand.New(rand.NewPCG(9, uint64(budget)))
				for range 60 {
					m.change(rng)
					switch rng.IntN(12) {
					case 0: // weights that say nothing of themselves
						err = e.SetWeights(unversioned{m})
					case 1: // a failure on the way
						m.fail = m.of[0].table[rng.IntN(len(e.table))].name
						_ = e.SetWeights(m) // fails if that tensor has changed
						m.fail = ""
						m.change(rng)
						fallthrough
					default:
						err = e.SetWeights(m)
					}
					if err != nil {
						t.Fatal(err)
					}
					fresh, err := Load(cfg, unversioned{m})
					if err != nil {
						t.Fatal(err)
					}
					for _, clip := range clips {
						got, err := e.Features(clip)
						if err != nil {
							t.Fatal(err)
						}
						want, err := fresh.Features(clip)
						if err != nil {
							t.Fatal(err)
						}
						equalFeatures(t, got, want)
						got[0][0], got[len(got)-1][0] = 7, 7 // they are the caller's
					}
					got, err := e.HiddenStates(clips[0])
					if err != nil {
						t.Fatal(err)
					}
					want, err := fresh.HiddenStates(clips[0])
					if err != nil {
						t.Fatal(err)
					}
					equalFeatures(t, got, want)
					if held := e.Reused().Bytes; held > budget {
						t.Fatalf("%d bytes are held, of %d", held, budget)
					}
				}
				r := e.Reused()
				if (budget > 0) != (r.Hits > 0) {
					t.Errorf("%+v with %d bytes", r, budget)
				}
				e.Reuse(0)
				if r := e.Reused(); r != (Reused{}) {
					t.Errorf("turned off, %+v is left", r)
				}
			})
		}
	}
}

// TestReuseFollowsTheBoundary: what changes behind a layer has states kept that enter it, from the second set of weights on; the third
// goes on from them.
func TestReuseFollowsTheBoundary(t *testing.T) {
	cfg := tiny()
	cfg.NumHiddenLayers = 4
	m := mosaics(t, cfg, 4)
	e, err := Load(cfg, m)
	if err != nil {
		t.Fatal(err)
	}
	e.Reuse(1 << 30)
	clip := noise(cfg.ReceptiveField()+9*cfg.Hop(), 1)
	for trial := range 4 {
		for _, rows := range e.stages()[4:] {
			for _, i := range rows {
				m.choice[e.table[i].name] = trial
			}
		}
		if err := e.SetWeights(m); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Features(clip); err != nil {
			t.Fatal(err)
		}
		got := e.Reused()
		if got.Bytes == 0 || got.Hits != max(0, trial-1) || got.Misses != min(2, trial+1) || got.Layers != 3*got.Hits {
			t.Errorf("trial %d: %+v", trial, got)
		}
	}
}

// TestSetWeightsReadsWhatChanged, and nothing twice.
func TestSetWeightsReadsWhatChanged(t *testing.T) {
	m := mosaics(t, tiny(), 2)
	e, err := Load(tiny(), m)
	if err != nil {
		t.Fatal(err)
	}
	set := func(want ...string) {
		t.Helper()
		m.read = nil
		if err := e.SetWeights(m); err != nil {
			t.Fatal(err)
		}
		if len(m.read) != len(want) {
			t.Fatalf("%d tensors were read, want %d", len(m.read), len(want))
		}
		for _, name := range want {
			if n := len(e.weight(name)); m.read[name] != n {
				t.Errorf("%d elements of %s were read, want %d", m.read[name], name, n)
			}
		}
	}
	set()
	m.choice["encoder.layers.0.attention.k_proj.weight"] = 1
	set("encoder.layers.0.attention.k_proj.weight")
	set()
	m.choice["encoder.layer_norm.bias"], m.choice["encoder.layers.0.attention.k_proj.weight"] = 1, 0
	set("encoder.layer_norm.bias", "encoder.layers.0.attention.k_proj.weight")

	// A read that failed leaves a tensor that is read again.
	m.choice["encoder.layer_norm.bias"], m.fail = 0, "encoder.layer_norm.bias"
	if err := e.SetWeights(m); err == nil || !strings.Contains(err.Error(), `tensor "encoder.layer_norm.bias": the disk is gone`) {
		t.Fatal(err)
	}
	m.fail = ""
	m.choice["encoder.layer_norm.bias"] = 1 // as before the failure
	set("encoder.layer_norm.bias")

	// Weights that are given away may change at any time.
	params := e.Params()
	var every []string
	for _, p := range params {
		every = append(every, p.Name)
	}
	set(every...)
	set(every...)
}

// TestPackedFormsStay where no tensor that they are made of has changed.
func TestPackedFormsStay(t *testing.T) {
	m := mosaics(t, tiny(), 2)
	e, err := Load(tiny(), m)
	if err != nil {
		t.Fatal(err)
	}
	clip := noise(e.cfg.ReceptiveField()+9*e.cfg.Hop(), 1)
	if _, err := e.Features(clip); err != nil {
		t.Fatal(err)
	}
	for name, packed := range map[string][]string{
		"encoder.layers.0.attention.v_proj.weight": {"encoder.layers.0.attention.q_proj.weight", "encoder.layers.0.attention.v_proj.weight"},
		"encoder.layers.0.attention.v_proj.bias":   {"encoder.layers.0.attention.v_proj.bias"},
		"encoder.pos_conv_embed.conv." + gainName:  {"encoder.pos_conv_embed.conv." + gainName, "encoder.pos_conv_embed.conv." + directionName},
	} {
		before := slices.Clone(e.frozen)
		m.choice[name] = 1 - m.choice[name]
		if err := e.SetWeights(m); err != nil {
			t.Fatal(err)
		}
		for i, w := range e.table {
			if stays, want := e.frozen[i] == before[i], !slices.Contains(packed, w.name); stays != want {
				t.Errorf("%s has changed: the form of %s stays: %v, want %v", name, w.name, stays, want)
			}
		}
	}
}

// TestReuseTogether: many inferences at once over one cache give what one after another does.
func TestReuseTogether(t *testing.T) {
	cfg := tiny()
	cfg.NumHiddenLayers = 3
	m := mosaics(t, cfg, 2)
	e, err := Load(cfg, m)
	if err != nil {
		t.Fatal(err)
	}
	e.Reuse(60_000) // not enough for all
	var clips [][]float32
	for i := range 8 {
		clips = append(clips, noise(cfg.ReceptiveField()+20*cfg.Hop(), uint64(i)))
	}
	for trial := range 4 {
		for _, i := range e.stages()[3] {
			m.choice[e.table[i].name] = trial % 2
		}
		if err := e.SetWeights(m); err != nil {
			t.Fatal(err)
		}
		fresh, err := Load(cfg, m)
		if err != nil {
			t.Fatal(err)
		}
		got, errs := make([][][]float32, 2*len(clips)), make([]error, 2*len(clips))
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() { got[i], errs[i] = e.Features(clips[i%len(clips)]) })
		}
		wg.Wait()
		for i, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
			want, err := fresh.Features(clips[i%len(clips)])
			if err != nil {
				t.Fatal(err)
			}
			equalFeatures(t, got[i], want)
		}
	}
	if r := e.Reused(); r.Hits == 0 || r.Bytes > 60_000 {
		t.Errorf("%+v", r)
	}
}

// TestReuseForgets what another preprocessing made, and all where weights are given away.
func TestReuseForgets(t *testing.T) {
	cfg := tiny()
	m := mosaics(t, cfg, 2)
	e, err := Load(cfg, m)
	if err != nil {
		t.Fatal(err)
	}
	e.Reuse(1 << 30)
	clip := noise(cfg.ReceptiveField()+9*cfg.Hop(), 1)
	features := func() [][]float32 {
		t.Helper()
		if err := e.SetWeights(m); err != nil {
			t.Fatal(err)
		}
		f, err := e.Features(clip)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	features()
	first := features()
	if e.Reused().Bytes == 0 {
		t.Fatal("nothing is kept")
	}
	if err := e.SetPreprocessor([]byte(`{"do_normalize": false}`)); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(features()[0], first[0]) {
		t.Error("features are those of the other preprocessing")
	}
	e.Params()
	if r := e.Reused(); r.Bytes != 0 {
		t.Errorf("weights are given away, and %+v is kept", r)
	}
	hits := e.Reused().Hits
	features()
	features()
	if r := e.Reused(); r.Bytes != 0 || r.Hits != hits {
		t.Errorf("weights are given away, and %+v is kept", r)
	}
}
