package report

import (
	"fmt"
	"html/template"

	"syncretic/checkpoint/chart"
)

// A page is the document as page.tmpl wants it: every figure is text already.
type page struct {
	Document
	CSS      template.CSS
	Sections []section
	Replies  []grid
	Plots    []chart.Plot
	Words    *grid
	Results  []grid
	Matrices []grid
	Overlap  []grid
	Depth    []chart.Plot
	Tensors  *grid
}

// A section is an entry of the contents line.
type section struct{ ID, Title string }

// The parts of tables, as chart has them.
type (
	grid     = chart.Grid
	gridRow  = chart.Row
	gridCell = chart.Cell
)

func newPage(doc Document) (*page, error) {
	css, err := chart.Style()
	if err != nil {
		return nil, err
	}
	p := &page{Document: doc, CSS: css}
	for i, t := range doc.Answers {
		g, err := wordGrid(fmt.Sprintf("answers-%d", i+1), t)
		if err != nil {
			return nil, err
		}
		p.Replies = append(p.Replies, g)
	}
	for i, c := range doc.Charts {
		plot, err := chart.NewPlot(fmt.Sprintf("chart-%d", i+1), c)
		if err != nil {
			return nil, err
		}
		p.Plots = append(p.Plots, plot)
	}
	if len(doc.Trials.Rows) > 0 {
		g, err := wordGrid("trials", doc.Trials)
		if err != nil {
			return nil, err
		}
		p.Words = &g
	}
	for i, t := range doc.Scores {
		g, err := scoreGrid(fmt.Sprintf("scores-%d", i+1), t)
		if err != nil {
			return nil, err
		}
		p.Results = append(p.Results, g)
	}
	for i, t := range doc.Losses {
		g, err := lossGrid(fmt.Sprintf("losses-%d", i+1), t)
		if err != nil {
			return nil, err
		}
		p.Matrices = append(p.Matrices, g)
	}
	if doc.Interference != nil {
		in := *doc.Interference
		if p.Overlap, err = interferenceGrids(in); err != nil {
			return nil, err
		}
		for i, c := range layerCharts(in) {
			plot, err := chart.NewPlot(fmt.Sprintf("depth-%d", i+1), c)
			if err != nil {
				return nil, err
			}
			p.Depth = append(p.Depth, plot)
		}
		if len(in.Tensors) > 0 {
			g := groupGrid("tensors", "By tensor", in, in.Tensors)
			g.Header[0] = "Tensor"
			p.Tensors = &g
		}
	}
	p.contents()
	return p, nil
}

// contents lists the sections that exist, in the order of the page.
func (p *page) contents() {
	for _, s := range []struct {
		section
		exists bool
	}{
		{section{"remarks", "Before you quote"}, len(p.Remarks) > 0},
		{section{"answers", "Answers"}, len(p.Replies) > 0},
		{section{"lambda", "Choice of λ"}, len(p.Plots) > 0 || p.Words != nil},
		{section{"scores", "Scores"}, len(p.Results) > 0},
		{section{"losses", "Masked loss"}, len(p.Matrices) > 0},
		{section{"interference", "Interference"}, len(p.Overlap) > 0},
		{section{"provenance", "Provenance"}, len(p.Provenance) > 0},
	} {
		if s.exists {
			p.Sections = append(p.Sections, s.section)
		}
	}
}

// Has reports whether the contents list a section; for the template.
func (p *page) Has(id string) bool {
	for _, s := range p.Sections {
		if s.ID == id {
			return true
		}
	}
	return false
}
