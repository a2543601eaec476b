package op

import (
	"fmt"
	"math"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op/elem"
)

type meanSquare struct {
	x mat.Tensor
	y *mat.Dense[float32]
}

// MeanSquare returns the mean of x² over all elements, a scalar.
func MeanSquare(x mat.Tensor) mat.Tensor { return run(&meanSquare{x: x}) }

func (l *meanSquare) Operands() []mat.Tensor { return []mat.Tensor{l.x} }

func (l *meanSquare) Forward() (mat.Tensor, error) {
	x := values(l.x)
	var s float64
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	l.y = scalar(s / float64(len(x)))
	return l.y, nil
}

func (l *meanSquare) Backward(gy mat.Tensor) error {
	x := values(l.x)
	g := make([]float32, len(x))
	elem.AddScaled(g, x, 2*values(gy)[0]/float32(len(x)))
	give(l.x, g)
	l.y.ZeroGrad()
	return nil
}

// scalar wraps v as a 1x1 matrix.
func scalar(v float64) *mat.Dense[float32] { return Tensor(1, 1, []float32{float32(v)}) }

type maskedMSE struct {
	pred   mat.Tensor
	target []float32
	rows   []int
	y      *mat.Dense[float32]
}

// MaskedMSE returns the mean of (pred − target)² over the given rows of pred:
// pred [all rows][bins], target [len(rows)][bins] -> scalar. With no rows it is 0.
func MaskedMSE(pred mat.Tensor, target []float32, rows []int) mat.Tensor {
	all, bins := dims(pred)
	if len(target) != len(rows)*bins {
		panic(fmt.Sprintf("op: MaskedMSE: target has %d elements, want %d", len(target), len(rows)*bins))
	}
	mustRows("MaskedMSE", rows, all)
	return run(&maskedMSE{pred: pred, target: target, rows: rows})
}

// mustRows panics where a row is not in [0, n).
func mustRows(operator string, rows []int, n int) {
	for _, r := range rows {
		if r < 0 || r >= n {
			panic(fmt.Sprintf("op: %s: row %d of %d", operator, r, n))
		}
	}
}

func (l *maskedMSE) Operands() []mat.Tensor { return []mat.Tensor{l.pred} }

func (l *maskedMSE) Forward() (mat.Tensor, error) {
	_, bins := dims(l.pred)
	x := values(l.pred)
	var s float64
	for i, r := range l.rows {
		for j, v := range l.target[i*bins : (i+1)*bins] {
			d := float64(x[r*bins+j]) - float64(v)
			s += d * d
		}
	}
	l.y = scalar(s / float64(max(1, len(l.target))))
	return l.y, nil
}

func (l *maskedMSE) Backward(gy mat.Tensor) error {
	all, bins := dims(l.pred)
	x, g := values(l.pred), make([]float32, all*bins)
	scale := 2 * values(gy)[0] / float32(max(1, len(l.target)))
	for i, r := range l.rows {
		for j, v := range l.target[i*bins : (i+1)*bins] {
			g[r*bins+j] += scale * (x[r*bins+j] - v)
		}
	}
	give(l.pred, g)
	l.y.ZeroGrad()
	return nil
}

type weightedSum struct {
	weights []float32
	terms   []mat.Tensor
	y       *mat.Dense[float32]
}

// WeightedSum returns Σ weights[i]·terms[i] of scalars.
func WeightedSum(weights []float32, terms ...mat.Tensor) mat.Tensor {
	if len(weights) != len(terms) {
		panic(fmt.Sprintf("op: WeightedSum: %d weights for %d terms", len(weights), len(terms)))
	}
	for i, t := range terms {
		mustSize("WeightedSum", fmt.Sprintf("term %d", i), t, 1)
	}
	return run(&weightedSum{weights: weights, terms: terms})
}

func (l *weightedSum) Operands() []mat.Tensor { return l.terms }

func (l *weightedSum) Forward() (mat.Tensor, error) {
	var s float64
	for i, t := range l.terms {
		s += float64(l.weights[i]) * float64(values(t)[0])
	}
	l.y = scalar(s)
	return l.y, nil
}

func (l *weightedSum) Backward(gy mat.Tensor) error {
	g := values(gy)[0]
	for i, t := range l.terms {
		if t.RequiresGrad() {
			give(t, []float32{l.weights[i] * g})
		}
	}
	l.y.ZeroGrad()
	return nil
}

type bce struct {
	x       mat.Tensor
	targets []float32
	y       *mat.Dense[float32]
}

// BCEWithLogits returns the mean over all elements of the binary cross-entropy
// −t·ln σ(x) − (1−t)·ln(1 − σ(x)) in nats, computed as
// max(x, 0) − x·t + ln(1 + e^−|x|). targets has the elements of logits, each in
// [0, 1].
func BCEWithLogits(logits mat.Tensor, targets []float32) mat.Tensor {
	mustSize("BCEWithLogits", "logits", logits, len(targets))
	return run(&bce{x: logits, targets: targets})
}

func (l *bce) Operands() []mat.Tensor { return []mat.Tensor{l.x} }

func (l *bce) Forward() (mat.Tensor, error) {
	var s float64
	for i, x := range values(l.x) {
		v := float64(x)
		s += max(v, 0) - v*float64(l.targets[i]) + math.Log1p(math.Exp(-math.Abs(v)))
	}
	l.y = scalar(s / float64(len(l.targets)))
	return l.y, nil
}

func (l *bce) Backward(gy mat.Tensor) error {
	x := values(l.x)
	g := make([]float32, len(x))
	scale := float64(values(gy)[0]) / float64(len(x))
	for i, v := range x {
		g[i] = float32(scale * (1/(1+math.Exp(-float64(v))) - float64(l.targets[i])))
	}
	give(l.x, g)
	l.y.ZeroGrad()
	return nil
}
