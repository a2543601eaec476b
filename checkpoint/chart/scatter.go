package chart

import (
	"fmt"
	"math"
	"slices"
)

// Scatter is a chart of points over two axes. Where a few lie so far from the rest that all others would fall together, the
// frame leaves them out and says how many.
type Scatter struct {
	Title    string
	Caption  string
	XLabel   string
	YLabel   string
	Dots     []Dots  // many points, drawn in this order
	Curves   []Curve // lines through places of their own, listed in the table under the chart
	Points   []Point // few points, each with its name beside it, listed in that table too
	Marks    []Mark
	Refs     []Reference
	Rug      []float64 // places to tick at the foot of the plot
	XDigits  int       // decimals of x in the table under the chart
	Decimals int       // of y there; 0 means 3
	Log      bool      // x on a logarithmic scale: what is not above 0 is left out
	Small    bool      // one small layout without a legend, for charts that stand side by side
}

// Tone says how dots are drawn.
type Tone int

// The tones of dots.
const (
	Plain  Tone = iota // discs in the colour of their number
	Faint              // small crosses that stand back
	Strong             // large discs that stand out
)

// Dots are points of one kind. Titles, where there are any, show while the reader points at a dot.
type Dots struct {
	Name   string
	Tone   Tone
	Colour int // of Plain ones, as lines of a [Chart] are numbered
	X, Y   []float64
	Titles []string
}

// Shape says how a curve goes from one place to the next.
type Shape int

// The shapes of curves.
const (
	Straight  Shape = iota
	StepAfter       // along x, then along y: what holds until the next place
	StepFirst       // along y, then along x
)

// Curve is a line of its own places, in their order; NaN leaves a gap.
type Curve struct {
	Name  string
	Shape Shape
	X, Y  []float64
}

// Point is a place with a name.
type Point struct {
	Name   string
	X, Y   float64
	Chosen bool
}

// NewScatter lays a scatter chart out. One with nothing to draw, or with fewer x than y, is an error. Ids of the page's elements
// begin with id.
func NewScatter(id string, s Scatter) (Plot, error) {
	if err := s.check(); err != nil {
		return Plot{}, err
	}
	if s.Decimals == 0 {
		s.Decimals = 3
	}
	p := Plot{Chart: Chart{Title: s.Title, Caption: s.Caption}, Key: true, Figures: s.figures(id)}
	outside, of := 0, 0
	for _, f := range s.frames() {
		d, out, n := s.draw(id, f)
		p.Drawings, outside, of = append(p.Drawings, d), out, n
	}
	switch {
	case outside == 1:
		p.Outside = fmt.Sprintf("One point of %d lies outside of the frame.", of)
	case outside > 1:
		p.Outside = fmt.Sprintf("%d points of %d lie outside of the frame.", outside, of)
	}
	if s.Small {
		return p, nil // they share one legend, or words
	}
	for _, d := range slices.Backward(s.Dots) {
		if len(d.X) > 0 && d.Name != "" {
			p.Legend = append(p.Legend, drawnLine{Name: d.Name, Class: d.class(), Swatch: "M14 6" + d.shape()})
		}
	}
	for i, c := range s.Curves {
		p.Legend = append(p.Legend, drawnLine{Name: c.Name, Class: curveClass(i), Path: "M1 6H27"})
	}
	return p, nil
}

func (s Scatter) check() error {
	n := len(s.Points)
	for _, d := range s.Dots {
		if len(d.X) != len(d.Y) || d.Titles != nil && len(d.Titles) != len(d.X) {
			return fmt.Errorf("scatter %q: dots %q have %d x, %d y and %d titles", s.Title, d.Name, len(d.X), len(d.Y), len(d.Titles))
		}
		n += len(d.X)
	}
	for _, c := range s.Curves {
		if len(c.X) != len(c.Y) {
			return fmt.Errorf("scatter %q: curve %q has %d x and %d y", s.Title, c.Name, len(c.X), len(c.Y))
		}
		n += len(c.X)
	}
	if n == 0 {
		return fmt.Errorf("scatter %q: no points", s.Title)
	}
	return nil
}

// figures is the table under the chart: named points, then curves.
func (s Scatter) figures(id string) Grid {
	g := Grid{ID: id + "-figures", Caption: s.Title, Class: "figures", Header: []string{"", s.XLabel, s.YLabel}}
	row := func(name string, chosen bool, x, y float64) {
		g.Rows = append(g.Rows, Row{Name: name, Chosen: chosen, Cells: []Cell{{Text: Figure(x, s.XDigits)}, {Text: Figure(y, s.Decimals)}}})
	}
	for _, p := range s.Points {
		row(p.Name, p.Chosen, p.X, p.Y)
	}
	for _, c := range s.Curves {
		for i := range c.X {
			row(c.Name, false, c.X[i], c.Y[i])
		}
	}
	return g
}

// Fence is the extent of values without those further from the middle half than three times its width; ok is false when none is
// finite.
func Fence(values []float64) (low, high float64, ok bool) {
	v := slices.DeleteFunc(slices.Clone(values), func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
	if len(v) == 0 {
		return 0, 0, false
	}
	slices.Sort(v)
	first, third := v[len(v)/4], v[len(v)*3/4]
	if reach := 3 * (third - first); reach > 0 {
		v = slices.DeleteFunc(v, func(x float64) bool { return x < first-reach || x > third+reach })
	}
	return v[0], v[len(v)-1], true
}
