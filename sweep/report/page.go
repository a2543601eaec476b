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
	Small    []chart.Plot
	Trade    *chart.Plot
	Course   *chart.Plot
	Threads  *chart.Plot
	Weights  *grid
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
	if err := p.search(doc); err != nil {
		return nil, err
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
		{section{"lambda", "Choice of λ"}, len(p.Plots) > 0},
		{section{"pareto", "Gain and cost"}, p.Trade != nil},
		{section{"search", "The search"}, p.Weights != nil || p.Threads != nil || p.Course != nil || len(p.Small) > 0 || p.Words != nil && len(p.Plots) == 0},
		{section{"scores", "Scores"}, len(p.Results) > 0},
		{section{"losses", "Masked loss"}, len(p.Matrices) > 0},
		{section{"interference", "Interference"}, len(p.Overlap) > 0},
		{section{"provenance", p.Again()}, len(p.Provenance)+len(p.Commands)+len(p.Recipe) > 0},
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

// Again is the title of the last section: what it holds.
func (p *page) Again() string {
	if len(p.Commands) > 0 || p.Recipe != "" {
		return "Run it again"
	}
	return "Provenance"
}

// search lays out what FromSearch fills.
func (p *page) search(doc Document) error {
	for i, s := range doc.Partials {
		plot, err := chart.NewScatter(fmt.Sprintf("partial-%d", i+1), s)
		if err != nil {
			return err
		}
		p.Small = append(p.Small, plot)
	}
	for _, c := range []struct {
		id   string
		from *Scatter
		to   **chart.Plot
	}{{"trade", doc.Pareto, &p.Trade}, {"history", doc.History, &p.Course}} {
		if c.from == nil {
			continue
		}
		plot, err := chart.NewScatter(c.id, *c.from)
		if err != nil {
			return err
		}
		*c.to = &plot
	}
	if doc.Coordinates != nil {
		plot, err := chart.NewParallel("coordinates", *doc.Coordinates)
		if err != nil {
			return err
		}
		p.Threads = &plot
	}
	if doc.Importance != nil {
		g, err := importanceGrid(*doc.Importance)
		if err != nil {
			return err
		}
		p.Weights = &g
	}
	return nil
}
