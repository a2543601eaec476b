package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"syncretic/sweep/search"
)

// ErrNoScores means that there are no scores that a selection needs.
var ErrNoScores = errors.New("no scores to select by")

// Selection is the outcome of a rule with the figures that led to it.
type Selection struct {
	Metric      Metric
	Trial       int     // number of the chosen trial, -1 for the base
	Choice      Choice  // of the base without a trial, the zero value
	Value       float64 // what the rule maximises or minimises: normalised where Normalised says so
	Normalised  bool
	Mean        float64 // mean of the metric over non-Western datasets
	Western     float64 // mean over Western datasets, NaN without any
	BaseValue   float64 // the same three figures of the base
	BaseMean    float64
	BaseWestern float64
	Threshold   float64 // what Western had to reach, NaN without a constraint
	Candidates  int     // trials with lambda != 0 and a value
	Feasible    int     // those of them that satisfy the constraint
	Fallback    bool    // no candidate was feasible: the base is returned
	Reason      string  // one sentence for people
}

type selectionJSON struct {
	Metric      Metric  `json:"metric"`
	Trial       int     `json:"trial"`
	Choice      Choice  `json:"choice"`
	Lambdas     Lambdas `json:"lambdas"`
	Value       maybe   `json:"value"`
	Normalised  bool    `json:"normalised"`
	Mean        maybe   `json:"mean"`
	Western     maybe   `json:"western"`
	BaseValue   maybe   `json:"base_value"`
	BaseMean    maybe   `json:"base_mean"`
	BaseWestern maybe   `json:"base_western"`
	Threshold   maybe   `json:"threshold"`
	Candidates  int     `json:"candidates"`
	Feasible    int     `json:"feasible"`
	Fallback    bool    `json:"fallback"`
	Reason      string  `json:"reason"`
}

// MarshalJSON writes figures that are not finite as null, and the lambdas beside the choice that holds them.
func (s Selection) MarshalJSON() ([]byte, error) {
	return json.Marshal(selectionJSON{s.Metric, s.Trial, s.Choice, s.Choice.Lambdas, maybe(s.Value), s.Normalised, maybe(s.Mean), maybe(s.Western),
		maybe(s.BaseValue), maybe(s.BaseMean), maybe(s.BaseWestern), maybe(s.Threshold), s.Candidates, s.Feasible, s.Fallback, s.Reason})
}

// UnmarshalJSON reads null figures as NaN.
func (s *Selection) UnmarshalJSON(data []byte) error {
	var raw selectionJSON
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*s = Selection{raw.Metric, raw.Trial, raw.Choice, float64(raw.Value), raw.Normalised, float64(raw.Mean), float64(raw.Western),
		float64(raw.BaseValue), float64(raw.BaseMean), float64(raw.BaseWestern), float64(raw.Threshold), raw.Candidates, raw.Feasible, raw.Fallback, raw.Reason}
	return nil
}

// Select applies the rule to the trials that were measured in full. Trials whose value is NaN are passed over. When no lambda other
// than 0 satisfies the constraint the base is selected and Fallback is set. References without what the rule needs are [ErrNoScores].
func (r Rule) Select(trials []Trial, refs References) (Selection, error) {
	if err := r.Check(); err != nil {
		return Selection{}, err
	}
	if err := refs.check(r); err != nil {
		return Selection{}, err
	}
	sel := Selection{Metric: r.Metric, Trial: -1, Normalised: r.Experts != nil, Threshold: r.Threshold(refs),
		BaseValue: r.Value(refs.Base, refs), BaseMean: refs.Base.Mean(r.Metric, false), BaseWestern: refs.Base.Mean(r.Metric, true)}
	sel.Value, sel.Mean, sel.Western = sel.BaseValue, sel.BaseMean, sel.BaseWestern
	var best *Trial
	for i := range trials {
		t := &trials[i]
		if t.State != search.Complete || t.Scores == nil {
			continue
		}
		if err := t.Scores.sameDatasets(refs.Base); err != nil {
			return Selection{}, fmt.Errorf("trial %d: %w", t.Number, err)
		}
		value := r.Value(*t.Scores, refs)
		if t.Choice.Lambdas.IsBase() {
			if sel.Trial < 0 {
				sel.Trial, sel.Choice = t.Number, t.Choice // what stands for the base until something is better
			}
			continue
		}
		if math.IsNaN(value) {
			continue
		}
		sel.Candidates++
		if r.Violation(*t.Scores, refs) > 0 {
			continue
		}
		sel.Feasible++
		if r.better(value, t, sel.Value, best) {
			best, sel.Value = t, value
		}
	}
	if best != nil {
		sel.Trial, sel.Choice = best.Number, best.Choice
		sel.Mean, sel.Western = best.Scores.Mean(r.Metric, false), best.Scores.Mean(r.Metric, true)
	}
	sel.Fallback = sel.Feasible == 0
	sel.Reason = sel.explain(r, r.Constrains(refs))
	return sel, nil
}

// SelectByLoss chooses the smallest mean masked loss over non-Western datasets: a choice that needs no labels. Western
// losses are reported and ask nothing. Ties and errors are those of [Rule.Select].
func SelectByLoss(trials []Trial, refs References) (Selection, error) {
	return Rule{Metric: MaskedLoss}.Select(trials, refs)
}

// better reports whether t is to be preferred to the best so far, which is the base where there is none.
func (r Rule) better(value float64, t *Trial, bestValue float64, best *Trial) bool {
	v, w := value, bestValue
	if r.smaller() {
		v, w = -v, -w
	}
	switch {
	case v != w:
		return v > w || math.IsNaN(w)
	case best == nil:
		return false // the base has the smaller lambda
	case t.Choice.Lambdas.Size() != best.Choice.Lambdas.Size():
		return t.Choice.Lambdas.Size() < best.Choice.Lambdas.Size()
	}
	return t.Number < best.Number
}

func (s Selection) explain(r Rule, constrained bool) string {
	what := string(s.Metric)
	switch {
	case s.Candidates == 0:
		return "no lambda other than 0 has a finite score: the base is kept"
	case s.Fallback:
		return fmt.Sprintf("none of %d candidates keeps the Western %s at %.4f (%g of the base's %.4f): the base is kept",
			s.Candidates, what, s.Threshold, r.Rho, s.BaseWestern)
	case s.Choice.Lambdas.IsBase():
		return fmt.Sprintf("none of %d candidates is better than the base", s.Feasible)
	case constrained:
		return fmt.Sprintf("best of %d candidates that keep the Western %s at %.4f (%g of the base's %.4f)",
			s.Feasible, what, s.Threshold, r.Rho, s.BaseWestern)
	}
	return fmt.Sprintf("best of %d candidates, no constraint on Western", s.Candidates)
}
