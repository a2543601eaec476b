package probe

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"syncretic/adapt/gemm"
)

// largestGram is the size up to which a Gram matrix is solved: 860 MB of float64.
const largestGram = 10368

// spectralGram is the size up to which one eigendecomposition serves all strengths; above, a Cholesky decomposition for each of the few
// that anyone tries is less work.
const spectralGram = 1024

// solveRidge returns the minimum of Σ_i (x_i·w + b - y_i)² + λ‖w‖² for every tag and strength in closed form, y being the target of
// a regression, or 1 and -1 for labels. As inputs have mean 0, b is the mean of y, and
//
//	w = (XᵀX + λI)⁻¹ Xᵀ(y - b)       where there are at least as many rows as inputs
//	w = Xᵀ (XXᵀ + λI)⁻¹ (y - b)      otherwise
//
// The rows are read once or, in the second form, twice. The products of the Gram matrix are of float32, its sums over blocks and all that
// follows of float64. Memory: 8 bytes for each of its elements, and in the second form 4 for each input of each row.
func solveRidge(ctx context.Context, s *scaler, train Split, strengths []float64) ([]*linearHead, error) {
	rows, inputs := len(train.Features.Items), s.inputs()
	n := min(rows, inputs)
	if n > largestGram {
		return nil, fmt.Errorf("%w: ridge solves for at most %d inputs or rows, whichever are fewer: there are %d rows of %d; choose one layer",
			ErrConfig, largestGram, rows, inputs)
	}
	y, mean := centred(train)
	tags := len(train.Tags)
	g := &gram{n: n, data: make([]float64, n*n)}
	right := make([]float64, n*tags) // [n][tags]
	var x []float32                  // all rows, in the second form
	workers := runtime.GOMAXPROCS(0)
	in := &reader{f: train.Features, s: s}
	err := in.blocks(workers, func(first int, block [][]float32) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if rows < inputs {
			x = append(x, in.scaled...)
			return nil
		}
		g.add(in.scaled, len(block), workers)
		addProduct(right, in.scaled, y[first*tags:], len(block), inputs, tags, workers)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if rows < inputs {
		g.outer(x, inputs, workers)
		for i, v := range y {
			right[i] = float64(v)
		}
	}
	heads := make([]*linearHead, len(strengths))
	err = g.solve(ctx, strengths, right, tags, func(k int, solution []float64) {
		heads[k] = emptyLinear(inputs, tags)
		copy(heads[k].bias, mean)
		if rows < inputs {
			alpha := make([]float32, len(solution))
			for i, v := range solution {
				alpha[i] = float32(v)
			}
			gemm.Multiply(true, false, tags, inputs, rows, alpha, tags, x, inputs, false, heads[k].weight, inputs)
			return
		}
		for i, v := range solution {
			heads[k].weight[i%tags*inputs+i/tags] = float32(v)
		}
	})
	return heads, err
}

// centred returns the rows' targets [rows][tags] less their means, and the means.
func centred(train Split) (y, mean []float32) {
	t := newTargets(train)
	all := make([]int, len(train.Features.Items))
	for i := range all {
		all[i] = i
	}
	y = t.rows(nil, all)
	tags := len(train.Tags)
	sums := make([]float64, tags)
	for i, v := range y {
		if train.Task != Regression {
			y[i] = 2*v - 1
		}
		sums[i%tags] += float64(y[i])
	}
	for _, sum := range sums {
		mean = append(mean, float32(sum/float64(len(all))))
	}
	for i := range y {
		y[i] -= mean[i%tags]
	}
	return y, mean
}

// addProduct adds xᵀ·y to sum [inputs][tags], for x [n][inputs] and y [n][tags].
func addProduct(sum []float64, x, y []float32, n, inputs, tags, workers int) {
	block := make([]float32, inputs*tags)
	multiply(workers, true, false, inputs, tags, n, x, inputs, y, tags, block, tags)
	for i, v := range block {
		sum[i] += float64(v)
	}
}

// gram is a symmetric matrix [n][n], of which the lower triangle counts.
type gram struct {
	n    int
	data []float64
	free sync.Pool // of *[]float32, a tile
}

// tile is the side of the squares that the matrix is computed in.
const tile = 512

// add adds xᵀ·x for x [rows][n].
func (g *gram) add(x []float32, rows, workers int) {
	g.tiles(workers, func(i, j, m, n int, out []float32) {
		gemm.MultiplySerial(true, false, m, n, rows, x[i:], g.n, x[j:], g.n, false, out, n)
	})
}

// outer adds x·xᵀ for x [n][inputs].
func (g *gram) outer(x []float32, inputs, workers int) {
	g.tiles(workers, func(i, j, m, n int, out []float32) {
		gemm.MultiplySerial(false, true, m, n, inputs, x[i*inputs:], inputs, x[j*inputs:], inputs, false, out, n)
	})
}

// tiles adds to each tile of the lower triangle, m rows from i on and n columns from j on, what product writes to out.
func (g *gram) tiles(workers int, product func(i, j, m, n int, out []float32)) {
	side := (g.n + tile - 1) / tile
	share(side*(side+1)/2, workers, func(index int) {
		row := 0
		for index > row {
			row++
			index -= row
		}
		i, j := row*tile, index*tile
		m, n := min(tile, g.n-i), min(tile, g.n-j)
		buf, ok := g.free.Get().(*[]float32)
		if !ok {
			made := make([]float32, tile*tile)
			buf = &made
		}
		product(i, j, m, n, (*buf)[:m*n])
		for r := range m {
			to := g.data[(i+r)*g.n+j:][:n]
			for c, v := range (*buf)[r*n : (r+1)*n] {
				to[c] += float64(v)
			}
		}
		g.free.Put(buf)
	})
}

// errSingular reports a matrix that float64 cannot tell from a singular one.
var errSingular = errors.New("the Gram matrix is singular: want a larger l2")

// solve hands the solution of (G + λI)·W = right [n][tags] to use, for each strength in turn. It destroys g.
func (g *gram) solve(ctx context.Context, strengths, right []float64, tags int, use func(k int, solution []float64)) error {
	if g.n <= spectralGram {
		return g.spectral(strengths, right, tags, use)
	}
	return g.cholesky(ctx, strengths, right, tags, use)
}

// cholesky is solve by a decomposition for each strength.
func (g *gram) cholesky(ctx context.Context, strengths, right []float64, tags int, use func(k int, solution []float64)) error {
	diagonal := make([]float64, g.n)
	for i := range diagonal {
		diagonal[i] = g.data[i*g.n+i]
	}
	for k, strength := range strengths {
		if err := ctx.Err(); err != nil {
			return err
		}
		// the factor takes the upper triangle, the lower one keeps the matrix
		for i := range g.n {
			for j := range i {
				g.data[j*g.n+i] = g.data[i*g.n+j]
			}
			g.data[i*g.n+i] = diagonal[i] + strength
		}
		factor, ok := lapack64.Potrf(blas64.Symmetric{N: g.n, Stride: g.n, Data: g.data, Uplo: blas.Upper})
		if !ok {
			return fmt.Errorf("%w: l2 %g: %w", ErrInvalid, strength, errSingular)
		}
		solution := append([]float64(nil), right...)
		lapack64.Potrs(factor, blas64.General{Rows: g.n, Cols: tags, Stride: tags, Data: solution})
		use(k, solution)
	}
	return nil
}

// spectral is solve by G = QΛQᵀ: W = Q·(Λ + λI)⁻¹·Qᵀ·right.
func (g *gram) spectral(strengths, right []float64, tags int, use func(k int, solution []float64)) error {
	for i := range g.n {
		for j := range i {
			g.data[j*g.n+i] = g.data[i*g.n+j]
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(mat.NewSymDense(g.n, g.data), true) {
		return fmt.Errorf("%w: no convergence of the Gram matrix's eigenvalues", ErrInvalid)
	}
	var q, rotated mat.Dense
	eigen.VectorsTo(&q)
	rotated.Mul(q.T(), mat.NewDense(g.n, tags, right))
	values := eigen.Values(nil)
	for k, strength := range strengths {
		var scaled, solution mat.Dense
		scaled.Apply(func(i, _ int, v float64) float64 { return v / (max(values[i], 0) + strength) }, &rotated)
		solution.Mul(&q, &scaled)
		use(k, solution.RawMatrix().Data)
	}
	return nil
}
