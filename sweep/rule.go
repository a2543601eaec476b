package sweep

import (
	"fmt"
	"math"
)

// DefaultRho is the share of the base's Western score that a merge must keep.
const DefaultRho = 0.98

// Rule says which of two merges is better, from validation scores:
//
//	maximise   mean over non-Western datasets of Metric / (Metric of the dataset's single-culture expert)
//	subject to mean over Western datasets of Metric >= Rho * (the same of the base)
//
// It is the normalised accuracy of Ilharco et al. (ICLR 2023, arXiv 2212.04089, section 4) under the constraint of their control task.
// Without Experts the metric's plain mean is maximised. Ties go to the smaller sum |lambda_i|, then to the earlier trial. Rho 0 asks
// nothing, and so do scores without a Western dataset. With Metric [MaskedLoss] the mean is minimised, and Rho asks nothing: it is about
// probe scores.
type Rule struct {
	Metric  Metric            `json:"metric"`
	Rho     float64           `json:"rho"`
	Experts map[string]string `json:"experts,omitempty"` // non-Western dataset: the vector of its expert; nil is not normalised
}

// Check returns an error that wraps [ErrConfig] for an unknown metric or a Rho that is negative or not finite.
func (r Rule) Check() error {
	switch r.Metric {
	case ROCAUC, AveragePrecision, F1, MaskedLoss:
	default:
		return fmt.Errorf("%w: metric %q, want %q, %q, %q or %q", ErrConfig, r.Metric, ROCAUC, AveragePrecision, F1, MaskedLoss)
	}
	if !(r.Rho >= 0) || math.IsInf(r.Rho, 0) {
		return fmt.Errorf("%w: rho %v, want a finite number >= 0", ErrConfig, r.Rho)
	}
	return nil
}

// Value is what the rule maximises, or for the loss minimises. It is NaN where a dataset's score, or its expert's, is, and where an
// expert's is 0.
func (r Rule) Value(s Scores, refs References) float64 {
	values := s.Of(r.Metric, false)
	for name, vector := range r.Experts {
		expert, measured := refs.Experts[vector]
		if !measured {
			return math.NaN()
		}
		if values[name] /= expert.Of(r.Metric, false)[name]; math.IsInf(values[name], 0) {
			return math.NaN()
		}
	}
	return mean(values)
}

// Constrains reports whether anything is asked of the Western mean.
func (r Rule) Constrains(refs References) bool {
	return r.Rho > 0 && r.Metric != MaskedLoss && len(refs.Base.Of(r.Metric, true)) > 0
}

// Threshold is what the Western mean has to reach, NaN where nothing is asked, or where the base's is NaN: then no merge keeps it.
func (r Rule) Threshold(refs References) float64 {
	if !r.Constrains(refs) {
		return math.NaN()
	}
	return r.Rho * refs.Base.Mean(r.Metric, true)
}

// Violation is by how much the Western mean misses the threshold: at most 0 where it is kept, and where nothing is asked.
func (r Rule) Violation(s Scores, refs References) float64 {
	if !r.Constrains(refs) {
		return 0
	}
	if v := r.Threshold(refs) - s.Mean(r.Metric, true); !math.IsNaN(v) {
		return v
	}
	return math.MaxFloat64
}

// smaller reports whether a smaller value is the better one.
func (r Rule) smaller() bool { return r.Metric == MaskedLoss }
