package adapt

import (
	"time"

	"syncretic/adapt/audio"
)

// Record is one line of the training log.
type Record struct {
	Step      int     `json:"step"` // over all stages, from 1
	Steps     int     `json:"steps"`
	Stage     string  `json:"stage"`
	StageStep int     `json:"stage_step"`
	Rate      float64 `json:"lr"`
	Parts
	GradNorm float64 `json:"grad_norm"` // before clipping; NaN where the loss was not finite
	Speed    float64 `json:"clips_per_s"`

	Time time.Time     `json:"time,omitzero"` // at the step's end
	Left time.Duration `json:"-"`             // that the run will still take, all stages, held-out measurements and saving counted

	Skipped      bool   `json:"skipped,omitempty"`       // loss or gradient was not finite: the step changed nothing
	Reason       string `json:"reason,omitempty"`        // of a skip, with the value
	SkippedSteps int    `json:"skipped_steps,omitempty"` // in the run so far

	Wait     float64         `json:"wait_s"`             // for data: what loading cost the step beyond what went on beside it
	Replaced int             `json:"replaced,omitempty"` // crops of this step that could not be read and were drawn anew (skip_bad)
	Unread   []audio.Skipped `json:"unread,omitempty"`   // their files, of those that the run had not met before
}

// add averages the parts of n micro-batches, one call each.
func (rec *Record) add(p Parts, n int) {
	if rec.Codebooks == nil {
		rec.Codebooks, rec.Accuracy = make([]float64, len(p.Codebooks)), make([]float64, len(p.Accuracy))
	}
	for q := range p.Codebooks {
		rec.Codebooks[q] += p.Codebooks[q] / float64(n)
		rec.Accuracy[q] += p.Accuracy[q] / float64(n)
	}
	rec.Loss += p.Loss / float64(n)
	rec.CQT += p.CQT / float64(n)
	rec.FeaturePenalty += p.FeaturePenalty / float64(n)
	rec.Frames += p.Frames
}
