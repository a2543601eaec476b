package report

import (
	"bytes"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"syncretic/arithmetic"
	"syncretic/sweep"
	"syncretic/sweep/search"
)

// sample is a document with every section.
func sample() Document {
	cultures := []string{"carnatic", "hindustani", "lyra", "makam"}
	doc := Document{
		Title:    "A <small> sweep & more",
		Subtitle: "One sentence.",
		Findings: []Finding{{"Chosen λ", "0.25", "on validation"}},
		Remarks:  []string{"A remark with <b>tags</b>."},
		Answers:  []Table{{Title: "Questions", Header: []string{"Question", "Answer"}, Rows: [][]string{{"merge over base?", "higher"}}, Chosen: -1, NumericFrom: 2}},
		Scores: []ScoreTable{{Title: "ROC-AUC", Caption: "Test split.", Datasets: []string{"makam", "western"}, Rows: []ScoreRow{
			{Model: "base", Cells: []ScoreCell{{Value: 0.6}, {Value: 0.7}}},
			{Model: "merge", Note: "λ 0.25", Chosen: true, Cells: []ScoreCell{
				{Value: 0.65, Difference: &Interval{0.05, 0.01, 0.09}}, {Value: 0.69, Difference: &Interval{-0.01, -0.03, 0.01}}}},
			{Model: "makam only", Cells: []ScoreCell{{Value: math.NaN()}, {Value: 0.6, Difference: &Interval{-0.1, -0.2, -0.05}}}},
		}}},
		Losses: []LossTable{{Title: "Masked loss", Cultures: []string{"makam", "western"}, Unigram: []float64{30, 31.5}, Rows: []LossRow{
			{Model: "base", Cells: []LossCell{{40, 39}, {29, 28.5}}},
			{Model: "merge", Chosen: true, Cells: []LossCell{{31, 30.02}, {30, math.NaN()}}},
		}}},
		Provenance: []Fact{{"seed", "7"}},
	}
	var trials []sweep.Trial
	for i, l := range sweep.DefaultValues() {
		s := sweep.Scores{Tasks: map[string]sweep.Task{}, Losses: map[string]sweep.Loss{}}
		for k, name := range cultures {
			s.Tasks[name] = sweep.Task{ROCAUC: 0.6 + 0.03*float64(k) + 0.1*l*(1-l), AveragePrecision: 0.4 + 0.1*l*(1-l), F1: math.NaN()}
			s.Losses[name] = sweep.Loss{Value: 38 + float64(k) - 20*l + 30*l*l}
		}
		s.Tasks["western"] = sweep.Task{ROCAUC: 0.75 - 0.05*l, AveragePrecision: 0.6, F1: math.NaN(), Western: true}
		trials = append(trials, sweep.Trial{Number: i, State: "COMPLETE", Choice: sweep.Choice{Lambdas: shared(cultures, l)}, Point: search.Point{"lambda": l},
			Scores: &s, Part: 1, Values: []float64{s.Mean(sweep.ROCAUC, false)}, Seconds: map[string]float64{"total": 11}})
	}
	setup := sweep.Setup{Space: sweep.Space{Mode: sweep.Shared, Vectors: cultures, Values: sweep.DefaultValues()}, Rule: sweep.Rule{Metric: sweep.ROCAUC, Rho: 0.98}}
	refs := sweep.References{Base: *trials[0].Scores}
	selected, err := setup.Rule.Select(trials, refs)
	if err != nil {
		panic(err)
	}
	byLoss, err := sweep.SelectByLoss(trials, refs)
	if err != nil {
		panic(err)
	}
	if err := doc.FromTrials(setup, trials, refs, &selected, &byLoss); err != nil {
		panic(err)
	}
	pairs := [][]float64{{1, 0.5, 0.2, 0.3}, {0.5, 1, 0.2, 0.3}, {0.2, 0.2, 1, -0.25}, {0.3, 0.3, -0.25, 1}}
	norms := []float64{4.5, 4.9, 5.1, 5.9}
	relation := arithmetic.Relation{Norms: norms, Cosine: pairs, SignConflict: pairs, Trimmed: norms}
	spectrum := &arithmetic.Spectrum{Rank: 10, EffectiveRank: norms, StableRank: norms, Overlap: pairs, Chance: pairs}
	doc.FromInterference(arithmetic.Report{Names: cultures, Relation: relation,
		Layers:  []arithmetic.LayerReport{{Name: "encoder.layers.0", Relation: relation, Spectrum: spectrum}},
		Tensors: []arithmetic.TensorReport{{Name: "encoder.layers.0.<w>", Relation: relation, Spectrum: spectrum}, {Name: "b", Relation: relation}}}, 45)
	return doc
}

