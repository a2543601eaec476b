package report

import (
	"fmt"
	"math"
	"slices"

	"syncretic/checkpoint/chart"
)

// interferenceGrids are up to four tables: norms, cosines, sign conflicts, and the groups of layers.
func interferenceGrids(in Interference) ([]grid, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	norms := grid{ID: "norms", Title: "Length of the " + in.noun(), Class: "figures", Header: []string{"Vector", in.length()}}
	relative := in.BaseNorm > 0 && !math.IsInf(in.BaseNorm, 0)
	if relative {
		norms.Header = append(norms.Header, "of ‖θ₀‖")
	}
	if in.Trimmed != nil {
		norms.Header = append(norms.Header, "trimmed")
	}
	for i, name := range in.Names {
		row := gridRow{Name: name, Cells: []gridCell{{Text: chart.Figure(in.Norms[i], 2)}}}
		if relative {
			row.Cells = append(row.Cells, gridCell{Text: chart.Figure(100*in.Norms[i]/in.BaseNorm, 1) + " %"})
		}
		if in.Trimmed != nil {
			cell := gridCell{Text: chart.Dash}
			if i < len(in.modelNames()) {
				cell.Text = chart.Figure(100*in.Trimmed[i], 1) + " %"
			}
			row.Cells = append(row.Cells, cell)
		}
		norms.Rows = append(norms.Rows, row)
	}
	grids := []grid{norms}
	if in.Cosine != nil {
		g := pairGrid("cosine", "Cosine between "+in.noun(), "1: the same direction, 0: nothing in common, below: against each other.", in.Names, in.Cosine, agreement)
		grids = append(grids, g)
	}
	if in.SignConflict != nil {
		g := pairGrid("conflict", "Sign conflict", "Share of weights that two vectors push opposite ways; 0.5 is chance.", in.Names, in.SignConflict, conflict)
		grids = append(grids, g)
	}
	if len(in.Groups) > 0 {
		grids = append(grids, groupGrid("groups", "By group of layers", in, in.Groups))
	}
	return grids, nil
}

// noun is what the vectors are.
func (in Interference) noun() string {
	if in.Models {
		return "models"
	}
	return "task vectors"
}

// length is the sign of a vector's norm.
func (in Interference) length() string {
	if in.Models {
		return "‖θ‖"
	}
	return "‖τ‖"
}

// Heading is the title of the section.
func (in Interference) Heading() string { return "Interference between " + in.noun() }

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
	for _, g := range slices.Concat(in.Groups, in.Tensors) {
		if len(g.Norms) != len(in.Names) {
			return fmt.Errorf("interference: group %q: %d norms, want %d", g.Name, len(g.Norms), len(in.Names))
		}
		for _, list := range [][]float64{g.Trimmed, g.Directions} {
			if list != nil && len(list) != len(in.Names) {
				return fmt.Errorf("interference: group %q: %d shares, want %d", g.Name, len(list), len(in.Names))
			}
		}
		for i, m := range [][][]float64{g.Cosine, g.SignConflict, g.Overlap, g.Chance} {
			what := []string{"cosine", "sign conflict", "overlap", "chance"}[i]
			if err := square("group "+g.Name+" "+what, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// agreement is a cell of a cosine: blue is together, orange against each other.
func agreement(v float64) gridCell {
	return gridCell{Text: chart.Figure(v, 2), Class: chart.Diverging(v, 0, 1)}
}

// conflict is a cell of a share of signs that differ, in the colours of agreement about what chance gives.
func conflict(v float64) gridCell {
	return gridCell{Text: chart.Figure(v, 2), Class: chart.Diverging(-v, -0.5, 0.5)}
}

// share is a cell of a figure from 0 to 1.
func share(v float64) gridCell {
	return gridCell{Text: chart.Figure(v, 2), Class: chart.Heat(v, 0, 1)}
}

// pairGrid is a heat table of vectors x vectors; the diagonal, which says nothing, stays blank.
func pairGrid(id, title, caption string, names []string, m [][]float64, cell func(float64) gridCell) grid {
	g := grid{ID: id, Title: title, Caption: caption, Class: "heat", Header: append([]string{""}, names...)}
	for i, name := range names {
		row := gridRow{Name: name}
		for j, v := range m[i] {
			if i == j {
				row.Cells = append(row.Cells, gridCell{Text: "·", Class: "blank"})
				continue
			}
			row.Cells = append(row.Cells, cell(v))
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// modelNames are the vectors that are no merge.
func (in Interference) modelNames() []string {
	if in.Merged && len(in.Names) > 0 {
		return in.Names[:len(in.Names)-1]
	}
	return in.Names
}

// models is the part of a matrix that is about models, not their merge.
func (in Interference) models(m [][]float64) [][]float64 {
	if !in.Merged || len(m) == 0 {
		return m
	}
	return leading(m, len(m)-1)
}

// leading is the first n rows and columns of a matrix, or all where it has fewer.
func leading(m [][]float64, n int) [][]float64 {
	var part [][]float64
	for _, row := range m[:min(n, len(m))] {
		part = append(part, row[:min(n, len(row))])
	}
	return part
}
