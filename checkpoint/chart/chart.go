// Package chart draws line charts and tables into HTML pages that need no network: charts are SVG in two layouts, for wide
// screens and for phones, with a description in words and their figures in a table; colours follow the reader's light or dark
// scheme. The same input gives the same bytes.
//
// Fill a [Chart] of lines, a [Scatter] of points or a [Parallel] of many parameters, lay it out by its New function, and run the
// [Plot] through the templates that [Parse] adds to a page: "figure" draws it with legend, caption and figures, "block" a titled
// [Grid], "grid" its table alone. [Style] is what they look like. Numbers are written by [Figure], [Signed] and [Short].
package chart

import (
	"embed"
	"html/template"
	"io/fs"
)

//go:embed chart.tmpl parallel.tmpl parts.tmpl style.css
var files embed.FS

// Style is the style sheet of pages with charts and tables.
func Style() (template.CSS, error) {
	css, err := files.ReadFile("style.css")
	return template.CSS(css), err
}

// Parse reads a page's template, with those of this package and the functions figure and px beside it.
func Parse(pages fs.FS, name string) (*template.Template, error) {
	t, err := template.New(name).Funcs(template.FuncMap{"figure": Figure, "px": px}).ParseFS(pages, name)
	if err != nil {
		return nil, err
	}
	return t.ParseFS(files, "chart.tmpl", "parallel.tmpl", "parts.tmpl")
}

// Chart is a line chart over one x axis.
type Chart struct {
	Title      string
	Caption    string
	XLabel     string
	YLabel     string
	X          []float64
	Lines      []Line
	Marks      []Mark      // vertical lines, as of a choice
	References []Reference // horizontal lines, as of a base or a constraint
	Decimals   int         // of y in the table under the chart; 0 means 3
	Dense      bool        // many points: lines are drawn without markers
	Steps      bool        // x counts steps, of which marks are events: they choose no row of the table
	Rug        []float64   // places to tick at the foot of the plot, as of single events
}

// Kind says how a line is drawn.
type Kind int

// The kinds of lines: a coloured thin line with its own marker for one culture, a heavy line for the mean over
// cultures, a dashed one for Western.
const (
	Culture Kind = iota
	Mean
	Western
)

// Line is one series; Y[i] belongs to the chart's X[i], NaN leaves a gap. Low and High, both or neither, are the ends of an
// interval about it, drawn as a band that has gaps where either is NaN.
type Line struct {
	Name      string
	Kind      Kind
	Y         []float64
	Low, High []float64
}

// Mark is a labelled vertical line at X.
type Mark struct {
	X     float64
	Label string
}

// Reference is a labelled horizontal line at Y.
type Reference struct {
	Y     float64
	Label string
}
