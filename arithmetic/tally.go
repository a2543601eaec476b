package arithmetic

import (
	"math"

	"syncretic/arithmetic/vec"
)

// Relation says how vectors relate over some elements. Matrices are [vector][vector], symmetric.
type Relation struct {
	Norms        []float64   `json:"norms"`             // ‖τ_i‖, Euclidean
	Cosine       [][]float64 `json:"cosine"`            // ⟨τ_i, τ_j⟩ / (‖τ_i‖ ‖τ_j‖); 0 where a norm is 0
	SignConflict [][]float64 `json:"sign_conflict"`     // of the elements where neither is 0, the share with opposite signs; 0 if there are none
	Trimmed      []float64   `json:"trimmed,omitempty"` // of the elements that are not 0, the share that a merge dropped before it elected signs; absent where none could
}

// Tally sums up what a [Relation] is made of. Sums are float64 over the ranges it is given, so that they do not depend on how many
// workers have a Tally each, as long as these are joined in the order of the ranges.
type Tally struct {
	squares []float64  // [vector]
	pairs   []vec.Pair // (0,1) (0,2) (1,2) (0,3) ...: j(j-1)/2 + i for i < j
	present []int64    // [vector]: elements that are not 0, of those that Drop was told of
	dropped []int64    // and those that a merge dropped
}

// NewTally has seen nothing.
func NewTally(vectors int) Tally {
	return Tally{make([]float64, vectors), make([]vec.Pair, vectors*(vectors-1)/2), make([]int64, vectors), make([]int64, vectors)}
}

// Add takes in a range of all vectors; nil stands for one that has no part in it. It returns the first that is not finite, or −1.
func (t Tally) Add(x [][]float32) (notFinite int) {
	for j := range x {
		if x[j] == nil {
			continue
		}
		sum := vec.Square(x[j])
		if math.IsNaN(sum) || math.IsInf(sum, 0) {
			return j
		}
		t.squares[j] += sum
		for i := range j {
			if x[i] != nil {
				t.pairs[j*(j-1)/2+i].Add(vec.Compare(x[i], x[j]))
			}
		}
	}
	return -1
}

// Drop takes in what a merge leaves of a range of a vector.
func (t Tally) Drop(vector int, before, after []float32) {
	there := vec.CountAtLeast(before, 1) // magnitudes of 1 bit and more: all but 0
	t.present[vector] += int64(there)
	t.dropped[vector] += int64(there - vec.CountAtLeast(after, 1))
}

// Join adds the sums of another part.
func (t Tally) Join(o Tally) {
	for i, x := range o.squares {
		t.squares[i] += x
		t.present[i] += o.present[i]
		t.dropped[i] += o.dropped[i]
	}
	for i, p := range o.pairs {
		t.pairs[i].Add(p)
	}
}

// Relation turns sums into norms, cosines and shares.
func (t Tally) Relation() Relation {
	n := len(t.squares)
	r := Relation{Norms: make([]float64, n), Cosine: square(n), SignConflict: square(n)}
	for j, sum := range t.squares {
		r.Norms[j] = math.Sqrt(sum)
		if sum > 0 {
			r.Cosine[j][j] = 1
		}
		for i := range j {
			p := t.pairs[j*(j-1)/2+i]
			if r.Norms[i] > 0 && r.Norms[j] > 0 {
				r.Cosine[i][j] = max(-1, min(1, p.Dot/(r.Norms[i]*r.Norms[j])))
			}
			if p.Both > 0 {
				r.SignConflict[i][j] = float64(p.Opposites) / float64(p.Both)
			}
			r.Cosine[j][i], r.SignConflict[j][i] = r.Cosine[i][j], r.SignConflict[i][j]
		}
		if t.present[j] > 0 && r.Trimmed == nil {
			r.Trimmed = make([]float64, n)
		}
	}
	for j := range r.Trimmed {
		if t.present[j] > 0 {
			r.Trimmed[j] = float64(t.dropped[j]) / float64(t.present[j])
		}
	}
	return r
}

// square is a matrix of zeros.
func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}
