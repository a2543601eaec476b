package report

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"syncretic/checkpoint/chart"
	"syncretic/sweep/search"
)

// smallSearch is seven trials over a method and two numbers, of which one exists with one method only. By number: 0.5, 0.7 that is
// not admissible, given up, 0.6, failed, 0.65, running.
func smallSearch() Search {
	nan := math.NaN()
	space := search.Space{{Name: "method", Choices: []string{"sum", "ties"}}, {Name: "lambda.makam", High: 1}, {Name: "density", Low: 0.1, High: 1, Log: true, When: "method", Is: []string{"ties"}}}
	at := func(number int, state search.State, method, lambda, density, value, constraint float64) search.Trial {
		t := search.Trial{Number: number, State: state, Point: search.Point{"method": method, "lambda.makam": lambda}}
		if method == 1 {
			t.Point["density"] = density
		}
		if state == search.Complete {
			t.Values, t.Constraints = []float64{value}, []float64{constraint}
		}
		return t
	}
	return Search{Space: space, Objective: "score", Direction: search.Maximize, Winner: 5, Measure: "ROC-AUC", Decimals: 2,
		Trials: []search.Trial{
			at(3, search.Complete, 1, 0.3, 0.2, 0.6, -1), at(0, search.Complete, 0, 0.1, 0, 0.5, 0), at(1, search.Complete, 1, 0.9, 0.5, 0.7, 0.01),
			{Number: 2, State: search.Pruned, Point: search.Point{"method": 0, "lambda.makam": 0.8}, Steps: map[int]float64{1: 0.2, 2: 0.25}},
			at(4, search.Fail, 0, 0.2, 0, nan, nan), at(5, search.Complete, 0, 0.2, 0, 0.65, -0.1), {Number: 6, State: search.Running, Point: search.Point{"method": 0, "lambda.makam": 0.5}},
		},
		Scores:   []Series{{Name: "makam", Values: []float64{0.61, 0.51, 0.71, nan, nan, 0.66, nan}}},
		Partials: []Pair{{"lambda.makam", "makam"}, {"density", ""}},
		Trade: &Trade{XLabel: "Western", YLabel: "non-Western", Threshold: 0.8, X: []float64{0.81, 0.85, 0.79, nan, nan, 0.82, nan}, Y: []float64{0.6, 0.5, 0.7, nan, nan, 0.65, nan},
			Models: []chart.Point{{Name: "base", X: 0.9, Y: 0.4}, {Name: "unknown", X: nan, Y: 1}}},
	}
}

