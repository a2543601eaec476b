package metric

import "fmt"

// Interval is a difference of two taggers with its 95 % percentile interval.
type Interval struct {
	Difference  float64 `json:"difference"`  // statistic(A) - statistic(B) over all items
	Low         float64 `json:"low"`         // 2.5 % quantile of the replicates' differences
	High        float64 `json:"high"`        // 97.5 % quantile
	Significant bool    `json:"significant"` // 0 lies outside [Low, High]
	Replicates  int     `json:"replicates"`  // resamples in which the statistic of both was defined
}

// PairedBootstrap draws the items with replacement, replicates times, computes statistic(A) - statistic(B) on each draw,
// the same items for both, and returns the difference over all items with the 2.5 % and 97.5 % quantiles of the draws:
// [Difference] for multi-label taggers whose items are recordings. Positive means that A is better.
func PairedBootstrap(labels [][]bool, scoresA, scoresB [][]float64, statistic Statistic, replicates int, seed uint64) (Interval, error) {
	if err := validatePair(labels, scoresA, scoresB); err != nil {
		return Interval{}, err
	}
	return Difference(len(labels), statistic.Prepare(scoresA, labels), statistic.Prepare(scoresB, labels), Sampling{Replicates: replicates, Seed: seed})
}

// Difference is [Bootstrap] of the difference a - b of the statistics of two taggers on the same items: each draw counts the same
// recordings for both. Errors are Bootstrap's.
func Difference(items int, a, b func(counts []int) float64, s Sampling) (Interval, error) {
	e, err := Bootstrap(items, func(counts []int) float64 { return a(counts) - b(counts) }, s)
	if err != nil {
		return Interval{}, err
	}
	return Interval{Difference: e.Value, Low: e.Low, High: e.High, Significant: e.Low > 0 || e.High < 0, Replicates: e.Replicates}, nil
}

// validatePair checks the scores of two taggers against the labels of both.
func validatePair(labels [][]bool, scoresA, scoresB [][]float64) error {
	tags, err := validate(scoresA, labels)
	if err != nil {
		return fmt.Errorf("tagger A: %w", err)
	}
	if other, err := validate(scoresB, labels); err != nil {
		return fmt.Errorf("tagger B: %w", err)
	} else if other != tags {
		return fmt.Errorf("%w: tagger A scores %d tags, B %d", ErrInvalid, tags, other)
	}
	return nil
}
