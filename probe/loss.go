package probe

import (
	"fmt"
	"math"

	"syncretic/probe/dataset"
)

// Task is what the columns of a split's labels mean, and with that the loss and the number by which choices are made.
type Task string

// The tasks of MARBLE's probes.
const (
	MultiLabel  Task = ""             // any number of tags an item: binary cross-entropy, macro ROC-AUC
	SingleLabel Task = "single-label" // exactly one class an item: cross-entropy, accuracy
	Regression  Task = "regression"   // real targets: mean squared error, mean R2
)

// taskOf is the task of a dataset.
func taskOf(t dataset.Task) Task {
	switch t {
	case dataset.Single:
		return SingleLabel
	case dataset.Regression:
		return Regression
	}
	return MultiLabel
}

func (t Task) check() error {
	if t != MultiLabel && t != SingleLabel && t != Regression {
		return fmt.Errorf("%w: task %q, want %q, %q or none for several labels an item", ErrInvalid, string(t), SingleLabel, Regression)
	}
	return nil
}

// gradient returns the loss of logits z [rows][columns] for targets y of the same shape, and puts its gradient in z's place:
//
//	multi-label   mean over rows and columns of log(1 + exp(z)) - y·z      BCEWithLogitsLoss
//	single-label  mean over rows of log Σ exp(z) - z[class]                CrossEntropyLoss; y is one-hot
//	regression    mean over rows and columns of (z - y)²                   MSELoss
func (t Task) gradient(z, y []float32, columns int) float64 {
	rows := len(z) / columns
	var sum float64
	switch t {
	case SingleLabel:
		for at := 0; at < len(z); at += columns {
			sum += crossEntropy(z[at:at+columns], y[at:at+columns], 1/float64(rows))
		}
		return sum / float64(rows)
	case Regression:
		scale := 2 / float32(len(z))
		for i, v := range z {
			d := v - y[i]
			sum += float64(d) * float64(d)
			z[i] = scale * d
		}
	default:
		scale := 1 / float64(len(z))
		for i, v := range z {
			x, target := float64(v), float64(y[i])
			e := math.Exp(-math.Abs(x))
			sum += max(x, 0) - target*x + math.Log1p(e)
			p := 1 / (1 + e)
			if x < 0 {
				p = e * p
			}
			z[i] = float32(scale * (p - target))
		}
	}
	return sum / float64(len(z))
}

// crossEntropy returns the loss of one row and puts its gradient, times scale, in z's place.
func crossEntropy(z, y []float32, scale float64) float64 {
	top := math.Inf(-1)
	for _, v := range z {
		top = max(top, float64(v))
	}
	var sum, at float64
	for i, v := range z {
		sum += math.Exp(float64(v) - top)
		at += float64(v) * float64(y[i])
	}
	logSum := top + math.Log(sum)
	for i, v := range z {
		z[i] = float32(scale * (math.Exp(float64(v)-logSum) - float64(y[i])))
	}
	return logSum - at
}

// probabilities puts what a head predicts in the place of an item's logits: sigmoids, a softmax, or the values themselves.
func (t Task) probabilities(row []float64) {
	switch t {
	case Regression:
	case SingleLabel:
		copy(row, softmax(row))
	default:
		for i, z := range row {
			row[i] = sigmoid(z)
		}
	}
}
