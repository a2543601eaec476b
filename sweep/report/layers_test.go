package report

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"syncretic/arithmetic"
)

// stacked is a comparison of vectors over two runs of layers, and a part outside of them.
func stacked(names []string) Document {
	n := len(names)
	var doc Document
	r := arithmetic.Report{Names: names}
	relation := func(v float64) arithmetic.Relation {
		x := arithmetic.Relation{Cosine: make([][]float64, n), SignConflict: make([][]float64, n)}
		for i := range n {
			x.Norms = append(x.Norms, v+float64(i))
			x.Cosine[i], x.SignConflict[i] = make([]float64, n), make([]float64, n)
			for j := range n {
				x.Cosine[i][j], x.SignConflict[i][j] = v*float64(10*(min(i, j)+1)+max(i, j)+1), v/100
			}
		}
		return x
	}
	for _, name := range []string{"decoder.layers.0", "decoder.layers.1", "encoder.layers.2", "encoder.layers.3", "encoder.layers.10", "head"} {
		layer := arithmetic.LayerReport{Name: name, Relation: relation(float64(len(r.Layers)))}
		if name != "encoder.layers.3" && name != "head" {
			m := layer.Cosine
			layer.Spectrum = &arithmetic.Spectrum{Rank: 4, EffectiveRank: layer.Norms, StableRank: layer.Norms, Overlap: m, Chance: m}
		}
		r.Layers = append(r.Layers, layer)
	}
	r.Relation = relation(1)
	doc.FromInterference(r, 0)
	return doc
}

func TestLayerCharts(t *testing.T) {
	doc := stacked([]string{"a", "b", "merged"})
	doc.Interference.Merged = true
	charts := layerCharts(*doc.Interference)
	lines := func(title string) (list []Line) {
		t.Helper()
		for _, c := range charts {
			if c.Title == title+" by layer, encoder.layers" {
				if want := []float64{2, 3, 10}; !reflect.DeepEqual(c.X, want) {
					t.Errorf("%s over layers %v, want %v", title, c.X, want)
				}
				return c.Lines
			}
		}
		t.Fatalf("no chart %q", title)
		return nil
	}
	nan := math.NaN()
	for title, want := range map[string][]Line{ // layers 2, 3 and 10 have figures 2, 3 and 4
		"Length":                        {{Name: "a", Y: []float64{2, 3, 4}}, {Name: "b", Y: []float64{3, 4, 5}}, {Name: "merged", Y: []float64{4, 5, 6}}},
		"Cosine":                        {{Name: "a · b", Y: []float64{24, 36, 48}}},
		"Sign conflict":                 {{Name: "a · b", Y: []float64{0.02, 0.03, 0.04}}},
		"The merge and its models":      {{Name: "a", Y: []float64{26, 39, 52}}, {Name: "b", Y: []float64{46, 69, 92}}},
		"Effective rank":                {{Name: "a", Y: []float64{0.5, nan, 1}}, {Name: "b", Y: []float64{0.75, nan, 1.25}}, {Name: "merged", Y: []float64{1, nan, 1.5}}},
		"Overlap of leading directions": {{Name: "a · b", Y: []float64{24, nan, 48}}, {Name: "by chance", Kind: Western, Y: []float64{24, nan, 48}}},
	} {
		if got := lines(title); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", title, got, want)
		}
	}
	if len(charts) != 6 { // none of what was trimmed, nor of the two layers of the decoder
		t.Errorf("%d charts, want 6", len(charts))
	}
}

func TestLayerChartsOfManyPairsAreMeans(t *testing.T) {
	doc := stacked([]string{"a", "b", "c", "d", "e"})
	for _, c := range layerCharts(*doc.Interference) {
		if c.YLabel == "cosine" {
			// The mean of 12, 13, 14, 15, 23, 24, 25, 34, 35 and 45.
			if want := []Line{{Name: "mean of 10 pairs", Y: []float64{48, 72, 96}}}; !reflect.DeepEqual(c.Lines, want) {
				t.Errorf("lines %v, want %v", c.Lines, want)
			}
			return
		}
	}
	t.Error("no chart of cosines")
}

func TestPageOverDepth(t *testing.T) {
	doc := stacked([]string{"a", "<b>", "a model with a name that is far too long for a label"})
	page := render(t, doc)
	parse(t, page)
	for _, want := range []string{"Cosine by layer, encoder.layers", "a · &lt;b&gt;", "a model with a name…", "Interference between task vectors", "‖τ‖"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	doc.Interference.Models = true
	if page = render(t, doc); strings.Contains(page, "task vectors") || strings.Contains(page, "τ") || !strings.Contains(page, "Length of the models") {
		t.Error("a page on models speaks of task vectors")
	}
	if strings.Count(page, "<figure>") != strings.Count(page, "Figures of this chart") {
		t.Error("a figure without a table")
	}
}
