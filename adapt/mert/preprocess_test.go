package mert

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestPrepare(t *testing.T) {
	x := noise(1000, 1)
	for i := range x {
		x[i] += 0.25
	}
	y := preprocessor{normalise: true}.prepare(x)
	sum, squares := 0.0, 0.0
	for _, v := range y {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	// The variance falls short of 1 by the epsilon over the clip's own variance of about 0.04.
	if mean, variance := sum/1000, squares/1000; math.Abs(mean) > 1e-7 || math.Abs(variance-1) > 1e-5 {
		t.Errorf("mean %g, variance %g, want 0 and 1", mean, variance)
	}
	if &x[0] == &y[0] {
		t.Error("the caller's samples were overwritten")
	}
	if z := (preprocessor{}).prepare(x); &z[0] != &x[0] {
		t.Error("without normalisation the samples were copied")
	}
	for _, v := range (preprocessor{normalise: true}).prepare([]float32{0.5, 0.5, 0.5}) {
		if v != 0 {
			t.Errorf("a constant clip becomes %g, want 0", v)
		}
	}
}

func TestSetPreprocessor(t *testing.T) {
	cases := []struct {
		name, document string
		normalises     bool
		problem        string
	}{
		{"on", `{"do_normalize": true}`, true, ""},
		{"off", `{"do_normalize": false, "sampling_rate": 24000}`, false, ""},
		{"absent", `{"padding_side": "right"}`, true, ""},
		{"other rate", `{"sampling_rate": 16000}`, true, "sampling_rate 16000, want sample_rate 24000"},
		{"wrong type", `{"do_normalize": "yes"}`, true, "do_normalize"},
		{"not JSON", `do_normalize`, true, "invalid character"},
	}
	cfg := tiny()
	cfg.SampleRate = 24000
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e, err := New(cfg, 1)
			if err != nil {
				t.Fatal(err)
			}
			err = e.SetPreprocessor([]byte(c.document))
			if c.problem != "" {
				if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.problem) {
					t.Errorf("error %v, want an ErrInvalid with %q", err, c.problem)
				}
				return
			}
			if err != nil || e.Normalises() != c.normalises {
				t.Errorf("normalises %t, error %v, want %t", e.Normalises(), err, c.normalises)
			}
			if got := string(e.SideFiles()[1].Data); got != c.document {
				t.Errorf("side file %s, want %s", got, c.document)
			}
		})
	}
}

func TestDefaultPreprocessorFollowsTheRate(t *testing.T) {
	cfg := tiny()
	cfg.SampleRate = 16000
	e, err := New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	document := e.SideFiles()[1].Data
	if !strings.Contains(string(document), `"sampling_rate": 16000`) || !e.Normalises() {
		t.Errorf("preprocessor_config.json of a 16 kHz encoder: %s", document)
	}
	if err := e.SetPreprocessor(document); err != nil {
		t.Error(err)
	}
}
