package metric

import (
	"cmp"
	"fmt"
	"slices"
)

// Holm returns the p-values adjusted for the number of tests, for example one a dataset: the k-th smallest of m, counted from 0, times
// m - k, but never below a smaller one's nor above 1. Those at most alpha may be called significant, and the probability that any is so
// by chance stays below alpha, whatever the tests have to do with each other (Holm 1979). The order of p is kept. Errors wrap
// [ErrInvalid]: a value that is not in [0, 1].
func Holm(p []float64) ([]float64, error) {
	order := make([]int, len(p))
	for i, v := range p {
		if !(v >= 0 && v <= 1) {
			return nil, fmt.Errorf("%w: p-value %d is %v, want 0 to 1", ErrInvalid, i, v)
		}
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	out, least := make([]float64, len(p)), 0.0
	for k, i := range order {
		least = max(least, min(1, float64(len(p)-k)*p[i]))
		out[i] = least
	}
	return out, nil
}
