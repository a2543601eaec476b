package arithmetic

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"syncretic/arithmetic/svd"
	"syncretic/checkpoint"
)

// Spectrum says how many directions the vectors of a matrix have, and how many they share. A tensor [out][in...] is a matrix
// [out][rest]. Lists are [vector], matrices [vector][vector] and symmetric. Of a layer they are means over its matrices.
type Spectrum struct {
	Rank float64 `json:"rank"` // the most that is possible: the smaller dimension

	// exp(−Σ p ln p) with p = σ/Σσ: Roy and Vetterli, The effective rank, EUSIPCO 2007. 0 of a vector that is 0.
	EffectiveRank []float64 `json:"effective_rank"`
	// ‖A‖²_F / σ₁²: how many directions are as long as the longest.
	StableRank []float64 `json:"stable_rank"`

	// How far the leading directions of two vectors span the same space: ‖Uᵢᵀ Uⱼ‖²_F / k, the mean squared cosine of the principal
	// angles between their k leading left singular vectors, averaged with the same of the right ones; k is the lower effective
	// rank, rounded up. It is what the subspace alignment ratio (arXiv 2502.04959, section 3) and singular task interference
	// (arXiv 2412.00081, section 3.2) are made of: 1 is the same space.
	Overlap [][]float64 `json:"overlap"`
	// What spaces of that size in random directions overlap: the mean of k/out and k/rest.
	Chance [][]float64 `json:"chance"`
}

// SpectraOptions say when to stop, and who is told of progress. Both may be nil.
type SpectraOptions struct {
	Interrupt func() error
	Progress  func(done, total int)
}

// AddSpectra decomposes every matrix of the vectors that a report is about, and puts what it finds into the report's tensors and
// layers. It holds one tensor of all vectors in float64, and takes a singular value decomposition of each: see
// [svd.Solver.Leading].
func AddSpectra(r *Report, vectors []checkpoint.Source, o SpectraOptions) error {
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
	layers := make(map[string][]*Spectrum)
	for _, i := range matrices {
		t := r.Tensors[i]
		layers[Group(t.Name)] = append(layers[Group(t.Name)], t.Spectrum)
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

func newSpectrum(n int) *Spectrum {
	return &Spectrum{EffectiveRank: make([]float64, n), StableRank: make([]float64, n), Overlap: square(n), Chance: square(n)}
}

// square is a matrix of zeros.
func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

func spectrum(t TensorReport, vectors []checkpoint.Source, interrupt func() error) (*Spectrum, error) {
	rows, width := matrixShape(t.Shape)
	s := newSpectrum(len(vectors))
	s.Rank = float64(min(rows, width))
	all := make([]svd.Triplets, len(vectors))
	data, row := make([]float64, rows*width), make([]float32, width)
	for i, v := range vectors {
		for r := range rows {
			if err := v.Read(t.Name, r*width, row); err != nil {
				return nil, err
			}
			for c, x := range row {
				data[r*width+c] = float64(x)
			}
		}
		var err error
		if all[i], err = (svd.Solver{Interrupt: interrupt}).Leading(mat.NewDense(rows, width, data), min(rows, width)); err != nil {
			return nil, err
		}
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
func meanSpectrum(list []*Spectrum) *Spectrum {
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
