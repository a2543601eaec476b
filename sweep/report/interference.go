package report

import (
	"fmt"
	"math"
)

// interferenceGrids are up to four tables: norms, cosines, sign conflicts, and the groups of layers.
func interferenceGrids(in Interference) ([]grid, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	norms := grid{ID: "norms", Title: "Length of the task vectors", Class: "figures", Header: []string{"Vector", "‖τ‖"}}
	relative := in.BaseNorm > 0 && !math.IsInf(in.BaseNorm, 0)
	if relative {
		norms.Header = append(norms.Header, "of ‖θ₀‖")
	}
	for i, name := range in.Names {
		row := gridRow{Name: name, Cells: []gridCell{{Text: figure(in.Norms[i], 2)}}}
		if relative {
			row.Cells = append(row.Cells, gridCell{Text: figure(100*in.Norms[i]/in.BaseNorm, 1) + " %"})
		}
		norms.Rows = append(norms.Rows, row)
	}
	grids := []grid{norms}
	if in.Cosine != nil {
		g := pairGrid("cosine", "Cosine between task vectors", "1: the same direction, 0: nothing in common.", in.Names, in.Cosine, 2)
		grids = append(grids, g)
	}
	if in.SignConflict != nil {
		g := pairGrid("conflict", "Sign conflict", "Share of weights that two vectors push opposite ways; 0.5 is chance.", in.Names, in.SignConflict, 2)
		grids = append(grids, g)
	}
	if len(in.Groups) > 0 {
		grids = append(grids, groupGrid(in))
	}
	return grids, nil
}

// check returns an error for a table that is not vectors x vectors.
func (in Interference) check() error {
	square := func(what string, m [][]float64) error {
		if m == nil {
			return nil
		}
		if len(m) != len(in.Names) {
			return fmt.Errorf("interference: %s has %d rows, want %d", what, len(m), len(in.Names))
		}
		for i, row := range m {
			if len(row) != len(in.Names) {
				return fmt.Errorf("interference: %s: row %d has %d cells, want %d", what, i, len(row), len(in.Names))
			}
		}
		return nil
	}
	if len(in.Norms) != len(in.Names) {
		return fmt.Errorf("interference: %d norms, want %d", len(in.Norms), len(in.Names))
	}
	if err := square("cosine", in.Cosine); err != nil {
		return err
	}
	if err := square("sign conflict", in.SignConflict); err != nil {
		return err
	}
	for _, g := range in.Groups {
		if len(g.Norms) != len(in.Names) {
			return fmt.Errorf("interference: group %q: %d norms, want %d", g.Name, len(g.Norms), len(in.Names))
		}
		if err := square("group "+g.Name+" cosine", g.Cosine); err != nil {
			return err
		}
		if err := square("group "+g.Name+" sign conflict", g.SignConflict); err != nil {
			return err
		}
	}
	return nil
}

// pairGrid is a heat table of vectors x vectors over [0, 1]; the diagonal, which says nothing, stays blank.
func pairGrid(id, title, caption string, names []string, m [][]float64, decimals int) grid {
	g := grid{ID: id, Title: title, Caption: caption, Class: "heat", Header: append([]string{""}, names...)}
	for i, name := range names {
		row := gridRow{Name: name}
		for j, v := range m[i] {
			if i == j {
				row.Cells = append(row.Cells, gridCell{Text: "·", Class: "blank"})
				continue
			}
			row.Cells = append(row.Cells, gridCell{Text: figure(v, decimals), Class: heat(math.Abs(v), 0, 1)})
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// groupGrid is one row a group of layers: the norm of every vector, and the means over pairs.
func groupGrid(in Interference) grid {
	g := grid{ID: "groups", Title: "By group of layers", Class: "figures", Header: []string{"Layers"},
		Caption: "‖τ‖ of each vector; cosine and sign conflict are means over pairs."}
	for _, name := range in.Names {
		g.Header = append(g.Header, "‖τ‖ "+name)
	}
	g.Header = append(g.Header, "cosine", "sign conflict")
	for _, group := range in.Groups {
		row := gridRow{Name: group.Name}
		for _, v := range group.Norms {
			row.Cells = append(row.Cells, gridCell{Text: figure(v, 2)})
		}
		cosine, conflict := meanPair(group.Cosine), meanPair(group.SignConflict)
		row.Cells = append(row.Cells,
			gridCell{Text: figure(cosine, 2), Class: heat(math.Abs(cosine), 0, 1)},
			gridCell{Text: figure(conflict, 2), Class: heat(conflict, 0, 1)})
		g.Rows = append(g.Rows, row)
	}
	return g
}
