package chart

import (
	"bytes"
	"embed"
	"fmt"
	"log"
	"math"
	"strings"
	"testing"
)

//go:embed testdata/figure.tmpl
var pages embed.FS

// drawn runs a plot through the template of figures.
func drawn(t *testing.T, c Chart) string {
	t.Helper()
	p, err := NewPlot("id", c)
	if err != nil {
		t.Fatal(err)
	}
	page, err := Parse(pages, "testdata/figure.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "figure.tmpl", p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDenseChartsHaveNoMarkers(t *testing.T) {
	c := Chart{Title: "t", XLabel: "x", YLabel: "y", X: []float64{1, 2e6}, Lines: []Line{{Name: "l", Y: []float64{1, 2}}}, Marks: []Mark{{X: 1, Label: "m"}}}
	sparse := drawn(t, c)
	c.Dense, c.Steps = true, true
	dense := drawn(t, c)
	// Two layouts with points and a legend's sample; in a dense chart the sample alone.
	if a, b := strings.Count(sparse, `class="points"`), strings.Count(dense, `class="points"`); a != 3 || b != 1 {
		t.Errorf("%d and %d groups of markers, want 3 and 1", a, b)
	}
	if !strings.Contains(sparse, "chosen") || strings.Contains(dense, "chosen") {
		t.Error("a mark chooses a row only where x counts no steps")
	}
	if !strings.Contains(dense, ">2000000<") {
		t.Error("the step 2,000,000 is not in the table as it is")
	}
}

func TestRug(t *testing.T) {
	c := Chart{X: []float64{0, 10}, Lines: []Line{{Name: "l", Y: []float64{1, 2}}}, Rug: []float64{0, 5, 10, 11, math.NaN()}}
	for _, f := range frames() {
		d := c.draw("id", f)
		if n := strings.Count(d.Rug, "M"); n != 3 || !strings.HasPrefix(d.Rug, "M"+px(d.Left+6)+" "+px(d.Bottom)) || strings.Contains(d.Rug, "NaN") {
			t.Errorf("%s: %q, want the three places that are on the axis", f.name, d.Rug)
		}
	}
	c.Title = "t"
	if with, without := drawn(t, c), drawn(t, Chart{Title: "t", X: c.X, Lines: c.Lines}); strings.Count(with, "v-9") != 6 || strings.Contains(without, "rug") {
		t.Error("a chart with a rug must show it, one without must not")
	}
}

func TestNewPlotRefuses(t *testing.T) {
	for name, c := range map[string]Chart{
		"nothing":        {},
		"a short line":   {X: []float64{1, 2}, Lines: []Line{{Y: []float64{1}}}},
		"no finite axis": {X: []float64{math.NaN()}, Lines: []Line{{Y: []float64{1}}}},
	} {
		if _, err := NewPlot("id", c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func ExampleNewPlot() {
	p, err := NewPlot("loss", Chart{Title: "Loss", XLabel: "step", YLabel: "nats", X: []float64{1, 2}, Lines: []Line{{Name: "makam", Y: []float64{3, 2.5}}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Drawings[0].Desc)
	fmt.Println(p.Figures.Rows[1].Name, p.Figures.Rows[1].Cells[0].Text)
	// Output:
	// nats against step. Lines: makam. The figures are in the table below the chart.
	// 2 2.500
}
