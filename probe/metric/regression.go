package metric

import (
	"encoding/json"
	"fmt"
	"math"
)

// RegressionResult is what Regression measures. Its JSON is that of `syncretic probe score --task regression --json`.
type RegressionResult struct {
	Items   int `json:"items"`
	Outputs int `json:"outputs"`
	R2      R2  `json:"r2"`
}

// R2 is the coefficient of determination of each output and their mean, each output weighing the same. NaN, null in JSON, for one item.
type R2 struct {
	Mean      float64
	PerOutput []float64
}

// Regression returns R² of predictions [items][outputs] of targets [items][outputs],
//
//	R² = 1 - Σ (target - prediction)² / Σ (target - mean target)²
//
// as scikit-learn's r2_score with multioutput="uniform_average". Of a constant target it is 1 where every prediction is exact, else 0
// (force_finite=True). Unlike scikit-learn, a target counts as constant where all its values are equal: the mean of equal numbers may
// be off by a rounding, and their distances from it then give any value. R² of one item is undefined. Errors wrap [ErrInvalid]: no
// items, ragged rows, shapes that differ, values that are not finite or so large that their squares are not.
func Regression(predictions, targets [][]float64) (RegressionResult, error) {
	outputs, err := validateOutputs(predictions, targets)
	if err != nil {
		return RegressionResult{}, err
	}
	out := RegressionResult{Items: len(targets), Outputs: outputs, R2: R2{PerOutput: make([]float64, outputs)}}
	for k := range outputs {
		residual, total, err := squares(predictions, targets, k)
		if err != nil {
			return RegressionResult{}, err
		}
		out.R2.PerOutput[k] = determination(len(targets), residual, total)
	}
	out.R2.Mean, _ = mean(out.R2.PerOutput)
	return out, nil
}

// squares returns the sums of squares of an output: of the errors, and of the distances from the mean, 0 of a constant target.
func squares(predictions, targets [][]float64, k int) (residual, total float64, err error) {
	var centre, errors, distances sum
	constant := true
	for _, row := range targets {
		centre.add(row[k])
		constant = constant && row[k] == targets[0][k]
	}
	m := centre.value() / float64(len(targets))
	for i, row := range targets {
		e, d := row[k]-predictions[i][k], row[k]-m
		errors.add(e * e)
		if !constant {
			distances.add(d * d)
		}
	}
	residual, total = errors.value(), distances.value()
	if !(residual+total <= math.MaxFloat64) {
		return 0, 0, fmt.Errorf("%w: output %d: values so large that their squares are not finite", ErrInvalid, k)
	}
	return residual, total, nil
}

// determination is R² of the sums of squares of n items.
func determination(n int, residual, total float64) float64 {
	switch {
	case n < 2:
		return math.NaN()
	case total != 0:
		return 1 - residual/total
	case residual == 0:
		return 1
	}
	return 0
}

// PrepareR2 returns R2.Mean as a function of how often each item counts, for [Bootstrap], [Difference] and [Exchange]. Errors are
// those of [Regression].
func PrepareR2(predictions, targets [][]float64) (func(counts []int) float64, error) {
	outputs, err := validateOutputs(predictions, targets)
	if err != nil {
		return nil, err
	}
	// Targets from their mean over all items, so that the one-pass form below does not cancel.
	target, squared := make([][]float64, outputs), make([][]float64, outputs)
	for k := range outputs {
		if _, _, err := squares(predictions, targets, k); err != nil {
			return nil, err
		}
		var centre sum
		for _, row := range targets {
			centre.add(row[k])
		}
		m := centre.value() / float64(len(targets))
		for i, row := range targets {
			e := row[k] - predictions[i][k]
			target[k], squared[k] = append(target[k], row[k]-m), append(squared[k], e*e)
		}
	}
	return func(counts []int) float64 {
		values := make([]float64, outputs)
		for k := range values {
			values[k] = countedR2(counts, target[k], squared[k])
		}
		m, _ := mean(values)
		return m
	}, nil
}

// countedR2 is R² of centred targets with their squared errors, each as often as it counts.
func countedR2(counts []int, target, squared []float64) float64 {
	n, first, constant := 0, 0.0, true
	var linear, square, residual float64
	for i, count := range counts {
		if count == 0 {
			continue
		}
		if n == 0 {
			first = target[i]
		}
		constant = constant && target[i] == first
		c := float64(count)
		n += count
		linear += c * target[i]
		square += c * target[i] * target[i]
		residual += c * squared[i]
	}
	if constant {
		return determination(n, residual, 0)
	}
	return determination(n, residual, square-linear*linear/float64(n))
}

// sum adds numbers with the roundings of each addition carried along (Neumaier 1974).
type sum struct{ total, lost float64 }

func (s *sum) add(v float64) {
	t := s.total + v
	if math.Abs(s.total) >= math.Abs(v) {
		s.lost += s.total - t + v
	} else {
		s.lost += v - t + s.total
	}
	s.total = t
}

func (s *sum) value() float64 { return s.total + s.lost }

// validateOutputs returns the number of outputs.
func validateOutputs(predictions, targets [][]float64) (int, error) {
	outputs, err := validateRows("targets", targets)
	if err != nil {
		return 0, err
	}
	width, err := validateRows("predictions", predictions)
	if err != nil {
		return 0, err
	}
	if len(predictions) != len(targets) || width != outputs {
		return 0, fmt.Errorf("%w: predictions are [%d][%d], targets [%d][%d]", ErrInvalid, len(predictions), width, len(targets), outputs)
	}
	return outputs, nil
}

// r2JSON is R2 with pointers in place of NaN.
type r2JSON struct {
	Mean      *float64   `json:"mean"`
	PerOutput []*float64 `json:"per_output"`
}

// MarshalJSON writes {"mean", "per_output"}, with null for NaN.
func (r R2) MarshalJSON() ([]byte, error) {
	return json.Marshal(r2JSON{orNull(r.Mean), orNulls(r.PerOutput)})
}

// UnmarshalJSON reads what MarshalJSON writes, with NaN for null.
func (r *R2) UnmarshalJSON(data []byte) error {
	var in r2JSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*r = R2{orNaN(in.Mean), orNaNs(in.PerOutput)}
	return nil
}
