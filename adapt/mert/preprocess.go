package mert

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

const preprocessorName = "preprocessor_config.json"

// preprocessor is what preprocessor_config.json says about the input.
type preprocessor struct {
	document  []byte // as it was read
	normalise bool
}

//go:embed preprocessor.json
var releasedPreprocessor []byte

// defaultPreprocessor is MERT's released one, at the rate of the config.
func defaultPreprocessor(cfg Config) preprocessor {
	document := slices.Clone(releasedPreprocessor)
	if cfg.Rate() != 24000 {
		document = []byte(strings.Replace(string(document), "24000", fmt.Sprint(cfg.Rate()), 1))
	}
	return preprocessor{document: document, normalise: true}
}

// SetPreprocessor takes over a preprocessor_config.json. Of its keys the encoder obeys do_normalize (absent: true, as
// in transformers) and checks sampling_rate against its config; the rest is kept for [Encoder.SideFiles].
func (e *Encoder) SetPreprocessor(document []byte) error {
	keys := struct {
		DoNormalize  *bool `json:"do_normalize"`
		SamplingRate *int  `json:"sampling_rate"`
	}{}
	if err := json.Unmarshal(document, &keys); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if keys.SamplingRate != nil && e.cfg.SampleRate != 0 && *keys.SamplingRate != e.cfg.SampleRate {
		return fmt.Errorf("%w: sampling_rate %d, want sample_rate %d of config.json", ErrInvalid, *keys.SamplingRate, e.cfg.SampleRate)
	}
	e.reuse.clear()
	e.prep = preprocessor{document: slices.Clone(document), normalise: keys.DoNormalize == nil || *keys.DoNormalize}
	return nil
}

// Normalises reports whether inference brings each clip to mean 0 and variance 1 first.
func (e *Encoder) Normalises() bool { return e.prep.normalise }

// prepare returns the samples as the convolutions take them: (x - mean) / √(variance + 1e-7) with the population
// variance of the clip where the preprocessor says so, otherwise x itself. Sums are in float64.
func (p preprocessor) prepare(x []float32) []float32 {
	if !p.normalise {
		return x
	}
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	variance := 0.0
	for _, v := range x {
		d := float64(v) - mean
		variance += d * d
	}
	scale := 1 / math.Sqrt(variance/float64(len(x))+1e-7)
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32((float64(v) - mean) * scale)
	}
	return y
}
