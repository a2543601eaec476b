package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	fewestLayers = 3 // that make a curve
	mostPairs    = 6 // that are drawn one by one
)

// A stack is the groups of one numbered run of layers (encoder.layers.0, encoder.layers.1 ...).
type stack struct {
	name    string
	numbers []float64
	layers  []Group
}

// stacks finds the runs of layers among groups that are in order.
func stacks(groups []Group) []stack {
	var list []stack
	for _, g := range groups {
		at := strings.LastIndexByte(g.Name, '.')
		number, err := strconv.ParseUint(g.Name[at+1:], 10, 31)
		if at < 0 || err != nil {
			continue
		}
		if name := g.Name[:at]; len(list) == 0 || list[len(list)-1].name != name {
			list = append(list, stack{name: name})
		}
		s := &list[len(list)-1]
		s.numbers, s.layers = append(s.numbers, float64(number)), append(s.layers, g)
	}
	return list
}

// layerCharts draw over the depth of a model what the table of groups lists.
func layerCharts(in Interference) []Chart {
	var charts []Chart
	for _, s := range stacks(in.Groups) {
		if len(s.layers) >= fewestLayers {
			charts = append(charts, in.overDepth(s)...)
		}
	}
	return charts
}

// overDepth are the charts of one run of layers; those without figures are left out.
func (in Interference) overDepth(s stack) []Chart {
	lists := func(names []string, of func(Group) []float64) []Line {
		return curves(names, s.layers, func(g Group, i int) float64 { return element(of(g), i) })
	}
	models := in.modelNames()
	var charts []Chart
	add := func(title, label, caption string, lines []Line, references ...Reference) {
		if len(lines) > 0 {
			charts = append(charts, Chart{Title: title + ", " + s.name, YLabel: label, Caption: caption, XLabel: "layer", X: s.numbers, Lines: lines, References: references})
		}
	}
	add("Length by layer", in.length(), "", lists(in.Names, func(g Group) []float64 { return g.Norms }))
	add("Cosine by layer", "cosine", "", pairCurves(models, s.layers, func(g Group) [][]float64 { return g.Cosine }), Reference{Y: 0, Label: "nothing in common"})
	add("Sign conflict by layer", "share of weights", "", pairCurves(models, s.layers, func(g Group) [][]float64 { return g.SignConflict }), Reference{Y: 0.5, Label: "chance"})
	if in.Merged {
		add("The merge and its models by layer", "cosine", "Cosine of the merge with each.",
			curves(models, s.layers, func(g Group, i int) float64 { return element(row(g.Cosine, len(models)), i) }))
	}
	add("Trimmed by layer", "share of weights", "", lists(models, func(g Group) []float64 { return g.Trimmed }))
	add("Effective rank by layer", "share of the most that is possible", "", lists(in.Names, func(g Group) []float64 { return g.Directions }))
	overlap := pairCurves(models, s.layers, func(g Group) [][]float64 { return g.Overlap })
	if len(overlap) > 0 {
		chance := Line{Name: "by chance", Kind: Western}
		for _, g := range s.layers {
			chance.Y = append(chance.Y, meanPair(in.models(g.Chance)))
		}
		overlap = append(overlap, chance)
	}
	add("Overlap of leading directions by layer", "overlap", "1: the same space.", overlap)
	return charts
}

// curves has a line a name; none where no layer has a figure.
func curves(names []string, layers []Group, at func(g Group, i int) float64) []Line {
	var lines []Line
	known := false
	for i, name := range names {
		line := Line{Name: name}
		for _, g := range layers {
			v := at(g, i)
			known = known || !math.IsNaN(v)
			line.Y = append(line.Y, v)
		}
		lines = append(lines, line)
	}
	if !known {
		return nil
	}
	return lines
}

// pairCurves has a line a pair of vectors, or where these are many their mean.
func pairCurves(names []string, layers []Group, of func(Group) [][]float64) []Line {
	n := len(names)
	if n*(n-1)/2 > mostPairs {
		return curves([]string{fmt.Sprintf("mean of %d pairs", n*(n-1)/2)}, layers, func(g Group, _ int) float64 { return meanPair(leading(of(g), n)) })
	}
	var pairs []string
	var ends [][2]int
	for i := range names {
		for j := i + 1; j < n; j++ {
			pairs, ends = append(pairs, names[i]+" · "+names[j]), append(ends, [2]int{i, j})
		}
	}
	return curves(pairs, layers, func(g Group, k int) float64 { return element(row(of(g), ends[k][0]), ends[k][1]) })
}

// row is a row of a matrix, nil where that is missing.
func row(m [][]float64, i int) []float64 {
	if i >= len(m) {
		return nil
	}
	return m[i]
}

// element is a number of a list, NaN where that is missing.
func element(list []float64, i int) float64 {
	if i >= len(list) {
		return math.NaN()
	}
	return list[i]
}
