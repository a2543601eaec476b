package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"syncretic/examples/demo"
)

type demoOptions struct {
	profile string
	seed    uint64
}

func newDemo(a *app) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo OUT",
		Short: "Run the whole system on synthesised music, in minutes",
		Long: "Synthesise five small corpora, pre-train a base encoder on the Western one, adapt it to the four others, take task vectors,\n" +
			"search lambda on validation clips, merge, probe, and write OUT/report.html and OUT/report.json. An interrupted run goes on\n" +
			"where it stopped when it is started again. Profiles: default, about five minutes on two cores; quick, under 90 seconds, for\n" +
			"checks; long, an evening.",
		Example: "  syncretic demo out/demo",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDemo(cmd.Context(), a, o, args[0])
		},
	}
	cmd.Flags().StringVar(&o.profile, "profile", demo.DefaultProfile, strings.Join(demo.Profiles(), ", "))
	cmd.Flags().Uint64Var(&o.seed, "seed", 1, "seeds the music, the encoder and everything drawn")
	return cmd
}

func runDemo(ctx context.Context, a *app, o demoOptions, out string) error {
	p, err := demo.FindProfile(o.profile)
	if err != nil {
		return usageError("--profile %s: there are %s", o.profile, strings.Join(demo.Profiles(), ", "))
	}
	var bar *progress
	var label string
	stop := func() {
		if bar != nil {
			bar.stop()
		}
		bar, label = nil, ""
	}
	rep, err := demo.Run(ctx, out, p, o.seed, demo.Options{Force: a.force, Version: version(),
		Step: func(title string) {
			stop()
			a.logf("%s", title)
		},
		Report: func(what string, done, total int, note string) {
			if what != label {
				stop()
				bar, label = a.progress("  "+what), what
			}
			bar.set(done, total, note)
		}})
	stop()
	if err != nil {
		return err
	}
	return a.result(rep, demoText(rep, out))
}

// demoText is the report as a terminal shows it.
func demoText(r *demo.Report, out string) string {
	var b strings.Builder
	table := func(title string, cell func(model, culture string) string) {
		fmt.Fprintf(&b, "\n%s\n", title)
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, c := range r.Cultures {
			fmt.Fprintf(w, "\t%s", c.Name)
		}
		fmt.Fprintln(w, "\t")
		for _, m := range r.Models {
			fmt.Fprint(w, m)
			for _, c := range r.Cultures {
				fmt.Fprintf(w, "\t%s", cell(m, c.Name))
			}
			fmt.Fprintln(w, "\t")
		}
		w.Flush()
	}
	table("masked loss on held-out clips (nats, cross-entropy in brackets)", func(m, c string) string {
		l := r.MaskedLoss[m][c]
		return fmt.Sprintf("%.1f (%.1f)", l.Total, l.CE)
	})
	fmt.Fprintf(&b, "unigram cross-entropy of each culture:")
	for _, c := range r.Cultures {
		fmt.Fprintf(&b, "  %s %.1f", c.Name, r.Unigram[c.Name].Own)
	}
	table("\nROC-AUC of the probes on test clips (difference to the base)", func(m, c string) string {
		s := r.Probe[m][c]
		if s.MinusBase == nil {
			return fmt.Sprintf("%.3f", s.ROCAUC)
		}
		mark := " "
		if s.MinusBase.ROCAUC.Significant {
			mark = "*"
		}
		return fmt.Sprintf("%.3f (%+.3f%s)", s.ROCAUC, s.MinusBase.ROCAUC.Difference, mark)
	})
	fmt.Fprintln(&b, "* the 95 % interval does not contain 0; all others are not significant")
	fmt.Fprintf(&b, "\nlambda by probes on validation clips: %s; by masked loss, without labels: %s\n", r.Lambda.ByProbe.Choice.Lambdas, r.Lambda.ByMaskedLoss.Choice.Lambdas)
	for _, c := range r.Contrasts {
		fmt.Fprintf(&b, "%-72s %+.3f [%+.3f, %+.3f] %s\n", c.Question, c.Interval.Difference, c.Interval.Low, c.Interval.High, c.Verdict)
	}
	fmt.Fprintln(&b)
	for _, c := range r.Checks {
		word := "holds"
		if !c.Holds || math.IsNaN(c.Value) {
			word = "DOES NOT HOLD"
		}
		fmt.Fprintf(&b, "%-13s %s %.3g: %.3f\n", word, c.Statement, c.Bound, c.Value)
	}
	fmt.Fprintf(&b, "\nread %s/report.html\n", out)
	return b.String()
}
