package chart

import "math"

// references places the horizontal lines. Each label goes above or below its line, to the one of a few places along it
// where it covers least of the curves, the marks and the labels placed before.
func (c Chart) references(d drawing, x, y scale, f frame) []drawnReference {
	var out []drawnReference
	var taken []box
	for _, r := range c.References {
		if math.IsNaN(r.Y) || math.IsInf(r.Y, 0) {
			continue
		}
		width := f.letter*float64(len([]rune(r.Label))) + 4
		line := y.at(r.Y)
		best, least := box{}, math.Inf(1)
		for _, along := range []float64{0, 1, 0.25, 0.5, 0.75} {
			left := d.Left + 6 + along*(d.Right-d.Left-12-width)
			for _, top := range []float64{line - lineHeight, line + 3} {
				b := box{left, top, left + width, top + lineHeight - 3}
				if cost := c.cover(b, d, x, y, taken); cost < least {
					best, least = b, cost
				}
			}
		}
		taken = append(taken, best)
		out = append(out, drawnReference{Y: line, LabelX: best.left, LabelY: best.bottom - 2, Label: r.Label})
	}
	return out
}

// A box is a rectangle of a drawing.
type box struct{ left, top, right, bottom float64 }

// cover weighs what a label at b would hide: samples of curves, crossed marks and references, other labels, and, most of
// all, space outside of the plot.
func (c Chart) cover(b box, d drawing, x, y scale, taken []box) float64 {
	var cost float64
	if b.top < d.Top || b.bottom > d.Bottom || b.left < d.Left {
		cost += 1000
	}
	for _, t := range taken {
		if b.meets(t) {
			cost += 200
		}
	}
	for _, m := range d.Marks {
		if b.left < m.X && m.X < b.right {
			cost += 4
		}
	}
	for _, r := range c.References {
		if at := y.at(r.Y); b.top < at && at < b.bottom {
			cost += 10
		}
	}
	const samples = 8 // on every segment
	for _, l := range c.Lines {
		for k := 1; k < len(l.Y); k++ {
			for s := range samples {
				t := float64(s) / samples
				px := x.at(c.X[k-1]) + t*(x.at(c.X[k])-x.at(c.X[k-1]))
				py := y.at(l.Y[k-1]) + t*(y.at(l.Y[k])-y.at(l.Y[k-1]))
				if b.holds(px, py) {
					cost++
				}
			}
		}
	}
	return cost
}
