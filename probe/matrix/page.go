package matrix

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"math"

	"syncretic/checkpoint/chart"
	"syncretic/probe"
)

//go:embed page.tmpl
var pages embed.FS

// Section is a table on a page.
type Section struct {
	ID, Title string
	Table     Table
}

// WritePage draws tables as heat maps on one HTML page that needs no network. A cell's colour is its distance from the base: blue
// above, orange below, strongest at ten points.
func WritePage(w io.Writer, sections []Section, provenance [][2]string) error {
	css, err := chart.Style()
	if err != nil {
		return err
	}
	t, err := chart.Parse(pages, "page.tmpl")
	if err != nil {
		return err
	}
	type section struct {
		Section
		Title string
		Grids []chart.Grid
	}
	data := struct {
		CSS             template.CSS
		Title, Subtitle string
		Sections        []section
		Provenance      [][2]string
	}{CSS: css, Title: "Probe matrix", Provenance: provenance,
		Subtitle: "Test scores of heads on frozen features, in percent: mean and deviation over seeds, coloured by the distance from the base."}
	for _, s := range sections {
		data.Sections = append(data.Sections, section{Section: s, Title: s.Title, Grids: []chart.Grid{
			s.Table.grid(s.ID+"-roc-auc", "ROC-AUC", rocAUC, func(c *Comparison) *Difference { return c.ROCAUC }),
			s.Table.grid(s.ID+"-map", "Average precision", averagePrecision, func(c *Comparison) *Difference { return c.AveragePrecision }),
			s.Table.averageGrid(s.ID + "-averages"),
		}})
	}
	return t.Execute(w, data)
}

// reach is the distance from the base at which colours end.
const reach = 0.1

func (t Table) grid(id, title string, of func(Cell) probe.MeanSD, diff func(*Comparison) *Difference) chart.Grid {
	g := chart.Grid{ID: id, Title: title, Class: "heat", Header: []string{"Model"}, Caption: "Base: " + t.Base + "."}
	if t.Source != "" {
		g.Caption += " Source: " + t.Source + "."
	} else {
		g.Caption += " Small print: difference from the base in points with its 95 % interval over recordings, p after Holm's correction over datasets."
	}
	for _, d := range t.Datasets {
		name := d.Name
		if d.Western {
			name += " (Western)"
		}
		g.Header = append(g.Header, name)
	}
	base := t.base()
	for _, r := range t.Rows {
		out := t.row(r)
		for k, c := range r.Cells {
			m := of(c)
			cell := chart.Cell{Text: chart.Figure(100*figure(m.Mean), 1)}
			if base != nil {
				cell.Class = chart.Diverging(figure(m.Mean), figure(of(base.Cells[k]).Mean), reach)
			}
			if len(c.Runs) > 1 && m.Mean != nil {
				cell.Small = "± " + chart.Figure(100*m.SD, 1)
			}
			if c.Against != nil {
				if d := diff(c.Against); d != nil {
					cell.Interval = fmt.Sprintf("%s [%s, %s], p %s", chart.Signed(100*d.Difference, 1), chart.Signed(100*d.Low, 1), chart.Signed(100*d.High, 1), chart.Figure(d.Adjusted, 3))
					if t.Datasets[k].Western && d.High < 0 {
						cell.Words = "Western regression"
					}
				}
			}
			out.Cells = append(out.Cells, cell)
		}
		g.Rows = append(g.Rows, out)
	}
	return g
}

func (t Table) averageGrid(id string) chart.Grid {
	g := chart.Grid{ID: id, Title: "Averages", Class: "heat", Header: []string{"Model", "all", "non-Western", "Western"},
		Caption: "Means of ROC-AUC and average precision over datasets; small print: points above the base."}
	for _, r := range t.Rows {
		out, d := t.row(r), t.FromBase(r)
		for _, v := range [][2]*float64{{r.Averages.All, d.All}, {r.Averages.NonWestern, d.NonWestern}, {r.Averages.Western, d.Western}} {
			cell := chart.Cell{Text: chart.Figure(100*figure(v[0]), 1)}
			if above := figure(v[1]); !math.IsNaN(above) && r.Model != t.Base {
				cell.Small, cell.Class = chart.Signed(100*above, 2), chart.Diverging(above, 0, reach)
			}
			out.Cells = append(out.Cells, cell)
		}
		g.Rows = append(g.Rows, out)
	}
	return g
}

func (t Table) row(r Row) chart.Row {
	out := chart.Row{Name: r.Model}
	switch {
	case r.Model == t.Base:
		out.Note = "base"
	case r.Floor:
		out.Note = "floor"
	}
	return out
}
