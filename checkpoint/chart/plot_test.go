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
		"nothing":         {},
		"a short line":    {X: []float64{1, 2}, Lines: []Line{{Y: []float64{1}}}},
		"a half interval": {X: []float64{1}, Lines: []Line{{Y: []float64{1}, Low: []float64{0}}}},
		"a short band":    {X: []float64{1, 2}, Lines: []Line{{Y: []float64{1, 2}, Low: []float64{0}, High: []float64{2}}}},
		"no finite axis":  {X: []float64{math.NaN()}, Lines: []Line{{Y: []float64{1}}}},
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

// TestBands: an interval is drawn where both ends are known, in one piece a run, inside the scale, and stands in the table.
func TestBands(t *testing.T) {
	nan := math.NaN()
	c := Chart{Title: "t", X: []float64{0, 1, 2, 3, 4}, Lines: []Line{{Name: "l", Y: []float64{1, 1, 1, 1, 1},
		Low: []float64{0, 0.5, nan, 0, 0.25}, High: []float64{2, 1.5, 3, nan, 1.75}}}}
	for _, f := range frames() {
		d := c.draw("id", f)
		x, y := c.scales(d)
		at := func(a, b float64) string { return px(x.at(a)) + " " + px(y.at(b)) }
		want := "M" + at(0, 2) + "L" + at(1, 1.5) + "L" + at(1, 0.5) + "L" + at(0, 0) + "Z" + "M" + at(4, 1.75) + "L" + at(4, 0.25) + "Z"
		if d.Lines[0].Band != want || y.High < 3 {
			t.Errorf("%s: band %q up to %v, want %q", f.name, d.Lines[0].Band, y.High, want)
		}
	}
	page := drawn(t, c)
	if strings.Count(page, `class="band c0 dash0"`) != 2 || !strings.Contains(page, "[0.500, 1.500]") || strings.Contains(page, "3.000") || !strings.Contains(page, "Bands are intervals.") {
		t.Error("the page does not show the band, or an end that has no other")
	}
	if strings.Contains(drawn(t, Chart{Title: "t", X: c.X, Lines: []Line{{Name: "l", Y: c.X}}}), "band") {
		t.Error("a band of a line that has none")
	}
}
