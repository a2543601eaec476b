package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A drawing is one chart laid out for one width: everything in pixels of its own view box, ready for chart.tmpl.
type drawing struct {
	ID, Title, Desc          string
	Class                    string
	Width, Height            float64
	Left, Right, Top, Bottom float64 // the plot area
	XTicks, YTicks           []tick
	XLabel, YLabel           string
	Lines                    []drawnLine
	Marks                    []drawnMark
	References               []drawnReference
	Rug                      string      // path of the ticks at the foot
	Dots, Over               []drawnDots // below lines and above them
	Points                   []drawnPoint
	Axes                     []drawnAxis // of parallel coordinates, which have their own template
	Threads                  []drawnThreads
}

// A drawnLine is a path with its markers, and where there is room a label beside its end.
type drawnLine struct {
	Name, Class    string
	Path           string
	Band           string   // path of the interval about it
	Points         []string // paths of the markers
	Swatch         string   // one marker in the middle of a legend's sample
	Label          bool
	Short          string // the name as far as the label has room
	LabelX, LabelY float64
	Leader         string
}

type drawnMark struct {
	X, LabelX, LabelY float64
	Anchor, Label     string
}

type drawnReference struct {
	Y, LabelX, LabelY float64
	Label             string
}

// A frame is the size and the margins of a drawing, in pixels.
type frame struct {
	name                string
	width, height       float64
	left, right, bottom float64 // margins; right is for direct labels when labels is set
	ticks               int     // at most, on the x axis
	letter              float64 // mean width of a letter
	labels              bool
}

// frames are the two layouts of every chart: with labels beside the lines, and for phones without.
func frames() []frame {
	return []frame{
		{name: "wide", width: 760, height: 400, left: 58, right: 150, bottom: 46, ticks: 10, letter: 6.6, labels: true},
		{name: "narrow", width: 360, height: 320, left: 46, right: 14, bottom: 44, ticks: 5, letter: 6.6},
	}
}

// lineHeight is the distance between labels, in pixels.
const lineHeight = 16

// palette is the number of line colours in style.css; further lines repeat them with other dashes.
const palette = 7

// check returns an error for a chart whose lines are not as long as its axis, or with nothing to draw.
func (c Chart) check() error {
	if len(c.X) == 0 || len(c.Lines) == 0 {
		return fmt.Errorf("chart %q: no points or no lines", c.Title)
	}
	for _, l := range c.Lines {
		if len(l.Y) != len(c.X) {
			return fmt.Errorf("chart %q: line %q has %d points, want %d", c.Title, l.Name, len(l.Y), len(c.X))
		}
		if len(l.Low) != len(l.High) || l.Low != nil && len(l.Low) != len(c.X) {
			return fmt.Errorf("chart %q: line %q has intervals with %d low and %d high ends, want %d", c.Title, l.Name, len(l.Low), len(l.High), len(c.X))
		}
	}
	if _, _, ok := Extent(c.X); !ok {
		return fmt.Errorf("chart %q: no finite x", c.Title)
	}
	return nil
}

// draw lays the chart out in a frame.
func (c Chart) draw(id string, f frame) drawing {
	d := drawing{
		ID: id + "-" + f.name, Title: c.Title, Desc: c.describe(), Class: f.name, XLabel: c.XLabel, YLabel: c.YLabel,
		Width: f.width, Height: f.height, Left: f.left, Right: f.width - f.right, Bottom: f.height - f.bottom,
		Top: 26 + lineHeight*float64(len(c.Marks)),
	}
	x, y := c.scales(d)
	d.XTicks, d.YTicks = x.ticks(f.ticks), y.ticks(6)
	c.marks(&d, x.at, f)
	d.Lines = c.lines(d, x, y, f)
	d.References = c.references(d, x, y, f)
	d.Rug = rug(c.Rug, d, x.at)
	return d
}

// marks places the vertical lines, from left to right and downwards, so that no label meets the line of a mark to its right.
func (c Chart) marks(d *drawing, at func(float64) float64, f frame) {
	marks := slices.Clone(c.Marks)
	slices.SortStableFunc(marks, func(a, b Mark) int { return cmp.Compare(a.X, b.X) })
	for i, m := range marks {
		mark := drawnMark{X: at(m.X), LabelY: 26 + lineHeight*float64(i) + 8, Label: m.Label, Anchor: "start"}
		mark.LabelX = mark.X + 5
		if mark.LabelX+bold*f.letter*float64(len([]rune(m.Label))) > f.width {
			mark.LabelX, mark.Anchor = mark.X-5, "end"
		}
		d.Marks = append(d.Marks, mark)
	}
}

// rug is the path of the ticks at the foot of the plot.
func rug(places []float64, d drawing, at func(float64) float64) string {
	var path strings.Builder
	for _, v := range places {
		if x := at(v); x >= d.Left && x <= d.Right {
			path.WriteString("M" + px(x) + " " + px(d.Bottom) + "v-9")
		}
	}
	return path.String()
}

// scales fit the axes: x exactly, y with a margin of 6 % on either side.
func (c Chart) scales(d drawing) (x, y scale) {
	low, high, _ := Extent(c.X)
	x = scale{low, high, d.Left + 6, d.Right - 6}
	values := [][]float64{}
	for _, l := range c.Lines {
		values = append(values, l.Y, l.Low, l.High)
	}
	for _, r := range c.References {
		values = append(values, []float64{r.Y})
	}
	low, high, ok := Extent(values...)
	if !ok {
		low, high = 0, 1
	}
	low, high = widen(low, high)
	return x, scale{low, high, d.Bottom, d.Top}
}

