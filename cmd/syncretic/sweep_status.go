package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"syncretic/sweep"
	"syncretic/sweep/search"
)

func newSweepStatus(a *app) *cobra.Command {
	var name string
	var watch bool
	var every time.Duration
	cmd := &cobra.Command{
		Use:   "status STUDY",
		Short: "Show how a sweep stands: what is done, who works on what, the best so far",
		Long: "Read a study, an SQLite file or a postgres:// URL, and show how it stands. --watch draws it again and again in the terminal\n" +
			"until all is done; with --json it then writes one object a line.",
		Example: "  syncretic sweep status out/sweep.db --watch",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if every < 100*time.Millisecond {
				return usageError("--every %v: want at least 100ms", every)
			}
			return runSweepStatus(cmd.Context(), a, args[0], name, watch, every)
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "the study's name, where the database holds several")
	f.BoolVarP(&watch, "watch", "w", false, "go on showing it until all is done")
	f.DurationVar(&every, "every", 2*time.Second, "how often --watch reads the study")
	return cmd
}

func runSweepStatus(ctx context.Context, a *app, where, name string, watch bool, every time.Duration) error {
	study, err := sweep.Load(ctx, where, name, storeOptions(a)...)
	if err != nil {
		return err
	}
	defer study.Close()
	lines := 0
	for {
		st, err := study.Status(ctx, time.Now())
		if err != nil {
			return err
		}
		text := statusText(study.Setup(), st)
		if !watch {
			return a.result(st, text)
		}
		if width := a.screen(); width > 0 && !a.json {
			text = fit(text, width)
			if lines > 0 {
				fmt.Fprintf(a.stdout, "\x1b[%dA\x1b[J", lines) // up over the last picture, and clear what is below
			}
		}
		if a.json { // an object a line, which a.result spreads over many
			line, err := json.Marshal(st)
			if err != nil {
				return err
			}
			text = string(line) + "\n"
		}
		if _, err := io.WriteString(a.stdout, text); err != nil {
			return err
		}
		lines = strings.Count(text, "\n")
		if len(st.Running) == 0 && st.Test != nil && st.Test.Scores != nil { // the test comes last
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(every):
		}
	}
}

// screen is the width of the terminal that standard output is, 0 where it is something else.
func (a *app) screen() int {
	f, ok := a.stdout.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}

// fit cuts the lines of a text to a width, so that it takes as many rows of a terminal as it has lines.
func fit(text string, width int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		b.WriteString(clip(line, width))
		if ended {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// statusText is a status for people.
func statusText(setup sweep.Setup, st sweep.Status) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, study %s: %d of %d trials done", st.Study, st.Name, st.Done, st.Total)
	for _, s := range []search.State{search.Running, search.Waiting, search.Pruned, search.Fail} {
		word := strings.ToLower(string(s))
		if s == search.Fail { // most are of workers that were killed, and are done again under another number
			word = "failed or put back"
		}
		if n := st.States[s]; n > 0 {
			fmt.Fprintf(&b, ", %d %s", n, word)
		}
	}
	if st.PerHour > 0 {
		fmt.Fprintf(&b, "; %.1f an hour, about %s left", st.PerHour, seconds(st.Left))
	}
	b.WriteByte('\n')
	if st.References[0] < st.References[1] {
		fmt.Fprintf(&b, "%d of %d reference models measured\n", st.References[0], st.References[1])
	}
	if len(st.Running) > 0 {
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "trial\tlambda\tworker\tfor\tlast heard")
		for _, r := range st.Running {
			heard := "-"
			if r.Silent >= 0 {
				heard = seconds(r.Silent) + " ago"
			}
			number := strconv.Itoa(r.Number)
			if r.Number < 0 {
				number = "-"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", number, r.What, r.Worker, seconds(r.Seconds), heard)
		}
		w.Flush()
	}
	if st.Best != nil {
		b.WriteString(bestText(setup, *st.Best))
	}
	switch t := st.Test; {
	case t != nil && t.Scores != nil:
		fmt.Fprintf(&b, "tested: %s\n", t.Selection.Reason)
	case st.Done >= st.Total && len(st.Running) == 0:
		b.WriteString("the winner is not tested yet: a worker without --trials does it\n")
	}
	return b.String()
}

// bestText is the best merge so far for people. What is not measured, as without a Western dataset, is left out.
func bestText(setup sweep.Setup, best sweep.Selection) string {
	western := func(v float64) string {
		if math.IsNaN(v) {
			return ""
		}
		return fmt.Sprintf(", Western %.4f", v)
	}
	base := fmt.Sprintf("%.4f%s\n", best.BaseMean, western(best.BaseWestern))
	if best.Trial < 0 {
		return fmt.Sprintf("best so far: the base, %s %s", setup.Rule.Metric, base)
	}
	text := fmt.Sprintf("best so far: trial %d, lambda %s: %s %.4f", best.Trial, lambdaText(best.Choice), setup.Rule.Metric, best.Mean)
	if best.Normalised {
		text += fmt.Sprintf(" (%.4f of the experts')", best.Value)
	}
	return text + western(best.Western) + "; base " + base
}
