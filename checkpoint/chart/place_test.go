package chart

import (
	"math"
	"strings"
	"testing"
)

// TestReferenceLabelsAvoidCurves draws one line across the place where a label would go first.
func TestReferenceLabelsAvoidCurves(t *testing.T) {
	x := []float64{0, 0.25, 0.5, 0.75, 1}
	for _, c := range []struct {
		name string
		y    []float64
		left bool // the label stands in the left half
	}{
		{"curve leaves the left free", []float64{1, 1, 0.5, 0.5, 0.5}, true},
		{"curve leaves the right free", []float64{0.5, 0.5, 0.5, 1, 1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			// A curve on the reference itself, thick with neighbours on both sides of it.
			chart := Chart{X: x, References: []Reference{{0.5, "base"}}}
			for _, offset := range []float64{-0.03, -0.015, 0, 0.015, 0.03} {
				line := Line{Name: "l"}
				for _, v := range c.y {
					line.Y = append(line.Y, v+offset)
				}
				chart.Lines = append(chart.Lines, line)
			}
			chart.Lines = append(chart.Lines, Line{Name: "floor", Y: []float64{0, 0, 0, 0, 0}})
			for _, f := range frames() {
				d := chart.draw("id", f)
				r := d.References[0]
				middle := (d.Left + d.Right) / 2
				if got := r.LabelX < middle-20; got != c.left {
					t.Errorf("%s: label at %v of [%v, %v], want left %t", f.name, r.LabelX, d.Left, d.Right, c.left)
				}
				if r.LabelY < d.Top || r.LabelY > d.Bottom {
					t.Errorf("%s: label at height %v outside of [%v, %v]", f.name, r.LabelY, d.Top, d.Bottom)
				}
			}
		})
	}
}

func TestReferenceAtTheEdgeStaysInside(t *testing.T) {
	for _, y := range []float64{0, 1} {
		chart := Chart{X: []float64{0, 1}, Lines: []Line{{Name: "l", Y: []float64{0.4, 0.6}}}, References: []Reference{{y, "base, mean non-Western"}}}
		for _, f := range frames() {
			d := chart.draw("id", f)
			if r := d.References[0]; r.LabelX < d.Left || r.LabelX+f.letter*22 > d.Right || r.LabelY < d.Top || r.LabelY > d.Bottom {
				t.Errorf("%s: label of %v at (%v, %v) outside of the plot", f.name, y, r.LabelX, r.LabelY)
			}
		}
	}
}

func TestExtent(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		values    [][]float64
		low, high float64
		ok        bool
	}{
		{[][]float64{{3, 1}, {2}}, 1, 3, true},
		{[][]float64{{nan, 1, math.Inf(1)}}, 1, 1, true},
		{[][]float64{{nan}, {}}, 0, 0, false},
		{nil, 0, 0, false},
	} {
		low, high, ok := Extent(c.values...)
		if ok != c.ok || ok && (low != c.low || high != c.high) {
			t.Errorf("%v: [%v, %v] %t, want [%v, %v] %t", c.values, low, high, ok, c.low, c.high, c.ok)
		}
	}
}

func TestFlatChartHasRoom(t *testing.T) {
	chart := Chart{Title: "flat", X: []float64{0, 1}, YLabel: "y", XLabel: "x", Lines: []Line{{Name: "l", Y: []float64{0, 0}}}}
	for _, f := range frames() {
		d := chart.draw("id", f)
		if len(d.YTicks) < 2 || strings.Contains(d.Lines[0].Path, "NaN") {
			t.Errorf("%s: %d ticks, path %q", f.name, len(d.YTicks), d.Lines[0].Path)
		}
	}
	none := Chart{X: []float64{0.5}, Lines: []Line{{Name: "l", Y: []float64{math.NaN()}}}}
	if d := none.draw("id", frames()[0]); d.Lines[0].Path != "" || len(d.YTicks) == 0 {
		t.Errorf("a chart without values: %+v", d)
	}
}
