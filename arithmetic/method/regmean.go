package method

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"syncretic/checkpoint"
)

// regMean is RegMean (arXiv 2212.09849, equation 2): the weight whose outputs are nearest, over the inputs of all models, to those of
// each model's own weight on its own inputs. With Gram matrices G_i = XᵀX of the layer's inputs, and G̃ = α G + (1 − α) diag(G),
//
//	W = (Σ w_i W_i G̃_i)(Σ w_i G̃_i)⁻¹
//
// α is non_diagonal. Its default is 0.1, the value of nearly all configurations that the authors ship; values near 1 trust the
// statistics more, and need more examples.
//
// A tensor without statistics in any model is the weighted mean, as norms and biases are; statistics that only some models have
// for it are an error. What no input excites (a feature that is always 0) is the weighted mean too: the matrix that is inverted has
// 1e-12 of its mean diagonal added toward that. Unlike in the authors' code, a convolution's kernel takes part, as [out][in·k].
func regMean(t *Task) (kernel, error) {
	mean, err := t.mean()
	if err != nil {
		return nil, err
	}
	rows, width := t.matrixShape()
	known, err := described(mean.models, width)
	if err != nil || !known {
		return mean, err
	}
	center := mat.NewDense(rows, width, nil)
	var total float64
	for _, m := range mean.models {
		w, err := t.matrix(m, nil)
		if err != nil {
			return nil, err
		}
		center.Add(center, w)
		total += m.weight
	}
	center.Scale(1/total, center)
	grams, pull := mat.NewSymDense(width, nil), mat.NewDense(rows, width, nil) // Σ w G̃, and Σ w (W − mean) G̃
	for _, m := range mean.models {
		d, err := t.matrix(contributor{Input: m.Input, weight: 1}, nil)
		if err != nil {
			return nil, err
		}
		g, err := t.gramOf(m, width)
		if err != nil {
			return nil, err
		}
		d.Sub(d, center)
		if err := t.solver().Do(func() {
			var part mat.Dense
			part.Mul(d, g)
			pull.Add(pull, &part)
			grams.AddSym(grams, mat.NewSymDense(width, flat(g)))
		}); err != nil {
			return nil, err
		}
	}
	if trace := mat.Trace(grams); trace > 0 {
		for i := range width {
			grams.SetSym(i, i, grams.At(i, i)+1e-12*trace/float64(width))
		}
		if err := t.solve(center, grams, pull); err != nil {
			return nil, err
		}
	}
	k := &moved{base: mean.base, m: flat(center)}
	if k.base != nil {
		origin, err := t.matrix(contributor{Input: k.base, weight: 1}, nil)
		if err != nil {
			return nil, err
		}
		center.Sub(center, origin)
	}
	return k, nil
}

// solve adds pull·grams⁻¹ to center.
func (t *Task) solve(center *mat.Dense, grams *mat.SymDense, pull *mat.Dense) error {
	var step mat.Dense
	ok := false
	var failed error
	err := t.solver().Do(func() {
		var factors mat.Cholesky
		if ok = factors.Factorize(grams); ok {
			failed = factors.SolveTo(&step, pull.T())
		}
	})
	if err != nil {
		return err
	}
	var near mat.Condition // gonum warns of what the ridge is there for
	if !ok || failed != nil && !errors.As(failed, &near) {
		return invalid("the sum of the Gram matrices is not positive definite: the statistics are too coarse, or not XᵀX")
	}
	center.Add(center, step.T())
	return nil
}

// described tells whether the models have Gram matrices [width][width] for the tensor: all, or none.
func described(models contributors, width int) (bool, error) {
	var without []string
	for _, m := range models {
		if m.Stats == nil {
			return false, invalid("%s: no statistics are given", m.Model)
		}
		if _, ok := checkpoint.Find(m.Stats, m.Name); !ok {
			without = append(without, m.Model)
		}
	}
	if len(without) == len(models) {
		return false, nil
	}
	if len(without) > 0 {
		return false, invalid("the statistics of %s lack the tensor, which others have", strings.Join(without, ", "))
	}
	for _, m := range models {
		if err := m.describes([]int{width, width}); err != nil {
			return false, err
		}
	}
	return true, nil
}

// gramOf is w·G̃ of a model. A matrix that cannot be XᵀX is an error.
func (t *Task) gramOf(m contributor, n int) (*mat.Dense, error) {
	data := make([]float64, n*n)
	err := overChunks(len(data), chunkElements, t.Interrupt, func(c chunk, w *work) error {
		for lo := c.lo; lo < c.hi; lo += blockElements {
			w.reset()
			x := w.block(min(blockElements, c.hi-lo))
			if err := m.Stats.Read(m.Name, lo, x); err != nil {
				return fmt.Errorf("%s: statistics: %w", m.Model, err)
			}
			for i, v := range x {
				data[lo+i] = float64(v)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	diagonal := make([]float64, n)
	for i := range n {
		diagonal[i] = data[i*n+i]
	}
	if least, most := slices.Min(diagonal), slices.Max(diagonal); !(least >= 0) || math.IsInf(most, 0) {
		return nil, invalid("%s: statistics: the diagonal of the Gram matrix reaches from %v to %v, want sums of squares", m.Model, least, most)
	}
	const tolerance = 1e-2 // of the largest that an element can be: sums in 16 bits
	alpha := t.Params["non_diagonal"]
	for i := range n {
		for j := i + 1; j < n; j++ {
			a, b := data[i*n+j], data[j*n+i]
			most := math.Sqrt(diagonal[i]) * math.Sqrt(diagonal[j])
			if !(math.Abs(a-b) <= tolerance*most) || !(math.Abs(a) <= (1+tolerance)*most) {
				return nil, invalid("%s: statistics: elements [%d][%d] and [%d][%d] of the Gram matrix are %v and %v beside a diagonal of %v and %v, want XᵀX",
					m.Model, i, j, j, i, a, b, diagonal[i], diagonal[j])
			}
			data[i*n+j] = m.weight * alpha * (a + b) / 2
			data[j*n+i] = data[i*n+j]
		}
		data[i*n+i] = m.weight * diagonal[i]
	}
	return mat.NewDense(n, n, data), nil
}
