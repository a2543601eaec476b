package probe

import (
	"fmt"
	"math"
	"slices"

	"syncretic/probe/metric"
)

// targets are what a head is to predict for every row: labels, or the values of a regression.
type targets struct {
	task   Task
	labels [][]bool
	values [][]float64
}

func newTargets(s Split) *targets {
	if s.Task == Regression {
		return &targets{task: s.Task, values: byRow(s.Features, s.Targets)}
	}
	return &targets{task: s.Task, labels: byRow(s.Features, s.Labels)}
}

// rows appends the targets [len(at)][columns] of rows to dst: 1 and 0 for labels.
func (t *targets) rows(dst []float32, at []int) []float32 {
	for _, i := range at {
		if t.task == Regression {
			for _, v := range t.values[i] {
				dst = append(dst, float32(v))
			}
			continue
		}
		for _, positive := range t.labels[i] {
			var y float32
			if positive {
				y = 1
			}
			dst = append(dst, y)
		}
	}
	return dst
}

// checkLabels returns an error unless the split has what its task needs for every item.
func (s Split) checkLabels(items int) error {
	if err := s.Task.check(); err != nil {
		return fmt.Errorf("split %q: %w", s.Name, err)
	}
	if s.Task == Regression {
		return checkTargets(s, items)
	}
	if len(s.Labels) != items {
		return fmt.Errorf("%w: split %q: labels of %d items, features of %d", ErrInvalid, s.Name, len(s.Labels), items)
	}
	for i, row := range s.Labels {
		if len(row) != len(s.Tags) {
			return fmt.Errorf("%w: split %q, item %d: %d labels, want %d", ErrInvalid, s.Name, i, len(row), len(s.Tags))
		}
		positives := 0
		for _, positive := range row {
			if positive {
				positives++
			}
		}
		if s.Task == SingleLabel && positives != 1 {
			return fmt.Errorf("%w: split %q, item %d: %d classes, want one", ErrInvalid, s.Name, i, positives)
		}
	}
	return nil
}

func checkTargets(s Split, items int) error {
	if len(s.Targets) != items {
		return fmt.Errorf("%w: split %q: targets of %d items, features of %d", ErrInvalid, s.Name, len(s.Targets), items)
	}
	for i, row := range s.Targets {
		if len(row) != len(s.Tags) {
			return fmt.Errorf("%w: split %q, item %d: %d targets, want %d", ErrInvalid, s.Name, i, len(row), len(s.Tags))
		}
		for t, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%w: split %q, item %d: target %q is %v", ErrInvalid, s.Name, i, s.Tags[t], v)
			}
		}
	}
	return nil
}

// units are the mean and deviation of a regression's targets on train. Heads learn targets of mean 0 and deviation 1, as MARBLE's
// do; R2 is the same in both.
type units struct{ mean, scale []float64 } // nil for labels

func newUnits(train Split) units {
	if train.Task != Regression {
		return units{}
	}
	u := units{mean: make([]float64, len(train.Tags)), scale: make([]float64, len(train.Tags))}
	n := float64(len(train.Targets))
	for t := range train.Tags {
		var square float64
		for _, row := range train.Targets {
			u.mean[t] += row[t] / n
		}
		for _, row := range train.Targets {
			square += (row[t] - u.mean[t]) * (row[t] - u.mean[t]) / n
		}
		if u.scale[t] = math.Sqrt(square); u.scale[t] == 0 {
			u.scale[t] = 1
		}
	}
	return u
}

// standard returns s with its targets in the units.
func (u units) standard(s Split) Split {
	if u.mean == nil {
		return s
	}
	from := s.Targets
	s.Targets = make([][]float64, len(from))
	for i, row := range from {
		s.Targets[i] = make([]float64, len(row))
		for t, v := range row {
			s.Targets[i][t] = (v - u.mean[t]) / u.scale[t]
		}
	}
	return s
}

// restore makes the last layer of a head, weights [tags][inputs] and bias [tags], predict targets as they are.
func (u units) restore(weight, bias []float32) {
	for t, mean := range u.mean {
		inputs := len(weight) / len(bias)
		for j, w := range weight[t*inputs : (t+1)*inputs] {
			weight[t*inputs+j] = float32(float64(w) * u.scale[t])
		}
		bias[t] = float32(float64(bias[t])*u.scale[t] + mean)
	}
}

// The numbers by which choices are made on the valid items, as [Chosen.Monitor] names them.
const (
	byROCAUC   = "roc_auc"
	byAccuracy = "accuracy"
	byR2       = "r2"
)

// monitor returns the name of what score computes.
func (t Task) monitor() string {
	switch t {
	case SingleLabel:
		return byAccuracy
	case Regression:
		return byR2
	}
	return byROCAUC
}

// score judges predictions [items][columns], logits or probabilities: macro ROC-AUC, accuracy, or the mean of the columns' R2.
// It is an error where that is undefined.
func (s Split) score(z [][]float64) (float64, error) {
	switch s.Task {
	case SingleLabel:
		r, err := metric.SingleLabel(z, s.classes())
		return r.Accuracy, err
	case Regression:
		if err := s.checkVaried(); err != nil {
			return 0, err
		}
		r, err := metric.Regression(z, s.Targets)
		return r.R2.Mean, err
	}
	auc, err := metric.ROCAUC(z, s.Labels)
	if err != nil {
		return 0, err
	}
	if math.IsNaN(auc.Macro) {
		return 0, fmt.Errorf("%w: split %q: no tag has both positive and negative items, nothing can be chosen on it", ErrInvalid, s.Name)
	}
	return auc.Macro, nil
}

// classes are the items' classes in a single-label split, which has exactly one label an item.
func (s Split) classes() []int {
	classes := make([]int, len(s.Labels))
	for i, row := range s.Labels {
		classes[i] = slices.Index(row, true)
	}
	return classes
}

// checkVaried returns an error where a target is the same for all items: its R2 would say nothing.
func (s Split) checkVaried() error {
	for t, name := range s.Tags {
		first := s.Targets[0][t]
		if !slices.ContainsFunc(s.Targets, func(row []float64) bool { return row[t] != first }) {
			return fmt.Errorf("%w: split %q: R2 of %q is undefined: its targets are all %v", ErrInvalid, s.Name, name, first)
		}
	}
	return nil
}

// measure computes the metrics of tags, for any number of them an item. A regression has none: ranking metrics are NaN.
func (s Split) measure(scores [][]float64, threshold float64) (metric.Result, error) {
	if s.Task == Regression {
		none := metric.Summary{Macro: math.NaN(), Micro: math.NaN()}
		return metric.Result{Items: len(scores), Tags: len(s.Tags), ROCAUC: none, AveragePrecision: none}, nil
	}
	return metric.MultiLabel(scores, s.Labels, threshold)
}
