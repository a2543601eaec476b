package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Parallel is a chart of many parameters at once: an axis a parameter, a thread through all of them a trial. Threads that were
// judged are coloured by the fifth that they belong to, the best on top.
type Parallel struct {
	Title   string
	Caption string
	Axes    []Axis
	Threads []Thread
	Judged  string // what Thread.Value is
	Smaller bool   // smaller values are better
	Digits  int    // decimals of Value in words; 0 means 3
}

// Axis is a range of numbers, or a list of choices, of which a value is an index.
type Axis struct {
	Name      string
	Low, High float64
	Log       bool
	Choices   []string
}

// Thread has a value for every axis, NaN where it has no such parameter.
type Thread struct {
	Title  string // shown while the reader points at it
	Values []float64
	Value  float64 // what it is judged by; NaN for nothing
	Faint  bool    // not to be compared with the others
	Chosen bool
}

// fifths is the number of colours of threads.
const fifths = 5

// NewParallel lays the threads out. A chart without axes, or with a thread of another number of values, is an error. Ids of the
// page's elements begin with id.
func NewParallel(id string, c Parallel) (Plot, error) {
	if len(c.Axes) == 0 {
		return Plot{}, fmt.Errorf("parallel coordinates %q: no axes", c.Title)
	}
	for i, t := range c.Threads {
		if len(t.Values) != len(c.Axes) {
			return Plot{}, fmt.Errorf("parallel coordinates %q: thread %d has %d values, want %d", c.Title, i, len(t.Values), len(c.Axes))
		}
	}
	for _, a := range c.Axes {
		if len(a.Choices) == 0 && !(a.High >= a.Low && !math.IsInf(a.High-a.Low, 0) && (!a.Log || a.Low > 0)) {
			return Plot{}, fmt.Errorf("parallel coordinates %q: axis %q runs from %v to %v", c.Title, a.Name, a.Low, a.High)
		}
	}
	if c.Digits == 0 {
		c.Digits = 3
	}
	ranks := c.ranks()
	p := Plot{Chart: Chart{Title: c.Title, Caption: c.Caption}, Key: true, Legend: c.legend(ranks), Figures: c.figures(id, ranks)}
	for _, f := range parallelFrames(len(c.Axes)) {
		p.Drawings = append(p.Drawings, c.draw(id, f, ranks))
	}
	return p, nil
}

// ranks is the fifth of every thread, 4 for the best and -1 for those that are not judged. Equal values share the better one's.
func (c Parallel) ranks() []int {
	out := make([]int, len(c.Threads))
	var judged []int
	for i, t := range c.Threads {
		out[i] = -1
		if !t.Faint && !math.IsNaN(t.Value) {
			judged = append(judged, i)
		}
	}
	slices.SortStableFunc(judged, func(a, b int) int {
		order := cmp.Compare(c.Threads[b].Value, c.Threads[a].Value)
		if c.Smaller {
			return -order
		}
		return order
	})
	for k, i := range judged {
		out[i] = fifths - 1 - k*fifths/len(judged)
		if k > 0 && c.Threads[judged[k-1]].Value == c.Threads[i].Value {
			out[i] = out[judged[k-1]]
		}
	}
	return out
}

// legend is a sample of each fifth with its range, best first.
func (c Parallel) legend(ranks []int) []drawnLine {
	var out []drawnLine
	words := []string{"worst fifth", "fourth", "third", "second", "best fifth"}
	for rank := fifths - 1; rank >= 0; rank-- {
		var values []float64
		for i, t := range c.Threads {
			if ranks[i] == rank {
				values = append(values, t.Value)
			}
		}
		if low, high, ok := Extent(values); ok {
			out = append(out, drawnLine{Class: fmt.Sprintf("q%d", rank), Path: "M1 6H27",
				Name: words[rank] + ", " + Figure(low, c.Digits) + " to " + Figure(high, c.Digits)})
		}
	}
	if slices.Contains(ranks, -1) {
		out = append(out, drawnLine{Class: "pale", Path: "M1 6H27", Name: "not compared"})
	}
	if slices.ContainsFunc(c.Threads, func(t Thread) bool { return t.Chosen }) {
		out = append(out, drawnLine{Class: "pick", Path: "M1 6H27", Name: "chosen"})
	}
	return out
}

// figures sets where the best fifth lies on each axis against where all threads lie.
func (c Parallel) figures(id string, ranks []int) Grid {
	g := Grid{ID: id + "-figures", Class: "figures", Header: []string{"Parameter", "chosen", "best fifth", "all"},
		Caption: "Of numbers, the middle half; of choices, the most frequent."}
	for k, a := range c.Axes {
		var chosen, good, all []float64
		for i, t := range c.Threads {
			v := t.Values[k]
			if math.IsNaN(v) {
				continue
			}
			all = append(all, v)
			if ranks[i] == fifths-1 {
				good = append(good, v)
			}
			if t.Chosen {
				chosen = append(chosen, v)
			}
		}
		row := Row{Name: a.Name, Cells: []Cell{{Text: Dash}, {Text: a.span(good)}, {Text: a.span(all)}}}
		if len(chosen) > 0 {
			row.Cells[0].Text = a.word(chosen[0])
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// word writes one value.
func (a Axis) word(v float64) string {
	if len(a.Choices) == 0 {
		return Short(v)
	}
	if v >= 0 && v < float64(len(a.Choices)) {
		return a.Choices[int(v)]
	}
	return Dash
}

// span writes the middle half of some numbers, or the most frequent choice and its share.
func (a Axis) span(values []float64) string {
	if len(values) == 0 {
		return Dash
	}
	if len(a.Choices) == 0 {
		slices.Sort(values)
		return Short(values[len(values)/4]) + " to " + Short(values[len(values)*3/4])
	}
	counts := make([]int, len(a.Choices))
	for _, v := range values {
		if v >= 0 && v < float64(len(counts)) {
			counts[int(v)]++
		}
	}
	most := slices.Index(counts, slices.Max(counts))
	return fmt.Sprintf("%s, %.0f %%", a.Choices[most], 100*float64(counts[most])/float64(len(values)))
}

// describe says in words what a reader who does not see the drawing needs.
func (c Parallel) describe() string {
	var names []string
	for _, a := range c.Axes {
		names = append(names, a.Name)
	}
	return fmt.Sprintf("%d threads over %d axes: %s. Coloured by %s. The table below the chart says where the best fifth lies on each axis.",
		len(c.Threads), len(c.Axes), strings.Join(names, ", "), c.Judged)
}
