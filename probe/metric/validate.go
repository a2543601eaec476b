package metric

import (
	"errors"
	"fmt"
	"math"
)

// ErrInvalid reports scores and labels that no metric is defined for.
var ErrInvalid = errors.New("invalid scores or labels")

// validate returns the number of tags, or an error for input that breaks a rule of the package comment.
func validate(scores [][]float64, labels [][]bool) (tags int, err error) {
	if len(scores) != len(labels) {
		return 0, fmt.Errorf("%w: scores of %d items, labels of %d", ErrInvalid, len(scores), len(labels))
	}
	if len(scores) == 0 {
		return 0, fmt.Errorf("%w: no items", ErrInvalid)
	}
	tags = len(labels[0])
	if tags == 0 {
		return 0, fmt.Errorf("%w: no tags", ErrInvalid)
	}
	for i, row := range scores {
		if len(row) != tags {
			return 0, fmt.Errorf("%w: item %d has scores for %d tags, want %d", ErrInvalid, i, len(row), tags)
		}
		if len(labels[i]) != tags {
			return 0, fmt.Errorf("%w: item %d has labels for %d tags, want %d", ErrInvalid, i, len(labels[i]), tags)
		}
		for t, s := range row {
			if math.IsNaN(s) || math.IsInf(s, 0) {
				return 0, fmt.Errorf("%w: item %d, tag %d: score is %v, want a finite number", ErrInvalid, i, t, s)
			}
		}
	}
	return tags, nil
}

// validateRows returns the width of a table of finite numbers that is not empty.
func validateRows(what string, rows [][]float64) (int, error) {
	if len(rows) == 0 || len(rows[0]) == 0 {
		return 0, fmt.Errorf("%w: no %s", ErrInvalid, what)
	}
	for i, row := range rows {
		if len(row) != len(rows[0]) {
			return 0, fmt.Errorf("%w: %s: item %d has %d values, want %d", ErrInvalid, what, i, len(row), len(rows[0]))
		}
		for k, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, fmt.Errorf("%w: %s: item %d, column %d is %v, want a finite number", ErrInvalid, what, i, k, v)
			}
		}
	}
	return len(rows[0]), nil
}