func filled(t *testing.T, s Search) Document {
	t.Helper()
	doc := Document{Title: "t"}
	if err := doc.FromSearch(s); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestHistory(t *testing.T) {
	h := filled(t, smallSearch()).History
	if got := h.Curves[0]; !slices.Equal(got.X, []float64{0, 3, 5, 6}) || !slices.Equal(got.Y, []float64{0.5, 0.6, 0.65, 0.65}) {
		t.Errorf("best so far %v at %v", got.Y, got.X)
	}
	if broken, kept := h.Dots[0], h.Dots[1]; !slices.Equal(broken.X, []float64{1}) || broken.Tone != chart.Faint || !slices.Equal(kept.X, []float64{0, 3, 5}) || kept.Titles[2] != "trial 5: 0.65" || broken.Titles[0] != "trial 1: 0.70, not admissible" {
		t.Errorf("dots %+v", h.Dots)
	}
	if !slices.Equal(h.Rug, []float64{2, 4}) || len(h.Points) != 1 || h.Points[0].X != 5 || !h.Points[0].Chosen {
		t.Errorf("rug %v, points %+v", h.Rug, h.Points)
	}
	s := smallSearch()
	s.Direction = search.Minimize
	if got := filled(t, s).History.Curves[0]; !slices.Equal(got.Y, []float64{0.5, 0.5}) {
		t.Errorf("the smallest so far %v", got.Y)
	}
}

func TestPareto(t *testing.T) {
	p := filled(t, smallSearch()).Pareto
	if got := p.Curves[0]; !slices.Equal(got.X, []float64{0.79, 0.82, 0.85}) || !slices.Equal(got.Y, []float64{0.7, 0.65, 0.5}) || got.Shape != chart.StepFirst {
		t.Errorf("front %v, %v", got.X, got.Y)
	}
	if len(p.Dots[0].X) != 0 || !slices.Equal(p.Dots[1].X, []float64{0.81}) || len(p.Dots[2].X) != 3 {
		t.Errorf("dots %+v", p.Dots)
	}
	if len(p.Points) != 2 || p.Points[0].Name != "base" || p.Points[1] != (chart.Point{Name: "chosen", X: 0.82, Y: 0.65, Chosen: true}) {
		t.Errorf("points %+v", p.Points)
	}
	if len(p.Marks) != 1 || p.Marks[0] != (Mark{X: 0.8, Label: "must keep 0.80"}) {
		t.Errorf("marks %+v", p.Marks)
	}
}

func TestFront(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		trade Trade
		want  []int
	}{
		"nothing":          {Trade{}, nil},
		"nothing known":    {Trade{X: []float64{nan, 1}, Y: []float64{1, nan}}, nil},
		"one":              {Trade{X: []float64{1}, Y: []float64{1}}, []int{0}},
		"equal":            {Trade{X: []float64{1, 1, 1}, Y: []float64{1, 1, 0}}, []int{0}},
		"a ladder":         {Trade{X: []float64{3, 1, 2, 2}, Y: []float64{1, 3, 2, 1}}, []int{1, 2, 0}},
		"a ladder of loss": {Trade{X: []float64{3, 1, 2, 2}, Y: []float64{1, 3, 2, 1}, Smaller: true}, []int{1, 3}},
	} {
		if got := c.trade.front(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestCoordinates(t *testing.T) {
	c := filled(t, smallSearch()).Coordinates
	if len(c.Axes) != 4 || c.Axes[3].Name != "score" || c.Axes[3].Low != 0.5 || c.Axes[3].High != 0.7 || !c.Axes[2].Log || len(c.Axes[0].Choices) != 2 {
		t.Errorf("axes %+v", c.Axes)
	}
	var text []string
	for _, h := range c.Threads {
		text = append(text, fmt.Sprintf("%s %v %t %t", h.Title, h.Values, h.Faint, h.Chosen))
	}
	want := []string{"trial 3: 0.60 [1 0.3 0.2 0.6] false false", "trial 0: 0.50 [0 0.1 NaN 0.5] false false", "trial 1: 0.70, not admissible [1 0.9 0.5 0.7] true false",
		"trial 2: given up after 2 of its parts [0 0.8 NaN NaN] true false", "trial 5: 0.65 [0 0.2 NaN 0.65] false true"}
	if !slices.Equal(text, want) {
		t.Errorf("threads\n%s\nwant\n%s", strings.Join(text, "\n"), strings.Join(want, "\n"))
	}
}

func TestPartials(t *testing.T) {
	doc := filled(t, smallSearch())
	if len(doc.Partials) != 2 || doc.Partials[0].Title != "makam against its lambda" || doc.Partials[1].Title != "Objective against density" || doc.Partials[0].YLabel != "ROC-AUC" || !doc.Partials[1].Log {
		t.Fatalf("partial charts %+v", doc.Partials)
	}
	p := doc.Partials[0]
	if !slices.Equal(p.Dots[0].X, []float64{0.9}) || !slices.Equal(p.Dots[1].X, []float64{0.3, 0.1, 0.2}) || !slices.Equal(p.Dots[1].Y, []float64{0.61, 0.51, 0.66}) {
		t.Errorf("dots %+v", p.Dots)
	}
	if len(p.Curves) != 0 {
		t.Errorf("medians of single trials: %+v", p.Curves)
	}
	x, y := []float64{0.1, 0.2, 0.2, 0.1}, []float64{1, 5, 7, 3}
	twice, _ := partial{x: x, y: y, faint: make([]bool, len(x)), chosen: -1}.scatter()
	if len(twice.Curves) != 1 || !slices.Equal(twice.Curves[0].X, []float64{0.1, 0.2}) || !slices.Equal(twice.Curves[0].Y, []float64{2, 6}) {
		t.Errorf("medians %+v", twice.Curves)
	}
	if len(p.Points) != 1 || p.Points[0].X != 0.2 {
		t.Errorf("points %+v", p.Points)
	}
	s := smallSearch()
	s.Partials = nil
	if doc = filled(t, s); len(doc.Partials) != 2 || doc.Partials[0].Title != "Objective against lambda.makam" {
		t.Errorf("without pairs there are %d charts", len(doc.Partials))
	}
}

// TestMedians: of twenty values by tenths of the range, which have two each.
func TestMedians(t *testing.T) {
	var x, y []float64
	for i := range 20 {
		x, y = append(x, float64(i)), append(y, float64(i*i))
	}
	at, median := partial{}.medians(x, y)
	if len(at) != 10 || at[0] != 0.5 || median[0] != 0.5 || at[9] != 18.5 || median[9] != (18*18+19*19)/2.0 {
		t.Errorf("%v at %v", median, at)
	}
	for i := range x {
		x[i] = math.Pow(2, x[i])
	}
	if at, _ = (partial{log: true}).medians(x, y); len(at) != 10 || at[0] != 1.5 {
		t.Errorf("on a logarithmic scale %v", at)
	}
	if at, median = (partial{}).medians([]float64{1, 0, 1}, []float64{3, 7, 5}); !slices.Equal(at, []float64{0, 1}) || !slices.Equal(median, []float64{7, 4}) {
		t.Errorf("of few values %v at %v", median, at)
	}
}

func TestTrialsOfASearch(t *testing.T) {
	table := filled(t, smallSearch()).Trials
	var rows []string
	for _, row := range table.Rows {
		rows = append(rows, strings.Join(row, " "))
	}
	want := []string{"5 done 0.65 sum 0.2 – 0.66", "3 done 0.60 ties 0.3 0.2 0.61", "0 done 0.50 sum 0.1 – 0.51", "1 not admissible 0.70 ties 0.9 0.5 0.71",
		"2 given up after 2 of its parts – sum 0.8 – –", "4 failed – sum 0.2 – –", "6 running – sum 0.5 – –"}
	if !slices.Equal(rows, want) || table.Chosen != 0 || strings.Join(table.Header, " ") != "trial state score method lambda.makam density makam" {
		t.Errorf("header %q, chosen %d, rows\n%s", table.Header, table.Chosen, strings.Join(rows, "\n"))
	}
	s := smallSearch()
	for i := range 2 * mostRows {
		s.Trials = append(s.Trials, search.Trial{Number: 7 + i, State: search.Waiting})
	}
	s.Scores, s.Partials, s.Trade = nil, nil, nil
	if table = filled(t, s).Trials; len(table.Rows) != mostRows || !strings.Contains(table.Caption, "first 1000 of 2007") {
		t.Errorf("%d rows: %s", len(table.Rows), table.Caption)
	}
}

func TestPageOfASearch(t *testing.T) {
	doc := filled(t, smallSearch())
	doc.Commands, doc.Recipe = []string{"syncretic merge a<b.yml out"}, "models:\n- model: <x>\n"
	page := render(t, doc)
	parse(t, page)
	for _, want := range []string{">Gain and cost</h2>", ">The search</h2>", ">Run it again</h2>", "Which parameters mattered", "One parameter at a time", "Every trial at once", "How the search went",
		"syncretic merge a&lt;b.yml out\n", "models:\n- model: &lt;x&gt;\n", "trial 5: 0.65", "must keep 0.80", "second, 0.60 to 0.60"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "NaN") || strings.Contains(page, "unknown") {
		t.Error("the page shows what is not known")
	}
	if n := strings.Count(page, "<summary>Every trial</summary>"); n != 1 {
		t.Errorf("the table of trials stands there %d times", n)
	}
}

// TestNothingFound: before any trial is done there is little to draw, and no error.
func TestNothingFound(t *testing.T) {
	for name, trials := range map[string][]search.Trial{
		"none":        nil,
		"running":     {{State: search.Running, Point: search.Point{"x": 0.5}}},
		"failed":      {{State: search.Fail}},
		"not a value": {{State: search.Complete, Point: search.Point{"x": 0.5}, Values: []float64{math.Inf(1)}}, {State: search.Complete, Point: search.Point{"x": 0.5}}},
	} {
		n := len(trials)
		nothing := slices.Repeat([]float64{math.NaN()}, n)
		doc := filled(t, Search{Space: search.Space{{Name: "x", High: 1}}, Trials: trials, Direction: search.Maximize, Winner: -1, Trade: &Trade{X: nothing, Y: nothing, Threshold: math.NaN()}})
		if doc.History != nil || doc.Pareto != nil || doc.Importance != nil || doc.Coordinates != nil || doc.Partials != nil {
			t.Errorf("%s: %+v", name, doc)
		}
		parse(t, render(t, doc))
	}
}

func TestFromSearchRefuses(t *testing.T) {
	for name, change := range map[string]func(*Search){
		"space":     func(s *Search) { s.Space = nil },
		"scores":    func(s *Search) { s.Scores[0].Values = nil },
		"x":         func(s *Search) { s.Trade.X = nil },
		"y":         func(s *Search) { s.Trade.Y = append(s.Trade.Y, 1) },
		"parameter": func(s *Search) { s.Partials[0].Param = "none" },
		"choice":    func(s *Search) { s.Partials[0].Param = "method" },
		"score":     func(s *Search) { s.Partials[0].Score = "none" },
	} {
		s := smallSearch()
		change(&s)
		doc := Document{Title: "t"}
		err := doc.FromSearch(s)
		if err == nil || doc.History != nil || name == "space" && !errors.Is(err, search.ErrSpace) {
			t.Errorf("%s: error %v, history %v", name, err, doc.History)
		}
	}
}

func TestWriteRefusesChartsThatDoNotFit(t *testing.T) {
	for name, change := range map[string]func(*Document){
		"partial":    func(d *Document) { d.Partials[0].Dots[1].X = nil },
		"pareto":     func(d *Document) { d.Pareto.Curves[0].Y = nil },
		"history":    func(d *Document) { d.History.Dots[1].Titles = nil; d.History.Dots[1].X = nil },
		"thread":     func(d *Document) { d.Coordinates.Threads[0].Values = nil },
		"importance": func(d *Document) { d.Importance.Shares[0].Value = 1.5 },
	} {
		doc := filled(t, smallSearch())
		change(&doc)
		var b strings.Builder
		if err := Write(&b, doc); err == nil || !strings.HasPrefix(err.Error(), "report: ") || b.Len() != 0 {
			t.Errorf("%s: error %v after %d bytes", name, err, b.Len())
		}
	}
	doc := filled(t, smallSearch())
	doc.Importance.Shares = []Share{{Name: "x", Value: math.NaN(), Trials: 3}}
	if page := render(t, doc); !strings.Contains(page, `<td class="text">–</td><td>3</td>`) {
		t.Error("a share that is not known is no dash")
	}
}
