package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"syncretic/adapt"
)

func planFlag(cmd *cobra.Command, on *bool) {
	cmd.Flags().BoolVar(on, "plan", false, "print what the recipe trains on, what has to be computed first, and how long it will take; write nothing")
}

// runAdaptPlan prints what a recipe would do.
func runAdaptPlan(ctx context.Context, a *app, cfg adapt.Config) error {
	p, err := adapt.PlanFor(ctx, cfg)
	if err != nil {
		return err
	}
	return a.result(p, indexText(p.Index)+"\n"+planText(p))
}

// indexText is a table of the corpora, with what is to be said of them below it.
func indexText(x adapt.Index) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "corpus\trecordings\thours\texcluded\tunreadable\tshort\tused\thours used\tshare by stage\tpasses")
	for _, c := range x.Corpora {
		var shares []string
		for _, s := range c.Shares {
			shares = append(shares, fmt.Sprintf("%.3g %%", 100*s))
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%.3g\n", c.Name, c.Recordings, hoursText(c.Hours), c.Excluded, c.Unreadable, c.Short, c.Used, hoursText(c.HoursUsed),
			strings.Join(shares, ", "), c.Passes)
	}
	w.Flush()
	for _, e := range x.Exclusions {
		if e.Unmatched == 0 {
			continue
		}
		fmt.Fprintf(&b, "exclude %s: %d of %d ids are of no recording here, such as %q\n", e.Manifest, e.Unmatched, e.Rows, e.Examples)
	}
	for _, warning := range x.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func hoursText(h float64) string {
	switch {
	case h >= 10:
		return fmt.Sprintf("%.1f", h)
	case h >= 0.1:
		return fmt.Sprintf("%.2f", h)
	}
	return fmt.Sprintf("%.2g", h)
}

// estimateText says how long training takes, and of what that is made up.
func estimateText(e adapt.Estimate) string {
	var b strings.Builder
	fmt.Fprintf(&b, "time to the end: %s", spanText(e.Total))
	for _, s := range e.Stages {
		fmt.Fprintf(&b, "; %s: %d steps of %s", s.Name, s.Steps, spanText(s.Step))
	}
	if e.States.Count > 0 {
		fmt.Fprintf(&b, "; states: %d of %s", e.States.Count, showBytes(e.States.Bytes))
		if e.States.Write.High > 0 {
			fmt.Fprintf(&b, ", %s each", spanText(e.States.Write))
		}
	}
	return b.String()
}

func planText(p *adapt.Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "teacher: %s\n", p.Teacher)
	for _, t := range p.Targets {
		what := "cached"
		if t.Missing {
			what = "to be computed"
		}
		fmt.Fprintf(&b, "targets of %s: %s, %s\n", t.Corpus, showBytes(t.Bytes), what)
	}
	fmt.Fprintf(&b, "spectrum: %s\n", p.Spectrum)
	if p.Prepare.High > 0 {
		fmt.Fprintf(&b, "before training: %s of spectra, beside reading the audio\n", spanText(p.Prepare))
	}
	fmt.Fprintf(&b, "%s (without writing the states: a plan writes nothing)\n", estimateText(p.Estimate))
	return b.String()
}

// spanText is a duration from low to high in one unit.
func spanText(s adapt.Span) string {
	unit, name := 1.0, "s"
	switch {
	case s.High >= 2*24*3600:
		unit, name = 24*3600, "days"
	case s.High >= 2*3600:
		unit, name = 3600, "hours"
	case s.High >= 120:
		unit, name = 60, "minutes"
	case s.High < 0.1:
		unit, name = 1e-3, "ms"
	}
	low, high := fmt.Sprintf("%.2g", s.Low/unit), fmt.Sprintf("%.2g", s.High/unit)
	if s.High/unit >= 100 {
		low, high = fmt.Sprintf("%.0f", s.Low/unit), fmt.Sprintf("%.0f", s.High/unit)
	}
	if low == high {
		return high + " " + name
	}
	return low + " to " + high + " " + name
}
