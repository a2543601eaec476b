package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// drawnDots are points of one kind: one path, or one a point where they have titles.
type drawnDots struct {
	Class string
	Path  string
	Each  []drawnDot
}

type drawnDot struct{ Path, Title string }

// A drawnPoint is a marker with its name and, where that stands apart, a line between them.
type drawnPoint struct {
	Class, Marker, Label, Title string
	LabelX, LabelY              float64
	Leader                      string
}

func (s Scatter) frames() []frame {
	if s.Small {
		return []frame{{name: "small", width: 350, height: 240, left: 46, right: 12, bottom: 42, ticks: 5, letter: 6.6}}
	}
	return []frame{
		{name: "wide", width: 760, height: 420, left: 58, right: 20, bottom: 46, ticks: 10, letter: 6.8},
		{name: "narrow", width: 360, height: 340, left: 46, right: 14, bottom: 44, ticks: 5, letter: 6.8},
	}
}

// draw lays the chart out in a frame, and counts its dots and those outside of the frame.
func (s Scatter) draw(id string, f frame) (d drawing, outside, of int) {
	d = drawing{
		ID: id + "-" + f.name, Title: s.Title, Desc: s.describe(), Class: f.name, XLabel: s.XLabel, YLabel: s.YLabel,
		Width: f.width, Height: f.height, Left: f.left, Right: f.width - f.right, Bottom: f.height - f.bottom,
		Top: 26 + lineHeight*float64(len(s.Marks)),
	}
	x, y := s.scales(d)
	d.XTicks, d.YTicks = x.ticks(f.ticks), y.ticks(6)
	if s.Log {
		d.XTicks = x.powers(f.ticks)
	}
	lines := Chart{Marks: s.Marks, References: s.Refs}
	lines.marks(&d, s.place(x), f)
	for _, set := range s.Dots {
		drawn, out := s.dots(d, set, x, y)
		if set.Tone == Strong {
			d.Over = append(d.Over, drawn)
		} else {
			d.Dots = append(d.Dots, drawn)
		}
		outside, of = outside+out, of+len(set.X)
	}
	for i, c := range s.Curves {
		d.Lines = append(d.Lines, drawnLine{Name: c.Name, Class: curveClass(i), Path: s.curve(c, x, y)})
	}
	d.References = lines.references(d, x, y, f)
	d.Rug = rug(s.Rug, d, s.place(x))
	d.Points = s.points(d, x, y, f)
	return d, outside, of
}

// place maps an x to pixels; NaN where the scale has no place for it.
func (s Scatter) place(x scale) func(float64) float64 {
	return func(v float64) float64 {
		if s.Log {
			v = math.Log10(v)
		}
		return x.at(v)
	}
}

// scales fit the axes: x exactly, y with a margin on either side.
func (s Scatter) scales(d drawing) (x, y scale) {
	var xs, ys []float64
	for _, c := range s.Curves {
		xs, ys = append(xs, c.X...), append(ys, c.Y...)
	}
	for _, p := range s.Points {
		xs, ys = append(xs, p.X), append(ys, p.Y)
	}
	for _, m := range s.Marks {
		xs = append(xs, m.X)
	}
	for _, r := range s.Refs {
		ys = append(ys, r.Y)
	}
	drawable := func(v float64) bool { return !s.Log || v > 0 }
	xs = slices.DeleteFunc(xs, func(v float64) bool { return !drawable(v) })
	low, high := s.reach(xs, func(set Dots, i int) float64 {
		if !drawable(set.X[i]) {
			return math.NaN()
		}
		return set.X[i]
	})
	inside := func(v float64) bool { return v >= low && v <= high }
	bottom, top := s.reach(ys, func(set Dots, i int) float64 {
		if !inside(set.X[i]) {
			return math.NaN()
		}
		return set.Y[i]
	})
	if s.Log { // 0 to 1 where there is nothing
		low, high = math.Log10(max(low, math.SmallestNonzeroFloat64)), math.Log10(high)
	}
	bottom, top = widen(bottom, top)
	return scale{low, high, d.Left + 10, d.Right - 10}, scale{bottom, top, d.Bottom, d.Top}
}

