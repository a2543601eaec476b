// Package svd finds the leading singular triplets of a weight matrix, and the orthonormal matrix nearest to one, in float64 on
// gonum's matrices.
//
// [Solver.Leading] is the decomposition, [Solver.Polar] the nearest orthonormal matrix; [Solver.Do] runs any other step that takes
// seconds, so that it can be interrupted too.
//
// Both go by the symmetric eigenproblem of the smaller Gram matrix, which is several times faster than gonum's decomposition of the
// matrix itself. What squaring costs in accuracy, where singular values of very different size are asked for, is won back by Jacobi
// rotations. Results are the same bits at any number of threads; machines of different architecture may differ in float64's last
// bits.
package svd

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Noise is the singular value, as a share of the largest, below which a direction is none: weights are float32, or less.
const Noise = 0x1p-23

// graded is the least share of the largest singular value whose direction the eigenvectors of a Gram matrix still give to float32's
// accuracy: the error is float64's rounding over the square of it.
const graded = 1e-4

// errDiverged cannot happen to finite numbers, as far as is known.
var errDiverged = errors.New("the singular value decomposition does not converge")

// Triplets are the leading part of a thin singular value decomposition, U·diag(S)·Vᵀ: directions are columns, and S falls. Without
// any, U and V are nil.
type Triplets struct {
	U *mat.Dense // [rows][len(S)]
	S []float64
	V *mat.Dense // [columns][len(S)]
}

// Solver runs decompositions. Interrupt, which may be nil, is asked every few milliseconds whether to stop; an error ends the
// decomposition with it at once.
type Solver struct{ Interrupt func() error }

// Leading finds the leading k triplets of a, whose elements are finite, or fewer where the others are [Noise].
//
// It holds about 3 n² + 2 k m numbers for a matrix with the smaller dimension n and the larger m, and takes about m n² + 5 n³
// multiplications; where the k-th singular value is less than 1e-4 of the first, some 2 m n² more.
func (s Solver) Leading(a *mat.Dense, k int) (Triplets, error) {
	rows, columns := a.Dims()
	if k = min(k, rows, columns); k <= 0 {
		return Triplets{}, nil
	}
	tall := rows >= columns
	var wide mat.Matrix = a // [smaller][larger]
	if tall {
		wide = a.T()
	}
	var values []float64
	var known *mat.Dense // directions of the smaller side, as rows
	ok := false
	if err := s.Do(func() {
		var g mat.SymDense
		g.SymOuterK(1, wide)
		values, known, ok = eigen(&g)
	}); err != nil {
		return Triplets{}, err
	}
	if !ok {
		return Triplets{}, errDiverged
	}
	exact := values[k-1] >= graded*graded*values[0]
	if exact {
		known = known.Slice(0, k, 0, len(values)).(*mat.Dense)
	}
	other := new(mat.Dense) // directions of the larger side, as rows, each as long as its singular value
	if err := s.Do(func() {
		other.Mul(known, wide)
		ok = exact || polish(other, known)
	}); err != nil {
		return Triplets{}, err
	}
	if !ok {
		return Triplets{}, errDiverged
	}
	t := triplets(known, other, k)
	if tall {
		t.U, t.V = t.V, t.U
	}
	return t, nil
}

// triplets takes the k longest rows of other that are not noise.
func triplets(known, other *mat.Dense, k int) Triplets {
	n, small := known.Dims()
	_, large := other.Dims()
	lengths, order := make([]float64, n), make([]int, n)
	for i := range n {
		order[i], lengths[i] = i, floats.Norm(other.RawRowView(i), 2)
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(lengths[j], lengths[i]) })
	least := Noise * lengths[order[0]]
	for i, from := range order[:k] {
		if lengths[from] == 0 || lengths[from] < least {
			k = i
			break
		}
	}
	if k == 0 {
		return Triplets{}
	}
	t := Triplets{mat.NewDense(small, k, nil), make([]float64, k), mat.NewDense(large, k, nil)}
	for j, from := range order[:k] {
		t.S[j] = lengths[from]
		t.U.SetCol(j, known.RawRowView(from))
		for i, x := range other.RawRowView(from) {
			t.V.Set(i, j, x/t.S[j])
		}
	}
	return t
}

// Polar is the matrix with orthonormal columns, or rows, that is nearest to a: U·Vᵀ over the directions that are not [Noise]. It is
// nil where a is zero.
func (s Solver) Polar(a *mat.Dense) (*mat.Dense, error) {
	rows, columns := a.Dims()
	t, err := s.Leading(a, min(rows, columns))
	if err != nil || len(t.S) == 0 {
		return nil, err
	}
	p := new(mat.Dense)
	return p, s.Do(func() { p.Mul(t.U, t.V.T()) })
}

// patience is how long an interrupt may wait for a step that cannot be interrupted.
const patience = 50 * time.Millisecond

// Do runs a step that takes long on large matrices. When the solver is interrupted it returns at once with the interrupt's error;
// the step goes on until it is done, so f must not touch what the caller uses after an error.
func (s Solver) Do(f func()) error {
	if s.Interrupt == nil {
		f()
		return nil
	}
	if err := s.Interrupt(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	tick := time.NewTicker(patience)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return s.Interrupt()
		case <-tick.C:
			if err := s.Interrupt(); err != nil {
				return err
			}
		}
	}
}