// widen adds 6 % on either side of a range, or something where it is a point.
func widen(low, high float64) (float64, float64) {
	margin := (high - low) * 0.06
	if margin == 0 {
		margin = max(math.Abs(high)*0.05, 1e-3)
	}
	return low - margin, high + margin
}

// band is the path around an interval: along its high ends and back along its low ones, once a run without gaps.
func (c Chart) band(l Line, x, y scale) string {
	var path strings.Builder
	for from := 0; from < len(l.Low); {
		if !c.inBand(l, from) {
			from++
			continue
		}
		to, pen := from, "M"
		for ; to < len(l.Low) && c.inBand(l, to); to++ {
			path.WriteString(pen + px(x.at(c.X[to])) + " " + px(y.at(l.High[to])))
			pen = "L"
		}
		for k := to - 1; k >= from; k-- {
			path.WriteString("L" + px(x.at(c.X[k])) + " " + px(y.at(l.Low[k])))
		}
		path.WriteString("Z")
		from = to
	}
	return path.String()
}

func (c Chart) inBand(l Line, k int) bool {
	_, _, low := Extent(l.Low[k : k+1])
	_, _, high := Extent(l.High[k : k+1])
	return low && high && !math.IsNaN(c.X[k])
}

// lines draws each series; with labels, each name stands beside the last point of its line.
func (c Chart) lines(d drawing, x, y scale, f frame) []drawnLine {
	out := make([]drawnLine, len(c.Lines))
	var ends []float64 // pixels, of lines with a label
	var owners []int
	culture := 0
	for i, l := range c.Lines {
		line := drawnLine{Name: l.Name}
		shape := marker(-1)
		switch l.Kind {
		case Mean:
			line.Class = "mean"
		case Western:
			line.Class = "western"
		default:
			line.Class = fmt.Sprintf("c%d dash%d", culture%palette, culture/palette%3)
			shape = marker(culture % palette)
			culture++
		}
		var path strings.Builder
		pen := "M"
		lastX, lastY := math.NaN(), math.NaN()
		for k, v := range l.Y {
			if math.IsNaN(v) || math.IsInf(v, 0) || math.IsNaN(c.X[k]) {
				pen = "M"
				continue
			}
			lastX, lastY = x.at(c.X[k]), y.at(v)
			path.WriteString(pen + px(lastX) + " " + px(lastY))
			pen = "L"
			if !c.Dense {
				line.Points = append(line.Points, "M"+px(lastX)+" "+px(lastY)+shape)
			}
		}
		line.Path, line.Swatch, line.Band = path.String(), "M14 6"+shape, c.band(l, x, y)
		out[i] = line
		if f.labels && !math.IsNaN(lastY) {
			out[i].Label, out[i].LabelX = true, d.Right+16
			out[i].Short = cut(l.Name, int((f.width-out[i].LabelX)/f.letter))
			out[i].Leader = "M" + px(lastX+4) + " " + px(lastY) + "L" + px(d.Right+13)
			ends, owners = append(ends, lastY), append(owners, i)
		}
	}
	for k, at := range spread(ends, lineHeight, d.Top+4, d.Bottom-2) {
		l := &out[owners[k]]
		l.LabelY = at
		l.Leader += " " + px(at)
	}
	// Heavy lines are drawn last, on top.
	slices.SortStableFunc(out, func(a, b drawnLine) int { return weight(a.Class) - weight(b.Class) })
	return out
}

// cut shortens a name to a number of letters.
func cut(name string, letters int) string {
	if r := []rune(name); len(r) > letters {
		return string(r[:letters-1]) + "…"
	}
	return name
}

func weight(class string) int { return slices.Index([]string{"western", "mean"}, class) }

// marker is the rest of a path that draws the i-th marker around the current point; -1 is a small disc.
func marker(i int) string {
	switch i {
	case 1: // square
		return "m-2.6 -2.6h5.2v5.2h-5.2z"
	case 2: // triangle
		return "m0 -3.4l3.2 5.6h-6.4z"
	case 3: // diamond
		return "m0 -3.6l3.6 3.6l-3.6 3.6l-3.6 -3.6z"
	case 4: // triangle, point down
		return "m0 3.4l3.2 -5.6h-6.4z"
	case 5: // bar
		return "m-3.6 -1.5h7.2v3h-7.2z"
	case 6: // upright bar
		return "m-1.5 -3.6h3v7.2h-3z"
	case 0:
		return "m-2.8 0a2.8 2.8 0 1 0 5.6 0a2.8 2.8 0 1 0 -5.6 0z"
	}
	return "m-2 0a2 2 0 1 0 4 0a2 2 0 1 0 -4 0z"
}

// describe says in words what a reader who does not see the drawing needs.
func (c Chart) describe() string {
	var names []string
	for _, l := range c.Lines {
		names = append(names, l.Name)
	}
	text := fmt.Sprintf("%s against %s. Lines: %s.", c.YLabel, c.XLabel, strings.Join(names, ", "))
	for _, m := range c.Marks {
		text += " Marked: " + m.Label + "."
	}
	if slices.ContainsFunc(c.Lines, func(l Line) bool { return l.Low != nil }) {
		text += " Bands are intervals."
	}
	return text + " The figures are in the table below the chart."
}
