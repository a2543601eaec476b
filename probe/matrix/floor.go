package matrix

import (
	"encoding/json"
	"fmt"
	"math"

	"syncretic/adapt/cqt"
)

// LogCQT is a [probe.Extractor] without a weight: the mean and the standard deviation over time of every bin of the log-magnitude
// constant-Q transform that MERT learns to reconstruct. On small collections it beats learned features at some tasks; an encoder that
// does not beat it has learnt nothing of use there.
type LogCQT struct{ transform *cqt.Transform }

// silence is added to magnitudes, so that the logarithm of silence is finite: a sine 80 dB below full scale has several times it.
const silence = 1e-4

// NewLogCQT returns the floor on MERT's transform.
func NewLogCQT() (*LogCQT, error) {
	t, err := cqt.New(cqt.MERT())
	if err != nil {
		return nil, err
	}
	return &LogCQT{t}, nil
}

// Identity is [probe.ExtractOptions].Encoder: all that decides the features.
func (l *LogCQT) Identity() map[string]string {
	text, _ := json.Marshal(l.transform.Config()) // finite numbers
	return map[string]string{"floor": "mean and deviation of log-CQT", "cqt": string(text), "added": fmt.Sprint(silence)}
}

// Features implements [probe.Extractor]: one layer [2*bins], the means of all bins and then their deviations.
func (l *LogCQT) Features(samples []float32) ([][]float32, error) {
	bins := l.transform.Config().Bins
	magnitudes := l.transform.Magnitudes(samples)
	if len(magnitudes) == 0 {
		return nil, fmt.Errorf("log-CQT of no samples")
	}
	frames := float64(len(magnitudes) / bins)
	sum, square := make([]float64, bins), make([]float64, bins)
	for i, m := range magnitudes {
		sum[i%bins] += math.Log(float64(m)+silence) / frames
	}
	for i, m := range magnitudes {
		d := math.Log(float64(m)+silence) - sum[i%bins]
		square[i%bins] += d * d / frames
	}
	out := make([]float32, 0, 2*bins)
	for _, m := range sum {
		out = append(out, float32(m))
	}
	for _, v := range square {
		out = append(out, float32(math.Sqrt(v)))
	}
	return [][]float32{out}, nil
}
