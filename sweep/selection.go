package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// DefaultRho is the share of the base's Western score that a merge must keep.
const DefaultRho = 0.98

// ErrNoScores means that no trial holds the scores a selection needs.
var ErrNoScores = errors.New("no scores to select by")

// Rule chooses a trial from validation scores:
//
//	maximise   mean over non-Western datasets of Metric
//	subject to mean over Western datasets of Metric >= Rho * (the same of the base)
//
// Ties go to the smaller sum |lambda_i|, then to the earlier trial. Rho 0 asks nothing, and so do scores without a Western
// dataset. With Metric [MaskedLoss] the rule is that of [SelectByLoss]: Rho is about probe scores.
type Rule struct {
	Metric Metric  `json:"metric"`
	Rho    float64 `json:"rho"`
}

// Check returns an error that wraps [ErrConfig] for an unknown metric or a Rho that is negative or not finite.
func (r Rule) Check() error {
	switch r.Metric {
	case ROCAUC, AveragePrecision, MaskedLoss:
	default:
		return fmt.Errorf("%w: metric %q, want %q, %q or %q", ErrConfig, r.Metric, ROCAUC, AveragePrecision, MaskedLoss)
	}
	if !(r.Rho >= 0) || math.IsInf(r.Rho, 0) {
		return fmt.Errorf("%w: rho %v, want a finite number >= 0", ErrConfig, r.Rho)
	}
	return nil
}

// Selection is the outcome of a rule with the figures that led to it.
type Selection struct {
	Metric      Metric  `json:"metric"`
	Trial       int     `json:"trial"` // number of the chosen trial
	Lambdas     Lambdas `json:"lambdas"`
	Value       float64 `json:"value"`        // mean over non-Western datasets
	Western     float64 `json:"western"`      // mean over Western datasets, NaN without any
	BaseValue   float64 `json:"base_value"`   // the same two figures of the base
	BaseWestern float64 `json:"base_western"` //
	Threshold   float64 `json:"threshold"`    // what Western had to reach, NaN without a constraint
	Candidates  int     `json:"candidates"`   // trials with lambda != 0 and a value
	Feasible    int     `json:"feasible"`     // those of them that satisfy the constraint
	Fallback    bool    `json:"fallback"`     // no candidate was feasible: the base is returned
	Reason      string  `json:"reason"`       // one sentence for people
}

// MarshalJSON writes figures that are not finite as null.
func (s Selection) MarshalJSON() ([]byte, error) {
	type plain Selection
	return json.Marshal(struct {
		plain
		Value       *float64 `json:"value"`
		Western     *float64 `json:"western"`
		BaseValue   *float64 `json:"base_value"`
		BaseWestern *float64 `json:"base_western"`
		Threshold   *float64 `json:"threshold"`
	}{plain(s), finite(s.Value), finite(s.Western), finite(s.BaseValue), finite(s.BaseWestern), finite(s.Threshold)})
}

// UnmarshalJSON reads null figures as NaN.
func (s *Selection) UnmarshalJSON(data []byte) error {
	type plain Selection
	raw := struct {
		*plain
		Value       *float64 `json:"value"`
		Western     *float64 `json:"western"`
		BaseValue   *float64 `json:"base_value"`
		BaseWestern *float64 `json:"base_western"`
		Threshold   *float64 `json:"threshold"`
	}{plain: (*plain)(s)}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	s.Value, s.Western = number(raw.Value), number(raw.Western)
	s.BaseValue, s.BaseWestern, s.Threshold = number(raw.BaseValue), number(raw.BaseWestern), number(raw.Threshold)
	return nil
}

// Select applies the rule to the trials that are done. It needs the base among them: [ErrNoScores] otherwise. Trials whose
// mean is NaN are passed over. When no lambda other than 0 satisfies the constraint the base is selected and Fallback is set.
func (r Rule) Select(trials []Trial) (Selection, error) {
	if err := r.Check(); err != nil {
		return Selection{}, err
	}
	base, err := baseTrial(trials, r.Metric)
	if err != nil {
		return Selection{}, err
	}
	sel := Selection{
		Metric: r.Metric, Threshold: math.NaN(),
		BaseValue: base.Scores.Mean(r.Metric, false), BaseWestern: base.Scores.Mean(r.Metric, true),
	}
	constrained := r.Rho > 0 && r.Metric != MaskedLoss && base.Scores.has(r.Metric, true)
	if constrained {
		sel.Threshold = r.Rho * sel.BaseWestern
	}
	best := base
	for i := range trials {
		t := &trials[i]
		if t.Scores == nil || t.Lambdas.IsBase() {
			continue
		}
		if err := t.Scores.sameDatasets(*base.Scores); err != nil {
			return Selection{}, fmt.Errorf("trial %d: %w", t.Number, err)
		}
		value := t.Scores.Mean(r.Metric, false)
		if math.IsNaN(value) {
			continue
		}
		sel.Candidates++
		if constrained && !(t.Scores.Mean(r.Metric, true) >= sel.Threshold) {
			continue
		}
		sel.Feasible++
		if r.better(t, best) {
			best = t
		}
	}
	sel.Trial, sel.Lambdas = best.Number, best.Lambdas
	sel.Value, sel.Western = best.Scores.Mean(r.Metric, false), best.Scores.Mean(r.Metric, true)
	sel.Fallback = sel.Feasible == 0
	sel.Reason = sel.explain(r, constrained)
	return sel, nil
}

// SelectByLoss chooses the smallest mean masked loss over non-Western datasets: a choice that needs no labels. Western
// losses are reported and ask nothing. Ties and errors are those of [Rule.Select].
func SelectByLoss(trials []Trial) (Selection, error) {
	return Rule{Metric: MaskedLoss}.Select(trials)
}

// better reports whether t is to be preferred to the best so far.
func (r Rule) better(t, best *Trial) bool {
	v, w := t.Scores.Mean(r.Metric, false), best.Scores.Mean(r.Metric, false)
	if r.Metric == MaskedLoss {
		v, w = -v, -w
	}
	switch {
	case v != w:
		return v > w || math.IsNaN(w)
	case t.Lambdas.Size() != best.Lambdas.Size():
		return t.Lambdas.Size() < best.Lambdas.Size()
	}
	return t.Number < best.Number
}

func baseTrial(trials []Trial, m Metric) (*Trial, error) {
	for i := range trials {
		if t := &trials[i]; t.Scores != nil && t.Lambdas.IsBase() {
			if !t.Scores.has(m, false) {
				return nil, fmt.Errorf("%w: no non-Western dataset carries %s", ErrNoScores, m)
			}
			return t, nil
		}
	}
	return nil, fmt.Errorf("%w: the base (lambda 0) is not scored yet", ErrNoScores)
}

func (s Selection) explain(r Rule, constrained bool) string {
	switch {
	case s.Candidates == 0:
		return "no lambda other than 0 has a finite score: the base is kept"
	case s.Fallback:
		return fmt.Sprintf("none of %d candidates keeps the Western %s at %.4f (%g of the base's %.4f): the base is kept",
			s.Candidates, s.Metric, s.Threshold, r.Rho, s.BaseWestern)
	case s.Lambdas.IsBase():
		return fmt.Sprintf("none of %d candidates is better than the base", s.Feasible)
	case constrained:
		return fmt.Sprintf("best of %d candidates that keep the Western %s at %.4f (%g of the base's %.4f)",
			s.Feasible, s.Metric, s.Threshold, r.Rho, s.BaseWestern)
	}
	return fmt.Sprintf("best of %d candidates, no constraint on Western", s.Candidates)
}
