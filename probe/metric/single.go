package metric

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// ClassResult is what SingleLabel measures. Its JSON is that of `syncretic probe score --task single --json`.
type ClassResult struct {
	Items    int     `json:"items"`
	Classes  int     `json:"classes"`
	Accuracy float64 `json:"accuracy"` // share of items whose highest score is that of their class
	F1       ClassF1 `json:"f1"`
}

// ClassF1 is F1 by class. A class that is neither an item's nor predicted is NaN in PerClass, null in JSON.
type ClassF1 struct {
	Macro    float64
	PerClass []float64
	LeftOut  int // classes that Macro leaves out because they are NaN
}

// SingleLabel returns top-1 accuracy and macro F1 of scores [items][classes] against the class of each item, 0 to classes-1. The class
// predicted is that of the highest score, of equals the first, as numpy's argmax. Values are those of scikit-learn's accuracy_score and
// f1_score(average="macro", zero_division=0) on these predictions: the macro mean is over the classes that are an item's or predicted.
// Errors wrap [ErrInvalid]: no items, ragged rows, scores that are not finite, a class that has no score.
func SingleLabel(scores [][]float64, classes []int) (ClassResult, error) {
	width, err := validateClasses(scores, classes)
	if err != nil {
		return ClassResult{}, err
	}
	counts, correct := make([]confusion, width), 0
	for i, row := range scores {
		predicted := argmax(row)
		addClass(counts, predicted, classes[i], 1)
		if predicted == classes[i] {
			correct++
		}
	}
	out := ClassResult{Items: len(scores), Classes: width, Accuracy: float64(correct) / float64(len(scores)), F1: ClassF1{PerClass: make([]float64, width)}}
	for k, c := range counts {
		out.F1.PerClass[k] = c.f1OfPresent()
	}
	out.F1.Macro, out.F1.LeftOut = mean(out.F1.PerClass)
	return out, nil
}

// ClassStatistic is a statistic of single-label taggers.
type ClassStatistic int

// The statistics of single-label taggers.
const (
	Accuracy     ClassStatistic = iota // ClassResult.Accuracy
	ClassMacroF1                       // ClassResult.F1.Macro
)

// Prepare returns the statistic as a function of how often each item counts, for [Bootstrap], [Difference] and [Exchange]. Errors are
// SingleLabel's.
func (k ClassStatistic) Prepare(scores [][]float64, classes []int) (func(counts []int) float64, error) {
	width, err := validateClasses(scores, classes)
	if err != nil {
		return nil, err
	}
	predicted, classes := make([]int, len(scores)), slices.Clone(classes)
	for i, row := range scores {
		predicted[i] = argmax(row)
	}
	if k == ClassMacroF1 {
		return func(counts []int) float64 {
			all := make([]confusion, width)
			for i, n := range counts {
				addClass(all, predicted[i], classes[i], n)
			}
			values := make([]float64, width)
			for c := range all {
				values[c] = all[c].f1OfPresent()
			}
			macro, _ := mean(values)
			return macro
		}, nil
	}
	return func(counts []int) float64 {
		correct, all := 0, 0
		for i, n := range counts {
			all += n
			if predicted[i] == classes[i] {
				correct += n
			}
		}
		return float64(correct) / float64(all)
	}, nil
}

// addClass counts n items of a class that are predicted as another, or as the same.
func addClass(counts []confusion, predicted, class, n int) {
	if predicted == class {
		counts[class].tp += n
		return
	}
	counts[predicted].fp += n
	counts[class].fn += n
}

// f1OfPresent is f1, but NaN of a class that does not occur.
func (c confusion) f1OfPresent() float64 {
	if c == (confusion{}) {
		return math.NaN()
	}
	return c.f1()
}

// argmax returns the first index of the highest value.
func argmax(row []float64) int {
	best := 0
	for k, v := range row {
		if v > row[best] {
			best = k
		}
	}
	return best
}

// validateClasses returns the number of classes.
func validateClasses(scores [][]float64, classes []int) (int, error) {
	width, err := validateRows("scores", scores)
	if err != nil {
		return 0, err
	}
	if len(classes) != len(scores) {
		return 0, fmt.Errorf("%w: scores of %d items, classes of %d", ErrInvalid, len(scores), len(classes))
	}
	for i, c := range classes {
		if c < 0 || c >= width {
			return 0, fmt.Errorf("%w: item %d is of class %d, want 0 to %d, the classes that have scores", ErrInvalid, i, c, width-1)
		}
	}
	return width, nil
}

// classF1JSON is ClassF1 with pointers in place of NaN.
type classF1JSON struct {
	Macro    *float64   `json:"macro"`
	PerClass []*float64 `json:"per_class"`
	LeftOut  int        `json:"left_out"`
}

// MarshalJSON writes {"macro", "per_class", "left_out"}, with null for NaN.
func (f ClassF1) MarshalJSON() ([]byte, error) {
	return json.Marshal(classF1JSON{orNull(f.Macro), orNulls(f.PerClass), f.LeftOut})
}

// UnmarshalJSON reads what MarshalJSON writes, with NaN for null.
func (f *ClassF1) UnmarshalJSON(data []byte) error {
	var in classF1JSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*f = ClassF1{orNaN(in.Macro), orNaNs(in.PerClass), in.LeftOut}
	return nil
}
