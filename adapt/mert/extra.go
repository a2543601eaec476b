package mert

import (
	"fmt"
	"math"

	"syncretic/adapt/cqt"
)

func (c Config) cqtBins() int {
	if c.FeatureExtractorCQTBins == 0 {
		return 336
	}
	return c.FeatureExtractorCQTBins
}

// cqtConfig is the transform whose rows are concatenated: MERT's, except where the config's own keys say otherwise. Its
// hop is that of the encoder, so that row t belongs to frame t.
func (c Config) cqtConfig() cqt.Config {
	t := cqt.MERT()
	t.SampleRate, t.Hop, t.Bins, t.MaxWindow = c.Rate(), c.Hop(), c.cqtBins(), c.FeatureExtractorCQTMaxWindow
	t.BinsPerOctave = t.Bins / 7
	if c.FeatureExtractorCQTBinsPerOctave != 0 {
		t.BinsPerOctave = c.FeatureExtractorCQTBinsPerOctave
	}
	if c.FeatureExtractorCQTFMin != 0 {
		t.FMin = c.FeatureExtractorCQTFMin
	}
	return t
}

func (c Config) validateCQT() error {
	values := []struct {
		key   string
		value float64
		least float64
	}{
		{"feature_extractor_cqt_bins", float64(c.FeatureExtractorCQTBins), 0},
		{"feature_extractor_cqt_bins_per_octave", float64(c.FeatureExtractorCQTBinsPerOctave), 0},
		{"feature_extractor_cqt_max_window", float64(c.FeatureExtractorCQTMaxWindow), 0},
		{"feature_extractor_cqt_fmin", c.FeatureExtractorCQTFMin, 0},
		{"feature_extractor_cqt_log_floor", c.FeatureExtractorCQTLogFloor, 0},
		{"feature_extractor_cqt_std", c.FeatureExtractorCQTStd, 0},
		{"feature_extractor_cqt_mean", c.FeatureExtractorCQTMean, -math.MaxFloat32},
	}
	for _, v := range values {
		if !(v.value >= v.least && v.value <= math.MaxFloat32) {
			return c.errorf(v.key, "%g, want a finite number of at least %g", v.value, v.least)
		}
	}
	if c.FeatureExtractorCQTBins > maxSize {
		return c.errorf("feature_extractor_cqt_bins", "%d, want at most %d", c.FeatureExtractorCQTBins, maxSize)
	}
	return nil
}

// Extra is the constant-Q part of the input, [frames][bins], for one clip of an encoder whose config sets
// feature_extractor_cqt, and nil for others: log(magnitude + floor) (magnitude alone where the floor is 0), less mean,
// over std. [Encoder.Forward] takes it as Input.Extra; inference computes the same rows itself. samples are raw audio
// in both: unlike MERT's own code, which normalises the clip for the transform too, because training does not.
func (e *Encoder) Extra(samples []float32) ([]float32, error) {
	if e.transform == nil {
		return nil, nil
	}
	frames, err := e.frames(len(samples))
	if err != nil {
		return nil, err
	}
	rows := e.transform.Magnitudes(samples)
	n := frames * e.cfg.cqtBins()
	if len(rows) < n {
		return nil, fmt.Errorf("constant-Q rows of %d samples: %d values, want at least %d", len(samples), len(rows), n)
	}
	rows = rows[:n]
	floor, mean, std := e.cfg.FeatureExtractorCQTLogFloor, e.cfg.FeatureExtractorCQTMean, e.cfg.FeatureExtractorCQTStd
	if std == 0 {
		std = 1
	}
	for i, v := range rows {
		x := float64(v)
		if floor > 0 {
			x = math.Log(x + floor)
		}
		rows[i] = float32((x - mean) / std)
	}
	return rows, nil
}
