package chart

import "math"

// bold is how much wider the letters of names are than others.
const bold = 1.13

// points places the named points. Each name goes to the one of several places around its point, the nearest first, where it
// covers least of other names, markers and curves; where it stands apart a line leads to it.
func (s Scatter) points(d drawing, x, y scale, f frame) []drawnPoint {
	place := s.place(x)
	var out []drawnPoint
	var taken, markers []box
	type spot struct {
		Point
		x, y float64
	}
	var spots []spot
	for _, p := range s.Points {
		at := spot{p, place(p.X), y.at(p.Y)}
		if math.IsNaN(at.x+at.y) || math.IsInf(at.x+at.y, 0) {
			continue
		}
		spots = append(spots, at)
		markers = append(markers, box{at.x - 6, at.y - 6, at.x + 6, at.y + 6})
	}
	for i, p := range spots {
		width := bold*f.letter*float64(len([]rune(p.Name))) + 4
		best, least, apart := box{}, math.Inf(1), false
		for _, reach := range []float64{9, 22, 38, 54, 72, 96, 128, 165} {
			for _, side := range [][2]float64{{1, 0}, {-1, 0}, {0.7, -0.8}, {-0.7, -0.8}, {0.7, 0.8}, {-0.7, 0.8}, {0, -1.3}, {0, 1.3}} {
				b := box{top: p.y + reach*side[1] - 7, bottom: p.y + reach*side[1] + 6}
				switch {
				case side[0] > 0:
					b.left = p.x + reach*side[0]
				case side[0] < 0:
					b.left = p.x + reach*side[0] - width
				default:
					b.left = p.x - width/2
				}
				b.right = b.left + width
				cost := reach/6 + s.covered(b, d, x, y)
				for k, m := range markers {
					if k != i && b.meets(m) {
						cost += 60
					}
				}
				for _, t := range taken {
					if b.meets(t) {
						cost += 800
					}
				}
				if cost < least {
					best, least, apart = b, cost, reach > 9
				}
			}
		}
		taken = append(taken, best)
		point := drawnPoint{Class: "named", Label: p.Name, LabelX: best.left + 2, LabelY: best.bottom - 2,
			Title:  p.Name + ": " + s.XLabel + " " + Figure(p.X, s.XDigits) + ", " + s.YLabel + " " + Figure(p.Y, s.Decimals),
			Marker: "M" + px(p.x) + " " + px(p.y) + "m-4.2 0a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0 -8.4 0z"}
		if p.Chosen {
			point.Class, point.Marker = "named winner", "M"+px(p.x)+" "+px(p.y)+"m0 -6.5l6.5 6.5l-6.5 6.5l-6.5 -6.5z"
		}
		if apart {
			nearX := max(best.left, min(best.right, p.x))
			nearY := max(best.top, min(best.bottom, p.y))
			point.Leader = "M" + px(p.x) + " " + px(p.y) + "L" + px(nearX) + " " + px(nearY)
		}
		out = append(out, point)
	}
	return out
}

// covered weighs what of the drawing a name at b would hide: the plot's edge most of all, places of curves, lines of marks and
// references and their labels, and dots a little.
func (s Scatter) covered(b box, d drawing, x, y scale) float64 {
	var cost float64
	if b.top < d.Top || b.bottom > d.Bottom || b.left < d.Left || b.right > d.Width {
		cost += 1000
	}
	place := s.place(x)
	for _, m := range d.Marks {
		if b.left < m.X && m.X < b.right {
			cost += 6
		}
	}
	for _, r := range d.References {
		if b.top < r.Y && r.Y < b.bottom {
			cost += 6
		}
		if b.meets(box{r.LabelX, r.LabelY - 11, r.LabelX + 6.6*float64(len([]rune(r.Label))), r.LabelY + 2}) {
			cost += 100
		}
	}
	for _, c := range s.Curves {
		for _, at := range s.along(c, x, y) {
			if b.holds(at[0], at[1]) {
				cost += 2
			}
		}
	}
	for _, set := range s.Dots {
		weight := 0.2
		if set.Tone == Strong {
			weight = 2
		}
		for i := range set.X {
			if b.holds(place(set.X[i]), y.at(set.Y[i])) {
				cost += weight
			}
		}
	}
	return cost
}

// along samples a curve's drawing.
func (s Scatter) along(c Curve, x, y scale) [][2]float64 {
	const samples = 6 // on every stroke
	place := s.place(x)
	var out [][2]float64
	stroke := func(fromX, fromY, toX, toY float64) {
		for k := range samples {
			t := float64(k) / samples
			out = append(out, [2]float64{fromX + t*(toX-fromX), fromY + t*(toY-fromY)})
		}
	}
	for i := 1; i < len(c.X); i++ {
		fromX, fromY, toX, toY := place(c.X[i-1]), y.at(c.Y[i-1]), place(c.X[i]), y.at(c.Y[i])
		switch c.Shape {
		case StepAfter:
			stroke(fromX, fromY, toX, fromY)
			stroke(toX, fromY, toX, toY)
		case StepFirst:
			stroke(fromX, fromY, fromX, toY)
			stroke(fromX, toY, toX, toY)
		default:
			stroke(fromX, fromY, toX, toY)
		}
	}
	return out
}

func (b box) meets(o box) bool {
	return b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom
}

func (b box) holds(x, y float64) bool { return b.left < x && x < b.right && b.top < y && y < b.bottom }
