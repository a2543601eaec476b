package method

import (
	"gonum.org/v1/gonum/mat"

	"syncretic/arithmetic/svd"
)

// tsvM is TSV-Merge (arXiv 2412.00081, section 4.2): of the singular value decomposition of each of n task vectors, the leading
// ⌊r/n⌋ triplets, r being the smaller dimension; put side by side, U = [U_1 … U_n] and V are replaced by the orthonormal matrices
// nearest to them, so that no task's directions lie along another's, and
//
//	m = U⊥ diag(s) V⊥ᵀ
//
// Unlike the authors' code, more models than directions keep one each, where it keeps none. Directions that several task vectors
// share to the last bit are taken once, where it fills up with arbitrary ones.
func tsvM(t *Task, c contributors) (kernel, error) {
	rows, width := t.matrixShape()
	keep := max(1, min(rows, width)/len(c))
	var all triplets
	for _, m := range c {
		d, err := t.matrix(m, t.base())
		if err != nil {
			return nil, err
		}
		part, err := t.solver().Leading(d, keep)
		if err != nil {
			return nil, err
		}
		all = append(all, part)
	}
	u, v, s, err := t.orthogonal(all)
	if err != nil || u == nil {
		return t.unmovedKernel(), err
	}
	return t.product(u, s, v)
}

// triplets are decompositions side by side.
type triplets []svd.Triplets

// orthogonal joins decompositions, and replaces both sides by the orthonormal matrices nearest to them. They are nil where there is
// nothing to join.
func (t *Task) orthogonal(all triplets) (u, v *mat.Dense, s []float64, err error) {
	for _, d := range all {
		s = append(s, d.S...)
	}
	if len(s) == 0 {
		return nil, nil, nil, nil
	}
	if u, err = t.solver().Polar(all.join(len(s), func(d svd.Triplets) *mat.Dense { return d.U })); err != nil {
		return nil, nil, nil, err
	}
	v, err = t.solver().Polar(all.join(len(s), func(d svd.Triplets) *mat.Dense { return d.V }))
	return u, v, s, err
}

// join puts one side of the decompositions side by side: columns in all.
func (all triplets) join(columns int, side func(svd.Triplets) *mat.Dense) *mat.Dense {
	var joined *mat.Dense
	at := 0
	for _, d := range all {
		if len(d.S) == 0 {
			continue
		}
		m := side(d)
		rows, k := m.Dims()
		if joined == nil {
			joined = mat.NewDense(rows, columns, nil)
		}
		joined.Slice(0, rows, at, at+k).(*mat.Dense).Copy(m)
		at += k
	}
	return joined
}

// product is the kernel of U·diag(s)·Vᵀ. It changes u.
func (t *Task) product(u *mat.Dense, s []float64, v *mat.Dense) (kernel, error) {
	rows, _ := u.Dims()
	for i := range rows {
		for j, x := range u.RawRowView(i) {
			u.Set(i, j, x*s[j])
		}
	}
	m := new(mat.Dense)
	if err := t.solver().Do(func() { m.Mul(u, v.T()) }); err != nil {
		return nil, err
	}
	return &moved{base: t.base(), m: flat(m)}, nil
}

// unmovedKernel is the base.
func (t *Task) unmovedKernel() kernel { return t.copyOf(t.base()) }