func shared(names []string, v float64) sweep.Lambdas {
	l := sweep.Lambdas{}
	for _, name := range names {
		l[name] = v
	}
	return l
}

func render(t *testing.T, doc Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, doc); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A tag is one start or end tag of a page.
type tag struct {
	name       string
	end        bool
	empty      bool // ends in "/>"
	attributes map[string]string
}

var (
	tagPattern       = regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z:-]+(?:="[^"]*")?)*)\s*(/?)>`)
	attributePattern = regexp.MustCompile(`([a-zA-Z:-]+)(?:="([^"]*)")?`)
)

// parse reads the tags of a page and fails on a "<" that is none of them.
func parse(t *testing.T, page string) []tag {
	t.Helper()
	body := strings.TrimPrefix(page, "<!DOCTYPE html>\n")
	if body == page {
		t.Fatal("no doctype")
	}
	if rest := tagPattern.ReplaceAllString(body, ""); strings.Contains(rest, "<") {
		t.Fatalf("stray %q", rest[strings.Index(rest, "<"):][:40])
	}
	var tags []tag
	for _, m := range tagPattern.FindAllStringSubmatch(body, -1) {
		g := tag{name: m[2], end: m[1] == "/", empty: m[4] == "/", attributes: map[string]string{}}
		for _, a := range attributePattern.FindAllStringSubmatch(m[3], -1) {
			g.attributes[a[1]] = a[2]
		}
		tags = append(tags, g)
	}
	return tags
}

func TestPageIsWellFormed(t *testing.T) {
	var open []string
	ids := map[string]bool{}
	var targets []string
	for _, g := range parse(t, render(t, sample())) {
		switch {
		case g.end:
			if len(open) == 0 || open[len(open)-1] != g.name {
				t.Fatalf("</%s> closes %v", g.name, open)
			}
			open = open[:len(open)-1]
		case !g.empty && g.name != "meta":
			open = append(open, g.name)
		}
		if id, ok := g.attributes["id"]; ok {
			if ids[id] {
				t.Errorf("id %q twice", id)
			}
			ids[id] = true
		}
		if href, ok := g.attributes["href"]; ok {
			targets = append(targets, strings.TrimPrefix(href, "#"))
		}
		if by, ok := g.attributes["aria-labelledby"]; ok {
			targets = append(targets, strings.Fields(by)...)
		}
	}
	if len(open) != 0 {
		t.Errorf("left open: %v", open)
	}
	for _, id := range targets {
		if !ids[id] {
			t.Errorf("reference to %q, which is no id", id)
		}
	}
	if len(targets) < 12 {
		t.Errorf("%d references, want contents and charts to have more", len(targets))
	}
}

func TestPageIsSelfContained(t *testing.T) {
	page := render(t, sample())
	const svg = `xmlns="http://www.w3.org/2000/svg"`
	if rest := strings.ReplaceAll(page, svg, ""); regexp.MustCompile(`(?i)https?:|//[a-z]`).MatchString(rest) {
		t.Error("the page refers to the network")
	}
	for _, g := range parse(t, page) {
		if slices.Contains([]string{"script", "link", "img", "iframe", "object", "embed", "base"}, g.name) {
			t.Errorf("the page holds <%s>", g.name)
		}
		for name, value := range g.attributes {
			if name == "src" || strings.HasPrefix(name, "on") || name == "href" && !strings.HasPrefix(value, "#") {
				t.Errorf("<%s %s=%q>", g.name, name, value)
			}
		}
	}
	if regexp.MustCompile(`@import|url\(|@font-face`).MatchString(page) {
		t.Error("the style refers to other files")
	}
}

func TestPageIsDeterministic(t *testing.T) {
	first := render(t, sample())
	for range 3 {
		if render(t, sample()) != first {
			t.Fatal("the same document gave other bytes")
		}
	}
}

