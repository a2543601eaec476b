package mert

import (
	"errors"
	"math"
	"slices"
	"testing"

	"syncretic/adapt/cqt"
)

// withCQT is tiny with twelve constant-Q columns beside the features.
func withCQT() Config {
	c := tiny()
	c.FeatureExtractorCQT, c.FeatureExtractorCQTBins = true, 12
	c.FeatureExtractorCQTFMin, c.FeatureExtractorCQTBinsPerOctave = 400, 12
	c.FeatureExtractorCQTMaxWindow = 1024
	c.FeatureExtractorCQTLogFloor, c.FeatureExtractorCQTMean, c.FeatureExtractorCQTStd = 1e-4, -3, 2
	return c
}

func TestCQTConfigDefaultsToMERT(t *testing.T) {
	c := Base95M()
	c.FeatureExtractorCQT = true
	if got, want := c.cqtConfig(), cqt.MERT(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	got := withCQT().cqtConfig()
	want := cqt.Config{SampleRate: 24000, Hop: 20, FMin: 400, Bins: 12, BinsPerOctave: 12, MaxWindow: 1024}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestExtra: log(magnitude + floor), less mean, over std, cut to the encoder's frames; plain magnitudes by default.
func TestExtra(t *testing.T) {
	samples := noise(600, 1)
	c := withCQT()
	e, err := New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := e.Extra(samples)
	if err != nil {
		t.Fatal(err)
	}
	if want := e.Frames(600) * 12; len(rows) != want {
		t.Fatalf("%d values, want %d", len(rows), want)
	}
	c.FeatureExtractorCQTLogFloor, c.FeatureExtractorCQTMean, c.FeatureExtractorCQTStd = 0, 0, 0
	plain, err := New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	magnitudes, err := plain.Extra(samples)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range magnitudes {
		if want := (math.Log(float64(m)+1e-4) + 3) / 2; math.Abs(float64(rows[i])-want) > 1e-6 {
			t.Fatalf("value %d: %g, want %g of magnitude %g", i, rows[i], want, m)
		}
	}
	if rows, err := newTiny(t, 1).Extra(samples); rows != nil || err != nil {
		t.Errorf("without feature_extractor_cqt: %v %v, want nothing", rows, err)
	}
	if _, err := e.Extra(samples[:10]); !errors.Is(err, ErrInvalid) {
		t.Errorf("a short clip: %v, want an ErrInvalid", err)
	}
}

// TestTrainingAndInferenceAgreeOnExtra: Forward over Encoder.Extra is what HiddenStates computes, and the columns matter.
func TestTrainingAndInferenceAgreeOnExtra(t *testing.T) {
	e, err := New(withCQT(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.SetPreprocessor([]byte(`{"do_normalize": false}`)); err != nil {
		t.Fatal(err)
	}
	samples := noise(600, 2)
	extra, err := e.Extra(samples)
	if err != nil {
		t.Fatal(err)
	}
	states, err := e.HiddenStates(samples)
	if err != nil {
		t.Fatal(err)
	}
	out := forward(t, e, Input{Samples: samples, Clips: 1, Extra: extra})
	for layer, h := range out.Hidden {
		if d := furthest(states[layer], values(h)); d > 1e-5 {
			t.Errorf("hidden state %d: off by %.2g", layer, d)
		}
	}
	other := slices.Clone(extra)
	for i := range other {
		other[i] = -other[i]
	}
	if slices.Equal(last(out), last(forward(t, e, Input{Samples: samples, Clips: 1, Extra: other}))) {
		t.Error("the constant-Q columns do not reach the output")
	}
	if _, err := e.Forward(Input{Samples: samples, Clips: 1}); !errors.Is(err, ErrInvalid) {
		t.Errorf("without Extra: %v, want an ErrInvalid", err)
	}
}

func TestBadCQTConfig(t *testing.T) {
	c := withCQT()
	c.FeatureExtractorCQTFMin = 11000 // twelve bins from there pass half the sample rate
	if _, err := New(c, 1); !errors.Is(err, ErrConfig) {
		t.Errorf("error %v, want an ErrConfig", err)
	}
}
