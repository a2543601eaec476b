package arithmetic

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// Report says how task vectors relate. Matrices are [vector][vector], symmetric.
type Report struct {
	Names        []string      `json:"names"`
	Norms        []float64     `json:"norms"`         // ‖τ_i‖, Euclidean
	Cosine       [][]float64   `json:"cosine"`        // ⟨τ_i, τ_j⟩ / (‖τ_i‖ ‖τ_j‖); 0 where a norm is 0
	SignConflict [][]float64   `json:"sign_conflict"` // of the elements where neither is 0, the share with opposite signs; 0 if there are none
	Layers       []LayerReport `json:"layers"`
}

// LayerReport is the same for one group of tensors: a layer (`encoder.layers.3`) or a part outside of the layers
// (`feature_extractor`).
type LayerReport struct {
	Name         string      `json:"name"`
	Tensors      int         `json:"tensors"`
	Elements     int         `json:"elements"`
	Norms        []float64   `json:"norms"`
	Cosine       [][]float64 `json:"cosine"`
	SignConflict [][]float64 `json:"sign_conflict"`
}

// sumElements is the length of one partial sum. It is part of the result: partial sums are joined in order, so the
// report does not depend on how many workers share them.
const sumElements = 1 << 18

// Interference measures vectors (as [Sub] gives them) against each other: overall and a group of tensors at a time.
// Sums are float64 over blocks of a fixed length, joined in the order of tensors and blocks; tensors are read once, in
// parallel, one block a vector and worker in memory. Integer tensors do not count.
//
// The vectors must have the same tensors, one name each; a NaN or infinity is an error that names the vector and the
// tensor. Both wrap [ErrInvalid].
func Interference(names []string, vectors []checkpoint.Source) (Report, error) {
	if len(names) != len(vectors) || len(vectors) == 0 {
		return Report{}, invalid("%d names for %d vectors, want one each and at least one", len(names), len(vectors))
	}
	infos := floats(vectors[0])
	for i, v := range vectors[1:] {
		if err := compare(v, names[i+1], vectors[0].Tensors(), names[0]); err != nil {
			return Report{}, err
		}
	}
	var units []sumUnit
	for t, info := range infos {
		for n, lo := info.Elements(), 0; lo < n; lo += sumElements {
			units = append(units, sumUnit{t, lo, min(lo+sumElements, n)})
		}
	}
	parts := make([]sums, len(units))
	if err := eachUnit(len(units), func(buffers [][]float32, u int) (err error) {
		parts[u], err = measure(names, vectors, infos[units[u].tensor].Name, units[u], buffers)
		return err
	}, len(vectors)); err != nil {
		return Report{}, err
	}

	total := newSums(len(vectors))
	groups := make(map[string]*group)
	for _, info := range infos {
		g := groups[Group(info.Name)]
		if g == nil {
			g = &group{sums: newSums(len(vectors))}
			groups[Group(info.Name)] = g
		}
		g.tensors++
		g.elements += info.Elements()
	}
	for u, part := range parts {
		total.add(part)
		groups[Group(infos[units[u].tensor].Name)].add(part)
	}
	report := Report{Names: append([]string(nil), names...)}
	report.Norms, report.Cosine, report.SignConflict = total.ratios()
	for _, name := range sortedGroups(groups) {
		g := groups[name]
		layer := LayerReport{Name: name, Tensors: g.tensors, Elements: g.elements}
		layer.Norms, layer.Cosine, layer.SignConflict = g.ratios()
		report.Layers = append(report.Layers, layer)
	}
	return report, nil
}

// sumUnit is a range of elements of one tensor.
type sumUnit struct{ tensor, lo, hi int }

// group gathers a layer's sums.
type group struct {
	sums
	tensors, elements int
}

// sums are the numbers that a report is made of, over some elements.
type sums struct {
	squares []float64  // [vector]
	pairs   []vec.Pair // (0,1) (0,2) (1,2) (0,3) ...: j(j-1)/2 + i for i < j
}

func newSums(n int) sums { return sums{make([]float64, n), make([]vec.Pair, n*(n-1)/2)} }

func (s sums) add(o sums) {
	for i, x := range o.squares {
		s.squares[i] += x
	}
	for i, p := range o.pairs {
		s.pairs[i].Add(p)
	}
}

// measure sums over one unit.
func measure(names []string, vectors []checkpoint.Source, tensor string, u sumUnit, buffers [][]float32) (sums, error) {
	s := newSums(len(vectors))
	for j, v := range vectors {
		x := buffers[j][:u.hi-u.lo]
		if err := v.Read(tensor, u.lo, x); err != nil {
			return s, fmt.Errorf("%s: %w", names[j], err)
		}
		s.squares[j] = vec.Square(x)
		if math.IsNaN(s.squares[j]) || math.IsInf(s.squares[j], 0) {
			return s, invalid("%s: tensor %q: not finite, in elements [%d %d)", names[j], tensor, u.lo, u.hi)
		}
		for i := range j {
			s.pairs[j*(j-1)/2+i] = vec.Compare(buffers[i][:len(x)], x)
		}
	}
	return s, nil
}

// ratios turns sums into norms, cosines and shares.
func (s sums) ratios() (norms []float64, cosine, conflict [][]float64) {
	n := len(s.squares)
	norms = make([]float64, n)
	cosine, conflict = make([][]float64, n), make([][]float64, n)
	for j, square := range s.squares {
		norms[j] = math.Sqrt(square)
		cosine[j], conflict[j] = make([]float64, n), make([]float64, n)
		if square > 0 {
			cosine[j][j] = 1
		}
		for i := range j {
			p := s.pairs[j*(j-1)/2+i]
			if norms[i] > 0 && norms[j] > 0 {
				cosine[i][j] = max(-1, min(1, p.Dot/(norms[i]*norms[j])))
			}
			if p.Both > 0 {
				conflict[i][j] = float64(p.Opposites) / float64(p.Both)
			}
			cosine[j][i], conflict[j][i] = cosine[i][j], conflict[i][j]
		}
	}
	return norms, cosine, conflict
}

// eachUnit calls f for units [0, n) from as many goroutines as run at once, each with its own buffers.
func eachUnit(n int, f func(buffers [][]float32, unit int) error, vectors int) error {
	var next, stop atomic.Int64
	var wg sync.WaitGroup
	failed := make([]error, min(runtime.GOMAXPROCS(0), n))
	for w := range failed {
		wg.Go(func() {
			buffers := make([][]float32, vectors)
			for i := range buffers {
				buffers[i] = make([]float32, sumElements)
			}
			for stop.Load() == 0 {
				u := int(next.Add(1)) - 1
				if u >= n {
					return
				}
				if failed[w] = f(buffers, u); failed[w] != nil {
					stop.Store(1)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}
