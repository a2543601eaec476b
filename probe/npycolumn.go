package probe

import (
	"fmt"
	"math"
)

// ReadClasses reads an .npy file of the class of each item: integers [items] or [items][1], or 0/1 labels [items][classes] with a
// single 1 an item. Files, dtypes and errors are those of [ReadScores]; a class that is not a whole number of at least 0 is an error.
func ReadClasses(path string) ([]int, error) {
	a, err := openNPY(path, true)
	if err != nil {
		return nil, err
	}
	out := make([]int, a.rows)
	if a.cols == 1 {
		for i := range out {
			v := a.at(i, 0)
			if !(v >= 0 && v <= math.MaxInt32 && v == math.Trunc(v)) {
				return nil, fmt.Errorf("%s: %w: item %d: class is %v, want a whole number of at least 0", path, ErrInvalid, i, v)
			}
			out[i] = int(v)
		}
		return out, nil
	}
	labels, err := a.labels()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i, row := range labels {
		out[i] = -1
		for k, own := range row {
			switch {
			case own && out[i] >= 0:
				return nil, fmt.Errorf("%s: %w: item %d: classes %d and %d, want one", path, ErrInvalid, i, out[i], k)
			case own:
				out[i] = k
			}
		}
		if out[i] < 0 {
			return nil, fmt.Errorf("%s: %w: item %d has no class", path, ErrInvalid, i)
		}
	}
	return out, nil
}

// ReadOutputs reads an .npy file of real values [items][outputs], or [items] for one output, as [ReadScores] reads scores.
func ReadOutputs(path string) ([][]float64, error) {
	a, err := openNPY(path, true)
	if err != nil {
		return nil, err
	}
	return a.values(), nil
}

// ReadGroups reads an .npy file [items] or [items][1] of whole numbers that say which items belong together, as those of one recording.
func ReadGroups(path string) ([]int, error) {
	a, err := openNPY(path, true)
	if err != nil {
		return nil, err
	}
	if a.cols != 1 {
		return nil, fmt.Errorf("%s: %w: shape (%d, %d), want one number an item", path, ErrInvalid, a.rows, a.cols)
	}
	out := make([]int, a.rows)
	for i := range out {
		v := a.at(i, 0)
		if !(math.Abs(v) < 1<<53 && v == math.Trunc(v)) {
			return nil, fmt.Errorf("%s: %w: item %d: group is %v, want a whole number", path, ErrInvalid, i, v)
		}
		out[i] = int(v)
	}
	return out, nil
}
