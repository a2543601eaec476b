package chart

import "strconv"

// A Plot is a chart in its layouts, with its legend and its figures.
type Plot struct {
	Chart
	Drawings []drawing
	Legend   []drawnLine
	Figures  Grid
	Key      bool   // the legend is shown on wide screens too: nothing in the chart says what it says
	Outside  string // how many points the frame leaves out, in words
}

// A Grid is a table of cells with a header row and a header column.
type Grid struct {
	ID, Title, Caption string
	Class              string
	Header             []string
	TextColumns        int // leading columns that hold words
	Rows               []Row
}

// A Row is a header cell, with small print under it, and its cells.
type Row struct {
	Name, Note string
	Class      string
	Chosen     bool
	Cells      []Cell
}

// A Cell is a figure and the lines of small print under it.
type Cell struct {
	Class    string
	Text     string
	Small    string
	Interval string
	Words    string
	Bar      float64 // in (0, 100]: the cell begins with a bar of that many percent
}

// NewPlot lays a chart out. A chart with nothing to draw, or whose lines are not as long as its axis, is an error. Ids of the
// page's elements begin with id.
func NewPlot(id string, c Chart) (Plot, error) {
	if err := c.check(); err != nil {
		return Plot{}, err
	}
	p := Plot{Chart: c, Figures: Grid{ID: id + "-figures", Caption: c.YLabel, Class: "figures", Header: []string{c.XLabel}}}
	for _, f := range frames() {
		p.Drawings = append(p.Drawings, c.draw(id, f))
	}
	p.Legend = p.Drawings[0].Lines
	for _, l := range c.Lines {
		p.Figures.Header = append(p.Figures.Header, l.Name)
	}
	decimals := c.Decimals
	if decimals == 0 {
		decimals = 3
	}
	format := byte('g')
	if c.Steps {
		format = 'f' // all digits of a long run's
	}
	for i, x := range c.X {
		row := Row{Name: strconv.FormatFloat(x, format, -1, 64)}
		for _, m := range c.Marks {
			row.Chosen = row.Chosen || m.X == x && !c.Steps
		}
		for _, l := range c.Lines {
			cell := Cell{Text: Figure(l.Y[i], decimals)}
			if l.Low != nil && c.inBand(l, i) {
				cell.Interval = "[" + Figure(l.Low[i], decimals) + ", " + Figure(l.High[i], decimals) + "]"
			}
			row.Cells = append(row.Cells, cell)
		}
		p.Figures.Rows = append(p.Figures.Rows, row)
	}
	return p, nil
}
