package matrix

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"

	"syncretic/probe"
)

// WriteLaTeX writes the table as the CultureMERT paper sets it: ROC-AUC and average precision in percent, the best of each column bold,
// with the averages over all, the non-Western and the Western datasets. It needs the package booktabs.
func WriteLaTeX(w io.Writer, t Table) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%% ROC-AUC / mAP in percent on test splits; needs \\usepackage{booktabs}\n\\begin{tabular}{l%sccc}\n\\toprule\nModel", strings.Repeat("c", len(t.Datasets)))
	for _, d := range t.Datasets {
		fmt.Fprintf(out, " & %s", escape(d.Name))
	}
	fmt.Fprint(out, " & Avg. & Non-West. & West. \\\\\n\\midrule\n")
	auc, ap := t.best(rocAUC), t.best(averagePrecision)
	means := []func(Averages) *float64{func(a Averages) *float64 { return a.All }, func(a Averages) *float64 { return a.NonWestern }, func(a Averages) *float64 { return a.Western }}
	floors := false
	for i, r := range t.Rows {
		if r.Floor && !floors && i > 0 {
			fmt.Fprintln(out, "\\midrule")
		}
		floors = r.Floor
		fmt.Fprint(out, escape(r.Model))
		for k, c := range r.Cells {
			fmt.Fprintf(out, " & %s/%s", bold(c.ROCAUC.Mean, auc[k]), bold(c.AveragePrecision.Mean, ap[k]))
		}
		for _, of := range means {
			best := math.NaN()
			for _, other := range t.Rows {
				if v := printed(of(other.Averages)); !math.IsNaN(v) && !(v <= best) {
					best = v
				}
			}
			fmt.Fprintf(out, " & %s", bold(of(r.Averages), best))
		}
		fmt.Fprint(out, " \\\\\n")
	}
	fmt.Fprint(out, "\\bottomrule\n\\end{tabular}\n")
	return out.Flush()
}

// bold is a percentage with one decimal, in bold where it is the best.
func bold(v *float64, best float64) string {
	p := printed(v)
	switch {
	case math.IsNaN(p):
		return "--"
	case p == best:
		return fmt.Sprintf("\\textbf{%.1f}", p)
	}
	return fmt.Sprintf("%.1f", p)
}

// best is the highest mean of each dataset as it is printed, so that equals in print are all best; NaN where there is none.
func (t Table) best(of func(Cell) probe.MeanSD) []float64 {
	out := make([]float64, len(t.Datasets))
	for k := range out {
		out[k] = math.NaN()
		for _, r := range t.Rows {
			if v := printed(of(r.Cells[k]).Mean); !math.IsNaN(v) && !(v <= out[k]) {
				out[k] = v
			}
		}
	}
	return out
}

// printed is a fraction as a percentage with one decimal, NaN of nil.
func printed(v *float64) float64 { return math.Round(1000*figure(v)) / 10 }

func rocAUC(c Cell) probe.MeanSD           { return c.ROCAUC }
func averagePrecision(c Cell) probe.MeanSD { return c.AveragePrecision }

// escape writes a name for LaTeX.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`,
		"~", `\textasciitilde{}`, "^", `\textasciicircum{}`).Replace(s)
}
