package chart

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		count     int
		want      []string
	}{
		{0, 1, 10, []string{"0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"}},
		{0, 1, 5, []string{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}},
		{0, 1, 4, []string{"0.00", "0.25", "0.50", "0.75", "1.00"}},
		{-1, 1, 4, []string{"−1.0", "−0.5", "0.0", "0.5", "1.0"}},
		{28.3, 52.1, 6, []string{"30", "35", "40", "45", "50"}},
		{0.612, 0.618, 4, []string{"0.612", "0.614", "0.616", "0.618"}},
		{950, 2050, 3, []string{"1000", "1500", "2000"}},
		{0.3, 0.3, 5, []string{"0.3"}},
	} {
		t.Run(fmt.Sprint(c.low, c.high), func(t *testing.T) {
			s := scale{c.low, c.high, 100, 500}
			var got []string
			last := math.Inf(-1)
			for _, k := range s.ticks(c.count) {
				got = append(got, k.Label)
				if k.At <= last || k.At < 100-1e-6 || k.At > 500+1e-6 {
					t.Errorf("tick %q at %v", k.Label, k.At)
				}
				last = k.At
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		name   string
		wanted []float64
		want   []float64
	}{
		{"nothing", nil, []float64{}},
		{"far apart", []float64{10, 50, 90}, []float64{10, 50, 90}},
		{"two at one place", []float64{50, 50}, []float64{45, 55}},
		{"order is kept", []float64{52, 48}, []float64{55, 45}},
		{"blocks meet", []float64{40, 41, 50, 51}, []float64{30.5, 40.5, 50.5, 60.5}},
		{"at the top", []float64{0, 1}, []float64{0, 10}},
		{"at the bottom", []float64{99, 100}, []float64{90, 100}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := spread(c.wanted, 10, 0, 100); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// TestLabelsDoNotOverlap draws lines that all end at one place.
func TestLabelsDoNotOverlap(t *testing.T) {
	c := Chart{Title: "t", X: []float64{0, 1}, Marks: []Mark{{X: 0.9, Label: "right"}, {X: 0.1, Label: "left"}},
		References: []Reference{{0.5, "first"}, {0.5, "second"}, {math.NaN(), "none"}}}
	for i := range 12 {
		c.Lines = append(c.Lines, Line{Name: fmt.Sprint(i), Kind: Kind(i % 3), Y: []float64{float64(i), 0.5}})
	}
	for _, f := range frames() {
		d := c.draw("id", f)
		var at []float64
		for _, l := range d.Lines {
			if l.Label != f.labels {
				t.Errorf("%s: line %s labelled %t", f.name, l.Name, l.Label)
			}
			if l.Label {
				at = append(at, l.LabelY)
			}
		}
		slices.Sort(at)
		for i := range at {
			if i > 0 && at[i]-at[i-1] < lineHeight-1e-9 || at[i] < d.Top || at[i] > d.Bottom {
				t.Errorf("%s: labels at %v, want %d apart inside [%v, %v]", f.name, at, lineHeight, d.Top, d.Bottom)
			}
		}
		if d.Marks[0].Label != "left" || d.Marks[0].LabelY >= d.Marks[1].LabelY {
			t.Errorf("%s: marks %+v", f.name, d.Marks)
		}
		for _, m := range d.Marks {
			if end := m.LabelX + 6.6*float64(len(m.Label)); m.Anchor == "start" && end > d.Width {
				t.Errorf("%s: mark label runs to %v of %v", f.name, end, d.Width)
			}
		}
		if len(d.References) != 2 || d.References[0].LabelY == d.References[1].LabelY && d.References[0].LabelX == d.References[1].LabelX {
			t.Errorf("%s: references %+v", f.name, d.References)
		}
		// Heavy lines are drawn over the thin ones.
		if last := d.Lines[len(d.Lines)-1].Class; last != "mean" {
			t.Errorf("%s: %q is drawn last", f.name, last)
		}
	}
}

func TestLinesBreakAtGaps(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		y       []float64
		moves   int
		draws   int
		labeled bool
	}{
		{[]float64{1, 2, 3, 4}, 1, 3, true},
		{[]float64{1, nan, 3, 4}, 2, 1, true},
		{[]float64{nan, 2, math.Inf(1), nan}, 1, 0, true},
		{[]float64{nan, nan, nan, nan}, 0, 0, false},
	} {
		chart := Chart{X: []float64{0, 1, 2, 3}, Lines: []Line{{Name: "l", Y: c.y}}}
		l := chart.draw("id", frames()[0]).Lines[0]
		if strings.Count(l.Path, "M") != c.moves || strings.Count(l.Path, "L") != c.draws || l.Label != c.labeled || strings.Contains(l.Path, "NaN") {
			t.Errorf("%v: path %q, label %t; want %d moves, %d lines", c.y, l.Path, l.Label, c.moves, c.draws)
		}
	}
}

func TestCulturesAreToldApart(t *testing.T) {
	chart := Chart{X: []float64{0}}
	for i := range 3 * palette {
		chart.Lines = append(chart.Lines, Line{Name: fmt.Sprint(i), Y: []float64{float64(i)}})
	}
	seen, shapes := map[string]bool{}, map[string]bool{}
	for i, l := range chart.draw("id", frames()[0]).Lines {
		if seen[l.Class] {
			t.Errorf("class %q twice", l.Class)
		}
		seen[l.Class] = true
		if i < palette {
			shapes[l.Swatch] = true
		}
	}
	if len(shapes) != palette {
		t.Errorf("%d shapes of markers, want %d", len(shapes), palette)
	}
}

func TestHeat(t *testing.T) {
	for _, c := range []struct {
		v, low, high float64
		want         string
	}{
		{0, 0, 1, "h0"}, {1, 0, 1, "h9"}, {0.55, 0, 1, "h5"}, {2, 0, 1, "h9"}, {-1, 0, 1, "h0"}, {3, 3, 3, "h0"}, {math.NaN(), 0, 1, ""},
	} {
		if got := Heat(c.v, c.low, c.high); got != c.want {
			t.Errorf("Heat(%v, %v, %v) = %q, want %q", c.v, c.low, c.high, got, c.want)
		}
	}
}

func TestDiverging(t *testing.T) {
	for _, c := range []struct {
		v, middle, reach float64
		want             string
	}{
		{0, 0, 1, "h0"}, {0.04, 0, 1, "h0"}, {-0.04, 0, 1, "h0"}, {1, 0, 1, "h9"}, {-1, 0, 1, "hn9"}, {-3, 0, 1, "hn9"}, {3, 0, 1, "h9"},
		{-0.5, 0, 1, "hn5"}, {-0.9, -0.5, 0.5, "hn7"}, {-0.1, -0.5, 0.5, "h7"}, {math.NaN(), 0, 1, ""}, {math.Inf(1), 0, 1, ""},
	} {
		if got := Diverging(c.v, c.middle, c.reach); got != c.want {
			t.Errorf("Diverging(%v, %v, %v) = %q, want %q", c.v, c.middle, c.reach, got, c.want)
		}
	}
}

// TestContrast reads the style and measures every text on its background by WCAG 2's contrast ratio: 4.5 for text, 3 for lines.
func TestContrast(t *testing.T) {
	style, err := os.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	heats := regexp.MustCompile(`\.(hn?\d) \{ background: (#[0-9a-f]{6}); color: (#[0-9a-f]{6}); \}`).FindAllStringSubmatch(string(style), -1)
	if want := 2*heatSteps - 1; len(heats) != 2*want {
		t.Fatalf("%d heat classes, want %d for light and dark each", len(heats), want)
	}
	for _, m := range heats {
		if got := contrast(t, m[2], m[3]); got < 4.5 {
			t.Errorf("heat %s: %s on %s has contrast %.2f, want 4.5", m[1], m[3], m[2], got)
		}
	}
	roots := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(style), -1)
	if len(roots) != 2 {
		t.Fatalf("%d sets of colours, want light and dark", len(roots))
	}
	for scheme, root := range roots {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--(\w+): (#[0-9a-f]{6});`).FindAllStringSubmatch(root[1], -1) {
			colours[m[1]] = m[2]
		}
		for _, name := range []string{"ink", "soft", "accent", "up", "down"} {
			for _, on := range []string{"paper", "tint"} {
				if got := contrast(t, colours[name], colours[on]); got < 4.5 {
					t.Errorf("scheme %d: %s on %s has contrast %.2f, want 4.5", scheme, name, on, got)
				}
			}
		}
		for on, least := range map[string]float64{"paper": 4.5, "faint": 3} { // the best threads, and bars on their track
			if got := contrast(t, colours["q3"], colours[on]); got < least {
				t.Errorf("scheme %d: q3 on %s has contrast %.2f, want %v", scheme, on, got, least)
			}
		}
		for i := range palette {
			if got := contrast(t, colours[fmt.Sprint("c", i)], colours["paper"]); got < 4.5 {
				t.Errorf("scheme %d: line %d has contrast %.2f, want 4.5: its name is text", scheme, i, got)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// luminance is WCAG 2's relative luminance of an sRGB colour "#rrggbb".
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	if len(colour) != 7 {
		t.Fatalf("colour %q", colour)
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
