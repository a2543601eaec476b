package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"syncretic/arithmetic"
)

// relationText lays a report out for people. baseNorm is 0 where there is no base; merged says that the last vector is what a merge
// made of the others, so that means over pairs leave it out.
func relationText(c arithmetic.Report, baseNorm float64, tensors, merged bool) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "vector\tnorm\tof the base\t"+strings.Join(c.Names, "\t"))
	for i, name := range c.Names {
		fmt.Fprintf(w, "%s\t%.4g\t", name, c.Norms[i])
		if baseNorm > 0 {
			fmt.Fprintf(w, "%.2f %%", 100*c.Norms[i]/baseNorm)
		}
		for j := range c.Names {
			if i == j {
				fmt.Fprint(w, "\t·")
				continue
			}
			fmt.Fprintf(w, "\tcos %.3f, conflict %.3f", c.Cosine[i][j], c.SignConflict[i][j])
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	relationHeader(w, c, "\nlayers")
	for _, l := range c.Layers {
		relationRow(w, l.Name, l.Elements, l.Relation, l.Spectrum, merged)
	}
	w.Flush()
	if tensors {
		relationHeader(w, c, "\ntensors")
		for _, t := range c.Tensors {
			relationRow(w, t.Name, t.Elements, t.Relation, t.Spectrum, merged)
		}
		w.Flush()
	}
	return b.String()
}

// relationHeader begins a table of layers or tensors.
func relationHeader(w io.Writer, c arithmetic.Report, what string) {
	fmt.Fprint(w, what+"\tparameters\t"+strings.Join(c.Names, "\t")+"\tcosine\tconflict")
	if c.Trimmed != nil {
		fmt.Fprint(w, "\ttrimmed")
	}
	if slices.ContainsFunc(c.Layers, func(l arithmetic.LayerReport) bool { return l.Spectrum != nil }) {
		fmt.Fprint(w, "\teffective rank\toverlap\tby chance")
	}
	fmt.Fprintln(w)
}

// relationRow is one line of it: norms of each vector, and means over pairs.
func relationRow(w io.Writer, name string, elements int, r arithmetic.Relation, s *arithmetic.Spectrum, merged bool) {
	models := len(r.Norms)
	if merged {
		models--
	}
	fmt.Fprintf(w, "%s\t%d", name, elements)
	for _, n := range r.Norms {
		fmt.Fprintf(w, "\t%.4g", n)
	}
	fmt.Fprintf(w, "\t%s\t%s", meanOfPairs(r.Cosine[:models]), meanOfPairs(r.SignConflict[:models]))
	if r.Trimmed != nil {
		var shares []string
		for _, share := range r.Trimmed[:models] {
			shares = append(shares, fmt.Sprintf("%.3f", share))
		}
		fmt.Fprint(w, "\t"+strings.Join(shares, ", "))
	}
	if s != nil {
		var ranks []string
		for _, rank := range s.EffectiveRank {
			ranks = append(ranks, fmt.Sprintf("%.0f", rank))
		}
		fmt.Fprintf(w, "\t%s of %.0f\t%s\t%s", strings.Join(ranks, ", "), s.Rank, meanOfPairs(s.Overlap[:models]), meanOfPairs(s.Chance[:models]))
	}
	fmt.Fprintln(w)
}

// meanOfPairs is the mean of what lies above the diagonal, as text.
func meanOfPairs(m [][]float64) string {
	sum, n := 0.0, 0
	for j := range m {
		for i := range j {
			sum += m[i][j]
			n++
		}
	}
	if n == 0 {
		return "·"
	}
	return fmt.Sprintf("%.3f", sum/float64(n))
}