func TestPageSays(t *testing.T) {
	page := render(t, sample())
	for _, want := range []string{
		`<html lang="en">`, `name="viewport" content="width=device-width`, "prefers-color-scheme: dark",
		"A &lt;small&gt; sweep &amp; more", "A remark with &lt;b&gt;tags&lt;/b&gt;.",
		"▲ &#43;0.050", "[&#43;0.010, &#43;0.090]", "[−0.030, &#43;0.010]", "▼ −0.100",
		"9.0 above", "3.0 below", ">level<", "Own unigram", "30.0", "chosen λ 0.3", "by loss λ 0.35", "base, mean non-Western", "Western must keep",
		"mean non-Western", ">−0.25<", "10.0 %", "encoder.layers.0", "merge over base?", ">Answers</h2>",
	} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "&#43;", "+")) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := strings.Count(page, "not significant"); n != 1 {
		t.Errorf(`"not significant" %d times, want 1`, n)
	}
	for name, want := range map[string]int{"svg": 6 + 6 + 6 + 5 + 5, "figure": 4, "h2": 8} {
		if n := strings.Count(page, "<"+name); n != want {
			// two layouts of three charts and of the front; a sample for every line in the legends
			t.Errorf("%d <%s>, want %d", n, name, want)
		}
	}
}

func TestEveryTableScrollsInItsBox(t *testing.T) {
	tags := parse(t, render(t, sample()))
	tables := 0
	for i, g := range tags {
		if g.name == "table" && !g.end {
			tables++
			if box := tags[i-1]; box.attributes["class"] != "scroll" || box.attributes["tabindex"] != "0" || box.attributes["aria-label"] == "" {
				t.Errorf("table %q stands in %+v", g.attributes["id"], box)
			}
		}
	}
	if tables != 1+3+1+1+1+1+5 {
		t.Errorf("%d tables, want 13", tables)
	}
}

func TestEmptySectionsAreLeftOut(t *testing.T) {
	page := render(t, Document{Title: "Nothing"})
	parse(t, page)
	for _, no := range []string{"<section", "<nav", "<table", "<figure", `class="findings"`} {
		if strings.Contains(page, no) {
			t.Errorf("an empty document holds %s", no)
		}
	}
}

func TestWriteRefusesWhatDoesNotFit(t *testing.T) {
	for name, change := range map[string]func(*Document){
		"line":             func(d *Document) { d.Charts[0].Lines[0].Y = d.Charts[0].Lines[0].Y[1:] },
		"chart of nothing": func(d *Document) { d.Charts[0].X = nil },
		"chart at NaN":     func(d *Document) { d.Charts = []Chart{{X: []float64{math.NaN()}, Lines: []Line{{Y: []float64{1}}}}} },
		"score row":        func(d *Document) { d.Scores[0].Rows[1].Cells = nil },
		"loss row":         func(d *Document) { d.Losses[0].Rows[1].Cells = nil },
		"unigrams":         func(d *Document) { d.Losses[0].Unigram = []float64{1} },
		"answers":          func(d *Document) { d.Answers[0].Rows[0] = nil },
		"words":            func(d *Document) { d.Trials.Rows[0] = d.Trials.Rows[0][1:] },
		"norms":            func(d *Document) { d.Interference.Norms = nil },
		"cosine rows":      func(d *Document) { d.Interference.Cosine = d.Interference.Cosine[1:] },
		"conflict cells":   func(d *Document) { d.Interference.SignConflict = [][]float64{{1}, {1}, {1}, {1}} },
		"group norms":      func(d *Document) { d.Interference.Groups[0].Norms = nil },
		"group cosine":     func(d *Document) { d.Interference.Groups[0].Cosine = [][]float64{{1}} },
		"group conflict":   func(d *Document) { d.Interference.Groups[0].SignConflict = [][]float64{{1}} },
	} {
		t.Run(name, func(t *testing.T) {
			doc := sample()
			change(&doc)
			var b bytes.Buffer
			if err := Write(&b, doc); err == nil || !strings.HasPrefix(err.Error(), "report: ") || b.Len() != 0 {
				t.Errorf("error %v after %d bytes", err, b.Len())
			}
		})
	}
}

func TestWritePassesErrorsOn(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	if err := Write(w, sample()); err == nil {
		t.Error("no error from a closed pipe")
	}
}
