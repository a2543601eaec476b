package main

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"

	"syncretic/probe"
	"syncretic/probe/matrix"
)

// renderMatrix adds the files that hold the table for others to read.
func renderMatrix(files map[string][]byte, res matrixResult) error {
	var list, latex, page, parquet bytes.Buffer
	if err := matrix.WriteCSV(&list, res.Table); err != nil {
		return err
	}
	if err := matrix.WriteParquet(&parquet, res.Table); err != nil {
		return err
	}
	if err := matrix.WriteLaTeX(&latex, res.Table); err != nil {
		return err
	}
	sections := []matrix.Section{{ID: "study", Title: "This study", Table: res.Table}}
	if res.Published != nil {
		sections = append(sections, matrix.Section{ID: "published", Title: "As published", Table: *res.Published})
	}
	facts := [][2]string{{"version", res.Version}, {"head", res.Config.Head.Kind}, {"seeds", fmt.Sprint(res.Config.Seeds)},
		{"window", fmt.Sprintf("%g s", res.Config.Window)}, {"normalize", fmt.Sprint(res.Normalize)}, {"resampler", res.Resampler}}
	for _, m := range res.Models {
		if m.Hash != "" {
			facts = append(facts, [2]string{"sha-256 of " + m.Name, m.Hash})
		}
	}
	if err := matrix.WritePage(&page, sections, facts); err != nil {
		return err
	}
	files["matrix.csv"], files["matrix.parquet"], files["matrix.tex"], files["matrix.html"] = list.Bytes(), parquet.Bytes(), latex.Bytes(), page.Bytes()
	return nil
}

// publishedText is the published table with averages from its cells.
func publishedText(t matrix.Table) string {
	return "published: " + t.Source + "\n" + matrixScores(t)
}

// matrixText is a study's table for the terminal: scores, F1, differences.
func matrixText(t matrix.Table) string {
	return matrixScores(t) + "\n" + matrixF1(t) + matrixDifferences(t)
}

// percent is a fraction with the given decimals of a percentage.
func percent(v *float64, format string) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf(format, 100**v)
}

// deviated are two scores in percent and, over several seeds, their deviations.
func deviated(a, b probe.MeanSD, seeds int) string {
	text := percent(a.Mean, "%.1f") + "/" + percent(b.Mean, "%.1f")
	if seeds > 1 {
		text += fmt.Sprintf(" +- %.1f/%.1f", 100*a.SD, 100*b.SD)
	}
	return text
}

func matrixHeader(b *strings.Builder, t matrix.Table, more string) *tabwriter.Writer {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "model")
	for _, d := range t.Datasets {
		mark := ""
		if d.Western {
			mark = " (W)"
		}
		fmt.Fprintf(w, "\t%s%s", d.Name, mark)
	}
	fmt.Fprintln(w, more)
	return w
}

func matrixScores(t matrix.Table) string {
	var b strings.Builder
	b.WriteString("ROC-AUC / mAP in percent, test split; average over all, non-Western and Western (W) datasets, and points above " + t.Base + "\n")
	w := matrixHeader(&b, t, "\tall\tnon-W\tW\tall\tnon-W\tW")
	for _, r := range t.Rows {
		fmt.Fprint(w, r.Model)
		for _, c := range r.Cells {
			fmt.Fprintf(w, "\t%s", deviated(c.ROCAUC, c.AveragePrecision, len(c.Runs)))
		}
		for _, v := range []*float64{r.Averages.All, r.Averages.NonWestern, r.Averages.Western} {
			fmt.Fprintf(w, "\t%s", percent(v, "%.1f"))
		}
		above := t.FromBase(r)
		for _, v := range []*float64{above.All, above.NonWestern, above.Western} {
			fmt.Fprintf(w, "\t%s", percent(v, "%+.2f"))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return b.String()
}

func matrixF1(t matrix.Table) string {
	var b strings.Builder
	b.WriteString("F1 micro / macro in percent\n")
	w := matrixHeader(&b, t, "\tall")
	for _, r := range t.Rows {
		fmt.Fprint(w, r.Model)
		for _, c := range r.Cells {
			fmt.Fprintf(w, "\t%s", deviated(c.MicroF1, c.MacroF1, len(c.Runs)))
		}
		fmt.Fprintf(w, "\t%s\n", percent(r.Averages.F1, "%.1f"))
	}
	w.Flush()
	return b.String()
}

func matrixDifferences(t matrix.Table) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	rows := 0
	for _, r := range t.Rows {
		for k, c := range r.Cells {
			if c.Against == nil {
				continue
			}
			if rows++; c.Against.Undefined != "" {
				fmt.Fprintf(w, "%s\t%s\tundefined: %s\n", r.Model, t.Datasets[k].Name, c.Against.Undefined)
				continue
			}
			note := ""
			if c.Against.WesternRegression {
				note = "Western regression"
			}
			fmt.Fprintf(w, "%s\t%s\tROC-AUC %s\tmAP %s\t%s\n", r.Model, t.Datasets[k].Name, pointsText(c.Against.ROCAUC), pointsText(c.Against.AveragePrecision), note)
		}
	}
	if rows == 0 {
		return ""
	}
	w.Flush()
	return "\nfrom " + t.Base + " in points, with 95 % interval over recordings, and p corrected over datasets (Holm)\n" + b.String()
}

func pointsText(d *matrix.Difference) string {
	return fmt.Sprintf("%+.1f [%+.1f, %+.1f] p %.3f", 100*d.Difference, 100*d.Low, 100*d.High, d.Adjusted)
}
