package method

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"syncretic/arithmetic/svd"
)

// isoC is Iso-C (arXiv 2502.04959, section 4.1): with the singular value decomposition U·diag(s)·Vᵀ of Σ w_i d_i and r its smaller
// dimension,
//
//	m = (Σ s / r) U Vᵀ
//
// so that directions in which few models agree count as much as those of all. Unlike in the authors' code, a direction whose
// singular value is 0 stays 0: rows that no model changed do not change.
func isoC(t *Task, c contributors) (kernel, error) {
	sum, err := t.sum(c)
	if err != nil {
		return nil, err
	}
	rows, width := sum.Dims()
	r := min(rows, width)
	d, err := t.solver().Leading(sum, r)
	if err != nil || len(d.S) == 0 {
		return t.unmovedKernel(), err
	}
	return t.isotropic(d.U, d.V, d.S, r)
}

// isotropic is the kernel of U Vᵀ times the sum of s over r.
func (t *Task) isotropic(u, v *mat.Dense, s []float64, r int) (kernel, error) {
	var mean float64
	for _, x := range s {
		mean += x / float64(r)
	}
	return t.product(u, slices.Repeat([]float64{mean}, len(s)), v)
}

// sum is Σ w_i d_i.
func (t *Task) sum(c contributors) (*mat.Dense, error) {
	var sum *mat.Dense
	for _, m := range c {
		d, err := t.matrix(m, t.base())
		if err != nil {
			return nil, err
		}
		if sum == nil {
			sum = d
			continue
		}
		sum.Add(sum, d)
	}
	return sum, nil
}

// isoCTS is Iso-CTS (arXiv 2502.04959, section 4.2): of r directions, the leading k of Σ w_i d_i are common to the n tasks; each
// task has (r − k)/n of its own, the leading ones of (I − U_k U_kᵀ) d_i. Both sides are made orthogonal as in tsv_m, and the spectrum
// is flat as in iso_c. The share common_space_fraction of r is k, rounded so that the rest is a multiple of n.
func isoCTS(t *Task, c contributors) (kernel, error) {
	rows, width := t.matrixShape()
	r := min(rows, width)
	common, own := isoSpaces(r, len(c), t.Params["common_space_fraction"])
	sum, err := t.sum(c)
	if err != nil {
		return nil, err
	}
	shared, err := t.solver().Leading(sum, common)
	if err != nil {
		return nil, err
	}
	all := triplets{shared}
	if own > 0 {
		for _, m := range c {
			d, err := t.matrix(m, t.base())
			if err != nil {
				return nil, err
			}
			size := mat.Norm(d, 2)
			if len(shared.S) > 0 {
				var along, part mat.Dense
				if err := t.solver().Do(func() {
					along.Mul(shared.U.T(), d)
					part.Mul(shared.U, &along)
				}); err != nil {
					return nil, err
				}
				d.Sub(d, &part)
			}
			if mat.Norm(d, 2) <= svd.Noise*size {
				continue // all of it is common: what is left is rounding
			}
			rest, err := t.solver().Leading(d, own)
			if err != nil {
				return nil, err
			}
			all = append(all, rest)
		}
	}
	u, v, s, err := t.orthogonal(all)
	if err != nil || u == nil {
		return t.unmovedKernel(), err
	}
	return t.isotropic(u, v, s, r)
}

// isoSpaces divides r directions into common ones and own ones of each of n tasks.
func isoSpaces(r, n int, fraction float64) (common, own int) {
	own = int(math.RoundToEven(float64(r-int(float64(r)*fraction)) / float64(n)))
	own = min(own, r/n) // rounding up must not ask for more than there are
	return r - own*n, own
}
