package adapt

import (
	"encoding/json"
	"math"
	"time"
)

// HeldoutRecord is one line of heldout.jsonl: the model on one corpus's held-out crops after some steps. Means are over masked
// frames, without dropout or noise; crops and masks are the same in all lines of a set.
type HeldoutRecord struct {
	Step   int    `json:"step"`            // steps taken; 0 is the model that the run began with
	Stage  string `json:"stage,omitempty"` // of the last of them
	Corpus string `json:"corpus"`
	Set    string `json:"set"` // of crops, see HeldoutCorpus
	Score
	Seconds float64   `json:"seconds"` // that it took
	Time    time.Time `json:"time"`
	Reason  string    `json:"reason,omitempty"` // why there is no score: the loss was not finite
}

// MarshalJSON writes null for what a record without a score has not measured.
func (r HeldoutRecord) MarshalJSON() ([]byte, error) {
	type plain HeldoutRecord
	if r.Reason == "" {
		return json.Marshal(plain(r))
	}
	return json.Marshal(struct { // its own fields go before those of the same key within plain
		plain
		CE        *float64  `json:"ce"`
		Codebooks []float64 `json:"codebooks"`
		CQT       *float64  `json:"cqt_mse"`
		Total     *float64  `json:"total"`
		Accuracy  []float64 `json:"accuracy"`
	}{plain: plain(r)})
}

// MeanAccuracy is the share of masked frames whose code is the likeliest, mean over codebooks.
func (s Score) MeanAccuracy() float64 { return mean(s.Accuracy) }

// MeanAccuracy is the share of masked frames whose code is the likeliest, mean over codebooks.
func (p Parts) MeanAccuracy() float64 { return mean(p.Accuracy) }

// mean of no values is NaN.
func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	if len(values) == 0 {
		return math.NaN()
	}
	return sum / float64(len(values))
}
