package similarity

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strconv"

	"syncretic/checkpoint/chart"
)

//go:embed page.tmpl
var pages embed.FS

// Page says what a page is about.
type Page struct {
	NameA, NameB string
	Provenance   [][2]string // name and value: enough to run it again
}

// WritePage draws a result as one HTML page that needs no network: heat maps of both estimators and, of models with as many layers
// as each other, the similarity of each layer to the same one of the other model over depth.
func WritePage(w io.Writer, r Result, p Page) error {
	css, err := chart.Style()
	if err != nil {
		return err
	}
	t, err := chart.Parse(pages, "page.tmpl")
	if err != nil {
		return err
	}
	caption := fmt.Sprintf("Rows are layers of %s, columns those of %s; layer 0 is the Transformer's input.", p.NameA, p.NameB)
	data := struct {
		Page
		CSS              template.CSS
		Title, Subtitle  string
		Plot             *chart.Plot
		Unbiased, Biased chart.Grid
	}{
		Page: p, CSS: css, Title: "Similarity of representations",
		Subtitle: fmt.Sprintf("Linear CKA between the layers of %s and %s on %d items: 1 is the same up to rotation, shift and scale.", p.NameA, p.NameB, r.Items),
		Unbiased: heatMap("unbiased", "Every pair of layers", caption, r.Unbiased),
		Biased:   heatMap("biased", "The biased estimator", caption+" It rises towards 1 where items are few beside dimensions.", r.Biased),
	}
	if n := len(r.Unbiased); n > 1 && n == len(r.Unbiased[0]) {
		c := chart.Chart{Title: "The same layer in both", XLabel: "layer", YLabel: "CKA", Caption: "Where the line falls, one model was changed most."}
		line := chart.Line{Name: "unbiased CKA", Kind: chart.Mean}
		for l := range n {
			c.X, line.Y = append(c.X, float64(l)), append(line.Y, r.Unbiased[l][l])
		}
		c.Lines = []chart.Line{line}
		if plot, err := chart.NewPlot("depth", c); err == nil { // none where every layer is undefined
			data.Plot = &plot
		}
	}
	return t.Execute(w, data)
}

func heatMap(id, title, caption string, table [][]float64) chart.Grid {
	g := chart.Grid{ID: id, Title: title, Caption: caption, Class: "heat", Header: []string{"Layer"}}
	for m := range table[0] {
		g.Header = append(g.Header, strconv.Itoa(m))
	}
	for l, row := range table {
		out := chart.Row{Name: strconv.Itoa(l)}
		for _, v := range row {
			out.Cells = append(out.Cells, chart.Cell{Text: chart.Figure(v, 2), Class: chart.Heat(v, 0, 1)})
		}
		g.Rows = append(g.Rows, out)
	}
	return g
}