// reach is the range of one axis: all fixed places, and what [Fence] leaves of the dots. Faint dots widen it at most to twice of what
// it is without them, on either side.
func (s Scatter) reach(fixed []float64, of func(Dots, int) float64) (low, high float64) {
	var dots, faint []float64
	for _, set := range s.Dots {
		for i := range set.X {
			if set.Tone == Faint {
				faint = append(faint, of(set, i))
			} else {
				dots = append(dots, of(set, i))
			}
		}
	}
	if low, high, ok := Fence(dots); ok {
		fixed = append(fixed, low, high)
	}
	if least, most, ok := Fence(faint); ok {
		if low, high, ok := Extent(fixed); ok && high > low {
			least, most = max(least, low-(high-low)), min(most, high+(high-low))
		}
		fixed = append(fixed, least, most)
	}
	low, high, ok := Extent(fixed)
	if !ok {
		return 0, 1
	}
	return low, high
}

func (set Dots) class() string {
	switch set.Tone {
	case Faint:
		return "faint"
	case Strong:
		return "strong"
	}
	return fmt.Sprintf("c%d", set.Colour%palette)
}

// shape is the rest of a path that draws a dot around the current point.
func (set Dots) shape() string {
	switch set.Tone {
	case Faint:
		return "m-2 -2l4 4m0 -4l-4 4"
	case Strong:
		return "m-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0z"
	}
	return "h0" // a round cap of the stroke
}

// dots draws what lies in the plot, and counts what does not.
func (s Scatter) dots(d drawing, set Dots, x, y scale) (out drawnDots, outside int) {
	out.Class = set.class()
	place := s.place(x)
	var path strings.Builder
	for i := range set.X {
		atX, atY := place(set.X[i]), y.at(set.Y[i])
		if !(atX >= d.Left && atX <= d.Right && atY >= d.Top && atY <= d.Bottom) {
			if !math.IsNaN(set.X[i]) && !math.IsNaN(set.Y[i]) {
				outside++
			}
			continue
		}
		dot := "M" + px(atX) + " " + px(atY) + set.shape()
		if set.Titles == nil {
			path.WriteString(dot)
			continue
		}
		out.Each = append(out.Each, drawnDot{dot, set.Titles[i]})
	}
	out.Path = path.String()
	return out, outside
}

// curveClass is how the i-th curve looks: the first heavy, as a mean, others dashed.
func curveClass(i int) string {
	if i == 0 {
		return "mean"
	}
	return "western"
}

func (s Scatter) curve(c Curve, x, y scale) string {
	var path strings.Builder
	place := s.place(x)
	pen := "M"
	for i := range c.X {
		atX, atY := place(c.X[i]), y.at(c.Y[i])
		if math.IsNaN(atX+atY) || math.IsInf(atX+atY, 0) {
			pen = "M"
			continue
		}
		switch {
		case pen == "M" || c.Shape == Straight:
			path.WriteString(pen + px(atX) + " " + px(atY))
		case c.Shape == StepAfter:
			path.WriteString("H" + px(atX) + "V" + px(atY))
		default:
			path.WriteString("V" + px(atY) + "H" + px(atX))
		}
		pen = "L"
	}
	return path.String()
}

// describe says in words what a reader who does not see the drawing needs.
func (s Scatter) describe() string {
	text := fmt.Sprintf("%s against %s.", s.YLabel, s.XLabel)
	for _, set := range s.Dots {
		if len(set.X) > 0 {
			text += fmt.Sprintf(" %d points: %s.", len(set.X), set.Name)
		}
	}
	names := []string{}
	for _, c := range s.Curves {
		names = append(names, c.Name)
	}
	for _, p := range s.Points {
		names = append(names, p.Name)
	}
	for _, m := range s.Marks {
		names = append(names, m.Label)
	}
	if len(names) > 0 {
		text += " Marked: " + strings.Join(slices.Compact(names), ", ") + "."
	}
	return text
}
