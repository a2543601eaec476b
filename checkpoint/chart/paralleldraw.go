package chart

import (
	"fmt"
	"math"
	"strings"
)

// A drawnAxis is one axis of parallel coordinates: its line, its name, and labelled places along it.
type drawnAxis struct {
	Path, Name, Full string
	NameX, NameY     float64
	Anchor           string
	Ticks            []drawnTick
}

type drawnTick struct {
	X, Y          float64
	Anchor, Label string
}

// drawnThreads are the threads of one look.
type drawnThreads struct {
	Class string
	Each  []drawnDot
}

// parallelFrames are the two layouts: axes upright side by side where there is room for their names, otherwise stacked; on
// phones always stacked.
func parallelFrames(axes int) []frame {
	wide := frame{name: "wide", width: 760, height: 460, left: 24, right: 64, bottom: 48, letter: 6.6}
	if wide.between(axes) < 64 {
		wide = frame{name: "wide", width: 760, height: 2 + stride*float64(axes), left: 14, right: 70, letter: 6.6, labels: true, ticks: 8}
	}
	return []frame{wide, {name: "narrow", width: 360, height: 2 + stride*float64(axes), left: 12, right: 58, letter: 6.6, labels: true, ticks: 4}}
}

// stride is the distance between stacked axes, in pixels.
const stride = 62

// between is the distance between upright axes.
func (f frame) between(axes int) float64 {
	return (f.width - f.left - f.right) / float64(max(1, axes-1))
}

// A rail places the values of one axis: along it from from to to, and at missing what does not exist. Where the axes are stacked, that is x,
// otherwise y.
type rail struct {
	Axis
	scale
	missing float64
	across  float64 // the other coordinate
}

func (c Parallel) rails(f frame) []rail {
	out := make([]rail, len(c.Axes))
	for i, a := range c.Axes {
		r := rail{Axis: a, scale: scale{a.Low, a.High, f.height - f.bottom, 60}, missing: f.height - f.bottom + 26, across: f.left + f.between(len(c.Axes))*float64(i)}
		if f.labels {
			r.From, r.To, r.missing, r.across = f.left+8, f.width-f.right, f.width-16, 34+stride*float64(i)
		}
		switch {
		case len(a.Choices) > 0:
			r.scale.Low, r.scale.High = -0.5, float64(len(a.Choices))-0.5
		case a.Log:
			r.scale.Low, r.scale.High = math.Log10(a.Low), math.Log10(a.High)
		}
		out[i] = r
	}
	return out
}

// place is where thread number i lies on the axis; what is outside of the range is at its end. Threads of one choice are spread a
// little, so that they can be told apart.
func (r rail) place(v float64, i int, chosen bool) float64 {
	switch {
	case math.IsNaN(v):
		return r.missing
	case len(r.Choices) > 0 && !chosen:
		_, part := math.Modf(float64(i) * (math.Sqrt(5) - 1) / 2)
		v += (part - 0.5) * 0.5
	case r.Log:
		v = math.Log10(max(v, 0))
	}
	return r.at(max(r.scale.Low, min(r.scale.High, v)))
}

// draw lays the chart out in a frame.
func (c Parallel) draw(id string, f frame, ranks []int) drawing {
	d := drawing{ID: id + "-" + f.name, Title: c.Title, Desc: c.describe(), Class: f.name, Width: f.width, Height: f.height}
	rails := c.rails(f)
	sets := make([]drawnThreads, fifths+2) // those not judged, the fifths, the chosen
	for i := range sets {
		sets[i].Class = fmt.Sprintf("q%d", i-1)
	}
	sets[0].Class, sets[fifths+1].Class = "pale", "pick"
	gaps := make([]bool, len(rails))
	for i, t := range c.Threads {
		var path strings.Builder
		pen := "M"
		for k, v := range t.Values {
			gaps[k] = gaps[k] || math.IsNaN(v)
			x, y := rails[k].across, rails[k].place(v, i, t.Chosen)
			if f.labels {
				x, y = y, x
			}
			path.WriteString(pen + px(x) + " " + px(y))
			pen = "L"
		}
		set := &sets[ranks[i]+1]
		if t.Chosen {
			set = &sets[fifths+1]
		}
		set.Each = append(set.Each, drawnDot{path.String(), t.Title})
	}
	for _, set := range sets {
		if len(set.Each) > 0 {
			d.Threads = append(d.Threads, set)
		}
	}
	for i, r := range rails {
		d.Axes = append(d.Axes, r.draw(f, i, len(rails), gaps[i]))
	}
	return d
}

// draw is the axis itself. Upright ones have their names on two levels in turn, so that each has room.
func (r rail) draw(f frame, i, axes int, gap bool) drawnAxis {
	a := drawnAxis{Full: r.Name, Anchor: "middle"}
	if f.labels {
		a.Path = "M" + px(r.From) + " " + px(r.across) + "H" + px(r.To)
		a.Anchor, a.NameX, a.NameY = "start", r.From, r.across-13
		a.Name = cut(r.Name, int((r.To-r.From)/f.letter))
	} else {
		a.Path = "M" + px(r.across) + " " + px(r.From) + "V" + px(r.To)
		a.NameX, a.NameY = r.across, 18+20*float64(i%2)
		room := 2*f.between(axes) - 8
		switch i {
		case 0:
			a.Anchor, a.NameX, room = "start", 2, room-20
		case axes - 1:
			a.Anchor, a.NameX = "end", f.width-2
			room = min(room, f.between(axes)+f.right-8)
		}
		a.Name = cut(r.Name, int(room/f.letter))
	}
	label := func(at float64, text string, room float64) {
		t := drawnTick{X: at, Y: r.across + 18, Anchor: "middle", Label: cut(text, max(2, int(room/6)))}
		if !f.labels {
			t = drawnTick{X: r.across + 6, Y: at + 4, Anchor: "start", Label: cut(text, max(2, int((min(f.between(axes), f.width-r.across)-8)/6)))}
		}
		a.Ticks = append(a.Ticks, t)
	}
	switch {
	case len(r.Choices) > 0:
		for k, choice := range r.Choices {
			label(r.at(float64(k)), choice, (r.To-r.From)/float64(len(r.Choices))-6)
		}
	case r.Log:
		for _, t := range r.powers(5) {
			label(t.At, t.Label, 60)
		}
	default:
		for _, t := range r.ticks(max(4, f.ticks)) {
			label(t.At, t.Label, 60)
		}
	}
	if gap {
		label(r.missing, "none", 40)
	}
	return a
}
