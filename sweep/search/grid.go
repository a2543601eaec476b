package search

import (
	"encoding/binary"
	"fmt"
	"math"
)

// grid proposes every combination of the parameters' grid values that exists, the last parameter fastest.
type grid struct {
	space  Space
	values [][]float64 // by parameter
}

// GridSize counts the combinations of the parameters' grid values: a parameter that does not exist at a point multiplies
// nothing there. +Inf where a continuous parameter has no grid values. The space must have passed [Space.Check].
func (s Space) GridSize() float64 {
	size := 1.0
	for _, p := range s {
		if p.When == "" {
			size *= s.combinations(p)
		}
	}
	return size
}

// combinations counts those of a parameter that exists and of all that its value brings into existence.
func (s Space) combinations(p Param) float64 {
	if !p.Categorical() {
		if len(p.Grid) > 0 {
			return float64(len(p.Grid))
		}
		return p.count()
	}
	total := 0.0
	for _, v := range p.gridValues() {
		size, point := 1.0, Point{p.Name: v}
		for _, child := range s {
			if child.When == p.Name && s.Active(child, point) {
				size *= s.combinations(child)
			}
		}
		total += size
	}
	return total
}

func (p Param) gridValues() []float64 {
	if len(p.Grid) > 0 {
		return p.Grid
	}
	values := make([]float64, int(p.count()))
	for k := range values {
		values[k] = p.nth(float64(k))
	}
	return values
}

// maxGridValues bounds what a parameter with small steps may take; its grid would never end anyway.
const maxGridValues = 1 << 20

func newGrid(cfg Config) (Sampler, error) {
	g := grid{cfg.Space, make([][]float64, len(cfg.Space))}
	for i, p := range cfg.Space {
		if n := p.count(); len(p.Grid) == 0 && n > maxGridValues {
			return nil, fmt.Errorf("%w: sampler %q: parameter %q has %v values, want grid values, or steps that make at most %d",
				ErrSpace, cfg.Kind, p.Name, n, maxGridValues)
		}
		g.values[i] = p.gridValues()
	}
	return g, nil
}

// Ask proposes the first grid point that no trial has, compared bit by bit; trials that failed do not count, so theirs are
// proposed again. Cost: one pass over the history, whatever the size of the grid.
func (g grid) Ask(history []Trial) (Proposal, error) {
	taken := g.space.taken(history)
	var key []byte
	at := make([]int, len(g.space)) // which of its values each parameter has; 0 where it does not exist
	for {
		point := Point{}
		for i, p := range g.space {
			if g.space.Active(p, point) {
				point[p.Name] = g.values[i][at[i]]
			}
		}
		if key = g.space.key(key[:0], point); !taken[string(key)] {
			return Proposal{Point: point}, nil
		}
		if !g.advance(at, point) {
			return Proposal{Done: true}, nil
		}
	}
}

// advance moves to the next combination, and reports whether there is one.
func (g grid) advance(at []int, point Point) bool {
	for i := len(at) - 1; i >= 0; i-- {
		_, exists := point[g.space[i].Name]
		if exists && at[i]+1 < len(g.values[i]) {
			at[i]++
			return true
		}
		at[i] = 0
	}
	return false
}

// taken returns the keys of the points that trials have which did not fail.
func (s Space) taken(history []Trial) map[string]bool {
	taken := make(map[string]bool, len(history))
	var key []byte
	for _, t := range history {
		if t.State != Fail {
			key = s.key(key[:0], t.Point)
			taken[string(key)] = true
		}
	}
	return taken
}

// key appends what tells a point from others: the bits of every parameter's value, with -0 as 0, and how many there are.
func (s Space) key(b []byte, point Point) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(point)))
	for _, p := range s {
		v, exists := point[p.Name]
		if !exists {
			b = append(b, 0)
			continue
		}
		if v == 0 {
			v = 0 // also where it was -0
		}
		b = append(b, 1)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}
