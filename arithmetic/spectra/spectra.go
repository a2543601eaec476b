// Package spectra adds to a report on task vectors how many directions each has in a matrix, and how many two share. It is apart from
// package arithmetic since it costs a decomposition of every matrix, and what that needs.
//
//	r, err := arithmetic.Interference(names, vectors)
//	err = spectra.Add(&r, vectors, spectra.Options{})
package spectra

import (
	"fmt"
	"math"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/mat"

	"syncretic/arithmetic"
	"syncretic/arithmetic/svd"
	"syncretic/checkpoint"
)

// Options say when to stop, which is asked on several goroutines at once, and who is told of progress. Both may be nil.
type Options struct {
	Interrupt func() error
	Progress  func(done, total int)
}

// Add decomposes every matrix of the vectors that a report is about, and puts what it finds into the report's tensors and
// layers. It holds one tensor of all vectors in float64, and takes a singular value decomposition of each, several at once: see
// [svd.Solver.Leading].
func Add(r *arithmetic.Report, vectors []checkpoint.Source, o Options) error {
	var matrices []int
	for i, t := range r.Tensors {
		if rows, width := matrixShape(t.Shape); rows > 1 && width > 1 {
			matrices = append(matrices, i)
		}
	}
	for done, i := range matrices {
		s, err := spectrum(r.Tensors[i], vectors, o.Interrupt)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", r.Tensors[i].Name, err)
		}
		r.Tensors[i].Spectrum = s
		if o.Progress != nil {
			o.Progress(done+1, len(matrices))
		}
	}
	layers := make(map[string][]*arithmetic.Spectrum)
	for _, i := range matrices {
		t := r.Tensors[i]
		layers[arithmetic.Group(t.Name)] = append(layers[arithmetic.Group(t.Name)], t.Spectrum)
	}
	for i, l := range r.Layers {
		r.Layers[i].Spectrum = meanSpectrum(layers[l.Name])
	}
	return nil
}

// matrixShape sees a tensor as [out][rest].
func matrixShape(shape []int) (rows, width int) {
	if len(shape) < 2 || shape[0] == 0 {
		return 0, 0
	}
	return shape[0], checkpoint.Info{Shape: shape}.Elements() / shape[0]
}

func newSpectrum(n int) *arithmetic.Spectrum {
	return &arithmetic.Spectrum{EffectiveRank: make([]float64, n), StableRank: make([]float64, n), Overlap: square(n), Chance: square(n)}
}

// square is a matrix of zeros.
func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

func spectrum(t arithmetic.TensorReport, vectors []checkpoint.Source, interrupt func() error) (*arithmetic.Spectrum, error) {
	rows, width := matrixShape(t.Shape)
	s := newSpectrum(len(vectors))
	s.Rank = float64(min(rows, width))
	all, err := decompose(t.Name, rows, width, vectors, svd.Solver{Interrupt: interrupt})
	if err != nil {
		return nil, err
	}
	for i := range vectors {
		s.EffectiveRank[i], s.StableRank[i] = ranks(all[i].S)
		for j := range i {
			k := min(int(math.Ceil(min(s.EffectiveRank[i], s.EffectiveRank[j]))), len(all[i].S), len(all[j].S))
			if k > 0 {
				s.Overlap[i][j] = (overlap(all[i].U, all[j].U, k) + overlap(all[i].V, all[j].V, k)) / 2
				s.Chance[i][j] = (float64(k)/float64(rows) + float64(k)/float64(width)) / 2
				s.Overlap[j][i], s.Chance[j][i] = s.Overlap[i][j], s.Chance[i][j]
			}
		}
		if s.EffectiveRank[i] > 0 {
			s.Overlap[i][i], s.Chance[i][i] = 1, 1
		}
	}
	return s, nil
}

// decompose takes a tensor of every vector apart, as many at once as there are cores.
func decompose(name string, rows, width int, vectors []checkpoint.Source, solver svd.Solver) ([]svd.Triplets, error) {
	all, failed := make([]svd.Triplets, len(vectors)), make([]error, len(vectors))
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, v := range vectors {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			var a *mat.Dense
			if a, failed[i] = matrix(v, name, rows, width); failed[i] == nil {
				all[i], failed[i] = solver.Leading(a, min(rows, width))
			}
		})
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// matrix reads a tensor in float64.
func matrix(v checkpoint.Source, name string, rows, width int) (*mat.Dense, error) {
	data, row := make([]float64, rows*width), make([]float32, width)
	for r := range rows {
		if err := v.Read(name, r*width, row); err != nil {
			return nil, err
		}
		for c, x := range row {
			data[r*width+c] = float64(x)
		}
	}
	return mat.NewDense(rows, width, data), nil
}

// ranks are the effective and the stable rank of singular values, which fall.
func ranks(values []float64) (effective, stable float64) {
	var sum, squares, entropy float64
	for _, x := range values {
		sum += x
		squares += x * x
	}
	if sum == 0 {
		return 0, 0
	}
	for _, x := range values {
		if p := x / sum; p > 0 {
			entropy -= p * math.Log(p)
		}
	}
	return math.Exp(entropy), squares / (values[0] * values[0])
}

// overlap is the mean squared cosine of the principal angles between the first k columns of each.
func overlap(a, b *mat.Dense, k int) float64 {
	m, _ := a.Dims()
	var product mat.Dense
	product.Mul(a.Slice(0, m, 0, k).T(), b.Slice(0, m, 0, k))
	norm := mat.Norm(&product, 2) // Frobenius
	return min(1, norm*norm/float64(k))
}

// meanSpectrum is the mean of several, nil of none.
func meanSpectrum(list []*arithmetic.Spectrum) *arithmetic.Spectrum {
	if len(list) == 0 {
		return nil
	}
	mean := newSpectrum(len(list[0].EffectiveRank))
	n := float64(len(list))
	add := func(to, from []float64) {
		for i, x := range from {
			to[i] += x / n
		}
	}
	for _, s := range list {
		mean.Rank += s.Rank / n
		add(mean.EffectiveRank, s.EffectiveRank)
		add(mean.StableRank, s.StableRank)
		for i := range mean.Overlap {
			add(mean.Overlap[i], s.Overlap[i])
			add(mean.Chance[i], s.Chance[i])
		}
	}
	return mean
}
