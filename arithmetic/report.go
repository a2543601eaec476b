package arithmetic

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"syncretic/checkpoint"
)

// Report says how vectors relate: the task vectors of models, or a merge and what it is made of.
type Report struct {
	Names []string `json:"names"`
	Relation
	Layers  []LayerReport  `json:"layers"`
	Tensors []TensorReport `json:"tensors"`
}

// LayerReport is the same for one group of tensors: a layer (`encoder.layers.3`) or a part outside of the layers
// (`feature_extractor`).
type LayerReport struct {
	Name     string `json:"name"`
	Tensors  int    `json:"tensors"`
	Elements int    `json:"elements"`
	Relation
	Spectrum *Spectrum `json:"spectrum,omitempty"` // means over its matrices
}

// TensorReport is the same for one tensor.
type TensorReport struct {
	Name     string `json:"name"`
	Shape    []int  `json:"shape"`
	Elements int    `json:"elements"`
	Relation
	Spectrum *Spectrum `json:"spectrum,omitempty"` // of matrices, where package spectra added it
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
	parts := make([]Tally, len(units))
	if err := eachUnit(len(units), func(buffers [][]float32, u int) (err error) {
		parts[u], err = measure(names, vectors, infos[units[u].tensor].Name, units[u], buffers)
		return err
	}, len(vectors)); err != nil {
		return Report{}, err
	}
	tallies := make([]Tally, len(infos))
	for t := range infos {
		tallies[t] = NewTally(len(vectors))
	}
	for u, part := range parts {
		tallies[units[u].tensor].Join(part)
	}
	return NewReport(names, infos, tallies), nil
}

// NewReport makes a report from the sums over each tensor.
func NewReport(names []string, infos []checkpoint.Info, tallies []Tally) Report {
	total := NewTally(len(names))
	groups := make(map[string]*group)
	report := Report{Names: slices.Clone(names)}
	for t, info := range infos {
		g := groups[Group(info.Name)]
		if g == nil {
			g = &group{tally: NewTally(len(names))}
			groups[Group(info.Name)] = g
		}
		g.tensors++
		g.elements += info.Elements()
		g.tally.Join(tallies[t])
		total.Join(tallies[t])
		report.Tensors = append(report.Tensors, TensorReport{Name: info.Name, Shape: info.Shape, Elements: info.Elements(), Relation: tallies[t].Relation()})
	}
	report.Relation = total.Relation()
	for _, name := range sortedGroups(groups) {
		g := groups[name]
		report.Layers = append(report.Layers, LayerReport{Name: name, Tensors: g.tensors, Elements: g.elements, Relation: g.tally.Relation()})
	}
	return report
}

// sumUnit is a range of elements of one tensor.
type sumUnit struct{ tensor, lo, hi int }

// group gathers a layer's sums.
type group struct {
	tally             Tally
	tensors, elements int
}

// measure sums over one unit.
func measure(names []string, vectors []checkpoint.Source, tensor string, u sumUnit, buffers [][]float32) (Tally, error) {
	x := make([][]float32, len(vectors))
	for j, v := range vectors {
		x[j] = buffers[j][:u.hi-u.lo]
		if err := v.Read(tensor, u.lo, x[j]); err != nil {
			return Tally{}, fmt.Errorf("%s: %w", names[j], err)
		}
	}
	s := NewTally(len(vectors))
	if j := s.Add(x); j >= 0 {
		return s, invalid("%s: tensor %q: not finite, in elements [%d %d)", names[j], tensor, u.lo, u.hi)
	}
	return s, nil
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
