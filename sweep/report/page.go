package report

import (
	"fmt"
	"html/template"
	"strconv"
)

// A page is the document as page.tmpl wants it: every figure is text already.
type page struct {
	Document
	CSS      template.CSS
	Sections []section
	Replies  []grid
	Plots    []plot
	Words    *grid
	Results  []grid
	Matrices []grid
	Overlap  []grid
	Depth    []plot
	Tensors  *grid
}

// A section is an entry of the contents line.
type section struct{ ID, Title string }

// A plot is a chart in its layouts, with its legend and its figures.
type plot struct {
	Chart
	Drawings []drawing
	Legend   []drawnLine
	Figures  grid
}

// A grid is a table of cells with a header row and a header column.
type grid struct {
	ID, Title, Caption string
	Class              string
	Header             []string
	TextColumns        int // leading columns that hold words
	Rows               []gridRow
}

type gridRow struct {
	Name, Note string
	Class      string
	Chosen     bool
	Cells      []gridCell
}

// A gridCell is a figure and the lines of small print under it.
type gridCell struct {
	Class    string
	Text     string
	Small    string
	Interval string
	Words    string
}

func newPage(doc Document) (*page, error) {
	css, err := files.ReadFile("style.css")
	if err != nil {
		return nil, err
	}
	p := &page{Document: doc, CSS: template.CSS(css)}
	for i, t := range doc.Answers {
		g, err := wordGrid(fmt.Sprintf("answers-%d", i+1), t)
		if err != nil {
			return nil, err
		}
		p.Replies = append(p.Replies, g)
	}
	for i, c := range doc.Charts {
		if err := c.check(); err != nil {
			return nil, err
		}
		p.Plots = append(p.Plots, newPlot(fmt.Sprintf("chart-%d", i+1), c))
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
			if err := c.check(); err != nil {
				return nil, err
			}
			p.Depth = append(p.Depth, newPlot(fmt.Sprintf("depth-%d", i+1), c))
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

func newPlot(id string, c Chart) plot {
	p := plot{Chart: c, Figures: grid{ID: id + "-figures", Caption: c.YLabel, Class: "figures", Header: []string{c.XLabel}}}
	for _, f := range frames() {
		p.Drawings = append(p.Drawings, c.draw(id, f))
	}
	p.Legend = p.Drawings[0].Lines
	for _, l := range c.Lines {
		p.Figures.Header = append(p.Figures.Header, l.Name)
	}
	for i, x := range c.X {
		row := gridRow{Name: strconv.FormatFloat(x, 'g', -1, 64)}
		for _, m := range c.Marks {
			row.Chosen = row.Chosen || m.X == x
		}
		for _, l := range c.Lines {
			row.Cells = append(row.Cells, gridCell{Text: figure(l.Y[i], orDefault(c.Decimals, 3))})
		}
		p.Figures.Rows = append(p.Figures.Rows, row)
	}
	return p
}
