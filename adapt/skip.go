package adapt

import (
	"context"
	"encoding/json"
	"math"
)

// A step whose loss or gradient is not finite is skipped: weights, moments and their step counts stay as they were, while
// schedule and sampler go on. One bad recording then costs a step instead of a night. Config.MaxSkipped bounds how many may
// follow one another; as none of them changes anything, the last good state is the present one at an earlier position.

// skip marks the record of such a step.
func (rec *Record) skip(reason string) { rec.Skipped, rec.Reason = true, reason }

// MarshalJSON writes the measures of a skipped step that are not finite as null, which JSON has and NaN it has not.
// Reason has them in words.
func (rec Record) MarshalJSON() ([]byte, error) {
	type plain Record
	if !rec.Skipped {
		return json.Marshal(plain(rec))
	}
	books := make([]*float64, len(rec.Codebooks))
	for q, v := range rec.Codebooks {
		books[q] = orNull(v)
	}
	return json.Marshal(struct { // its own fields go before those of the same key within plain
		plain
		Loss           *float64   `json:"loss"`
		Codebooks      []*float64 `json:"ce"`
		CQT            *float64   `json:"cqt_mse"`
		FeaturePenalty *float64   `json:"feature_penalty"`
		GradNorm       *float64   `json:"grad_norm"`
	}{plain(rec), orNull(rec.Loss), books, orNull(rec.CQT), orNull(rec.FeaturePenalty), orNull(rec.GradNorm)})
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func orNull(v float64) *float64 {
	if !finite(v) {
		return nil
	}
	return &v
}

// count takes note of whether a step was skipped.
func (w *work) count(skipped bool) {
	if !skipped {
		w.inRow = 0
		return
	}
	w.inRow++
	w.skipped++
}

// rewind puts the state before the steps that were skipped in a row on disk, with the reason for which the run stopped. It
// goes back no further than to the first step of the stage, whose weights are the same and whose moments may be new. Before
// the first step of all there is no state.
func (w *work) rewind(ctx context.Context, first int, reason string) error {
	n := min(w.inRow, w.done-first)
	w.done, w.inRow, w.skipped = w.done-n, w.inRow-n, w.skipped-n
	if w.done == 0 {
		w.saved = 0
		return nil
	}
	w.stopped = reason
	return w.store(ctx)
}
