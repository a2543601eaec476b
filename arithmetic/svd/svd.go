// Package svd finds the leading singular triplets of a weight matrix, and the orthonormal matrix nearest to one, in float64 on
// gonum's matrices.
//
// [Solver.Leading] is the decomposition, [Solver.Polar] the nearest orthonormal matrix; [Solver.Do] runs any other step that takes
// seconds, so that it can be interrupted too.
//
// Both work by the symmetric eigenproblem of the smaller Gram matrix, several times faster than a decomposition of the matrix
// itself, where the singular values that are asked for leave it accurate enough for weights in float32; and by gonum's full
// decomposition otherwise. Results are the same bits at any number of threads; machines of different architecture may differ in
// float64's last bits.
package svd

import (
	"errors"
	"math"
	"time"

	"gonum.org/v1/gonum/mat"
)

// Noise is the singular value, as a share of the largest, below which a direction is none: weights are float32, or less.
const Noise = 0x1p-23

// graded is the least share of the largest singular value that the eigenvalues of a Gram matrix still give to float32's accuracy:
// the error of a direction is float64's rounding over the square of it.
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
// It holds about 2 n² + k (m+n) numbers for a matrix [m][n], n being the smaller dimension, and takes about m n² + 5 n³
// multiplications; where the k-th singular value is less than 1e-4 of the first, several times that.
func (s Solver) Leading(a *mat.Dense, k int) (Triplets, error) {
	rows, columns := a.Dims()
	if k = min(k, rows, columns); k <= 0 {
		return Triplets{}, nil
	}
	t, exact, err := s.byGram(a, k)
	if err != nil || exact {
		return t, err
	}
	var full mat.SVD
	ok := false
	if err := s.Do(func() { ok = full.Factorize(a, mat.SVDThin) }); err != nil {
		return Triplets{}, err
	}
	if !ok {
		return Triplets{}, errDiverged
	}
	values := full.Values(nil)
	k = significant(values[:k])
	if k == 0 {
		return Triplets{}, nil
	}
	var u, v mat.Dense
	full.UTo(&u)
	full.VTo(&v)
	return Triplets{mat.DenseCopyOf(u.Slice(0, rows, 0, k)), values[:k], mat.DenseCopyOf(v.Slice(0, columns, 0, k))}, nil
}

// significant counts the singular values that are not noise; s falls.
func significant(s []float64) int {
	for i, x := range s {
		if x == 0 || x < Noise*s[0] {
			return i
		}
	}
	return len(s)
}

// byGram is Leading by the eigenvalues of AᵀA, or AAᵀ; exact tells whether they are accurate enough.
func (s Solver) byGram(a *mat.Dense, k int) (t Triplets, exact bool, err error) {
	rows, columns := a.Dims()
	tall, small := rows >= columns, min(rows, columns)
	var side mat.Matrix = a
	if tall {
		side = a.T()
	}
	var values []float64
	var vectors *mat.Dense
	ok := false
	if err := s.Do(func() {
		var g mat.SymDense
		g.SymOuterK(1, side)
		values, vectors, ok = eigen(&g)
	}); err != nil {
		return t, false, err
	}
	if !ok {
		return t, false, errDiverged
	}
	if values[0] <= 0 {
		return t, true, nil
	}
	if least := values[k-1]; least < graded*graded*values[0] {
		return t, false, nil
	}
	t.S = make([]float64, k)
	known := mat.NewDense(small, k, nil) // of the smaller side
	for j := range k {
		t.S[j] = math.Sqrt(values[j])
		for i, x := range vectors.RawRowView(j) {
			known.Set(i, j, x)
		}
	}
	other := new(mat.Dense)
	if err := s.Do(func() {
		if tall {
			other.Mul(a, known)
		} else {
			other.Mul(a.T(), known)
		}
	}); err != nil {
		return Triplets{}, false, err
	}
	for i := range max(rows, columns) {
		row := other.RawRowView(i)
		for j := range row {
			row[j] /= t.S[j]
		}
	}
	t.U, t.V = known, other
	if tall {
		t.U, t.V = other, known
	}
	return t, true, nil
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
