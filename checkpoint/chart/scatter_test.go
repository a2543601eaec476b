package chart

import (
	"fmt"
	"log"
	"math"
	"strings"
	"testing"
)

func TestScatterDrawsEveryKind(t *testing.T) {
	nan := math.NaN()
	s := Scatter{Title: "t", XLabel: "cost", YLabel: "gain",
		Dots: []Dots{
			{Name: "plain", Colour: palette + 2, X: []float64{0, 1, nan}, Y: []float64{0, 1, 2}},
			{Name: "faint", Tone: Faint, X: []float64{0.5}, Y: []float64{0.5}},
			{Name: "strong", Tone: Strong, X: []float64{1}, Y: []float64{1}, Titles: []string{"trial <7>"}},
			{Name: "none"}},
		Curves: []Curve{{Name: "front", Shape: StepFirst, X: []float64{0, 1}, Y: []float64{1, 0}}, {Name: "limit", X: []float64{0, nan, 1}, Y: []float64{0, 0, 1}}},
		Points: []Point{{Name: "base", X: 0, Y: 0.5}, {Name: "chosen", X: 1, Y: 1, Chosen: true}, {Name: "lost", X: nan, Y: 0}},
		Marks:  []Mark{{X: 0.5, Label: "must keep"}}, Refs: []Reference{{Y: 0.5, Label: "half"}}, Rug: []float64{0.25}}
	p, err := NewScatter("id", s)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Drawings) != 2 || p.Outside != "" {
		t.Fatalf("%d layouts, outside %q", len(p.Drawings), p.Outside)
	}
	for _, d := range p.Drawings {
		if len(d.Dots) != 3 || len(d.Over) != 1 || strings.Count(d.Dots[0].Path, "h0") != 2 || d.Dots[0].Class != "c2" || d.Over[0].Each[0].Title != "trial <7>" {
			t.Errorf("%s: dots %+v over %+v", d.Class, d.Dots, d.Over)
		}
		if len(d.Points) != 2 || d.Points[1].Class != "named winner" || len(d.Marks) != 1 || len(d.References) != 1 || d.Rug == "" {
			t.Errorf("%s: points %+v, marks %+v, references %+v, rug %q", d.Class, d.Points, d.Marks, d.References, d.Rug)
		}
		if front := d.Lines[0].Path; !strings.Contains(front, "V") || strings.Index(front, "V") > strings.Index(front, "H") {
			t.Errorf("%s: front %q, want along y first", d.Class, front)
		}
		if strings.Count(d.Lines[1].Path, "M") != 2 {
			t.Errorf("%s: curve with a gap %q", d.Class, d.Lines[1].Path)
		}
	}
	page := executed(t, p)
	for _, want := range []string{"trial &lt;7&gt;", "cost 0, gain 0.500", "legend key", ">base<", "3 points: plain", `class="dots faint"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "NaN") {
		t.Error("the page says NaN")
	}
	var names []string
	for _, l := range p.Legend {
		names = append(names, l.Name)
	}
	if got := fmt.Sprint(names); got != "[strong faint plain front limit]" {
		t.Errorf("legend %s", got)
	}
	s.Small = true
	if p, err := NewScatter("id", s); err != nil || len(p.Drawings) != 1 || len(p.Legend) != 0 {
		t.Errorf("a small chart has %d layouts and a legend of %d: %v", len(p.Drawings), len(p.Legend), err)
	}
}

// executed runs any plot through the template of figures.
func executed(t *testing.T, p Plot) string {
	t.Helper()
	page, err := Parse(pages, "testdata/figure.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := page.ExecuteTemplate(&b, "figure", p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestFrameLeavesOutliersOut: one point a hundred times as far as the rest, and faint points that spread ten times as wide.
func TestFrameLeavesOutliersOut(t *testing.T) {
	var s Scatter
	near, wide := Dots{Name: "near"}, Dots{Name: "wide", Tone: Faint}
	for i := range 21 {
		v := float64(i) / 20
		near.X, near.Y = append(near.X, v), append(near.Y, v)
		wide.X, wide.Y = append(wide.X, 10*v-5), append(wide.Y, v)
	}
	near.X, near.Y = append(near.X, 100), append(near.Y, 0.5)
	s.Dots = []Dots{near, wide}
	p, err := NewScatter("id", s)
	if err != nil {
		t.Fatal(err)
	}
	// Faint ones from −1 to 2 remain: 7 of 21, at −1, −0.5, ... 2.
	if want := "15 points of 43 lie outside of the frame."; p.Outside != want {
		t.Errorf("outside: %q, want %q", p.Outside, want)
	}
	s.Dots = []Dots{near}
	if p, err = NewScatter("id", s); err != nil || p.Outside != "One point of 22 lies outside of the frame." {
		t.Errorf("outside: %q: %v", p.Outside, err)
	}
	s.Points = []Point{{Name: "far", X: 100, Y: 0}} // what has a name is always shown
	if p, err = NewScatter("id", s); err != nil || p.Outside != "" || len(p.Drawings[0].Points) != 1 {
		t.Errorf("outside: %q: %v", p.Outside, err)
	}
}

func TestFence(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		values    []float64
		low, high float64
		ok        bool
	}{
		{nil, 0, 0, false}, {[]float64{math.NaN(), inf, -inf}, 0, 0, false}, {[]float64{2}, 2, 2, true},
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8, 100}, 1, 8, true}, {[]float64{1, 1, 1, 1, 9}, 1, 9, true}, // no middle half to measure by
	} {
		if low, high, ok := Fence(c.values); low != c.low || high != c.high || ok != c.ok {
			t.Errorf("%v: [%v, %v] %t, want [%v, %v] %t", c.values, low, high, ok, c.low, c.high, c.ok)
		}
	}
}

// TestNamesOfPointsKeepApart puts eight long names into one corner.
func TestNamesOfPointsKeepApart(t *testing.T) {
	s := Scatter{Title: "t", Dots: []Dots{{X: []float64{0, 1}, Y: []float64{0, 1}}}}
	for i := range 8 {
		s.Points = append(s.Points, Point{Name: fmt.Sprint("expert number ", i), X: 0.9 + 0.01*float64(i), Y: 0.9})
	}
	p, err := NewScatter("id", s)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range p.Drawings {
		for i, a := range d.Points {
			width := bold * 6.8 * float64(len(a.Label))
			if a.LabelX < d.Left || a.LabelX+width > d.Width+1 || a.LabelY < d.Top || a.LabelY > d.Bottom {
				t.Errorf("%s: %q at (%v, %v) is outside", d.Class, a.Label, a.LabelX, a.LabelY)
			}
			for _, b := range d.Points[i+1:] {
				if math.Abs(a.LabelY-b.LabelY) < 12 && math.Abs(a.LabelX-b.LabelX) < width-4 {
					t.Errorf("%s: %q lies over %q", d.Class, a.Label, b.Label)
				}
			}
		}
	}
}

func TestLogarithmicScatter(t *testing.T) {
	s := Scatter{Title: "t", Log: true, Dots: []Dots{{X: []float64{0.001, 0.1, 10, 0, -1}, Y: []float64{1, 2, 3, 4, 5}}}}
	p, err := NewScatter("id", s)
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	d := p.Drawings[0]
	for _, k := range d.XTicks {
		labels = append(labels, k.Label)
	}
	if got := strings.Join(labels, " "); got != "0.001 0.01 0.1 1 10" {
		t.Errorf("ticks %s", got)
	}
	if p.Outside != "2 points of 5 lie outside of the frame." || strings.Count(d.Dots[0].Path, "M") != 3 {
		t.Errorf("outside %q, path %q", p.Outside, d.Dots[0].Path)
	}
	middle := px((d.Left + d.Right) / 2)
	if !strings.Contains(d.Dots[0].Path, "M"+middle+" ") {
		t.Errorf("0.1 is not in the middle, %s: %s", middle, d.Dots[0].Path)
	}
	for _, x := range [][]float64{{0}, {math.NaN()}, {5, 5}} {
		if _, err := NewScatter("id", Scatter{Log: true, Dots: []Dots{{X: x, Y: x}}}); err != nil {
			t.Errorf("%v: %v", x, err)
		}
	}
}

func TestPowers(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0.1, 10, "0.1 0.2 0.5 1 2 5 10"}, {1e-6, 10, "1e-06 1e-05 0.0001 0.001 0.01 0.1 1 10"}, {1e-40, 1, "1e-40 1"}, {3, 4, "3 4"},
	} {
		var got []string
		for _, k := range (scale{math.Log10(c.low), math.Log10(c.high), 0, 100}).powers(10) {
			got = append(got, k.Label)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("[%v, %v]: %v, want %s", c.low, c.high, got, c.want)
		}
	}
}

func TestNewScatterRefuses(t *testing.T) {
	for name, s := range map[string]Scatter{
		"nothing":       {},
		"a short list":  {Dots: []Dots{{X: []float64{1, 2}, Y: []float64{1}}}},
		"a title short": {Dots: []Dots{{X: []float64{1, 2}, Y: []float64{1, 2}, Titles: []string{"a"}}}},
		"a short curve": {Curves: []Curve{{X: []float64{1}}}},
	} {
		if _, err := NewScatter("id", s); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func ExampleNewScatter() {
	p, err := NewScatter("trade", Scatter{Title: "Trade", XLabel: "Western", YLabel: "non-Western",
		Dots:   []Dots{{Name: "a trial", X: []float64{0.7, 0.8}, Y: []float64{0.6, 0.5}}},
		Points: []Point{{Name: "base", X: 0.8, Y: 0.4}}, XDigits: 2, Decimals: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Drawings[0].Desc)
	fmt.Println(p.Figures.Rows[0].Name, p.Figures.Rows[0].Cells[0].Text, p.Figures.Rows[0].Cells[1].Text)
	// Output:
	// non-Western against Western. 2 points: a trial. Marked: base.
	// base 0.80 0.40
}
