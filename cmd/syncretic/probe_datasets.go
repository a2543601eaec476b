package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"syncretic/probe"
	"syncretic/probe/dataset"
)

func newProbeDatasets(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "datasets CONFIG.yml",
		Short: "List what the datasets of a probe hold: rows, tags, positives, leaks",
		Long: "Read the metadata of every dataset of a probe's configuration and print what is found: rows, positive labels and hours by\n" +
			"split, the vocabulary with its counts, what is left out and why, and which artists or albums are in two splits. No features\n" +
			"are computed and no model is needed. Compare with what is published before a probe runs: the test splits of Papaioannou et\n" +
			"al. 2023 have rows and positives of Lyra 330 and 1,996; FMA-medium 4,996 and 7,233; MagnaTagATune (tagged) 4,332 and 14,149;\n" +
			"Turkish-makam 1,059 and 4,011; Hindustani 240 and 849; Carnatic 522 and 2,450.",
		Example: "  syncretic probe datasets examples/probe/public.yml",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return runProbeDatasets(a, args[0]) },
	}
}

func runProbeDatasets(a *app, config string) error {
	doc, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	cfg, err := probe.ParseConfig(doc)
	if err != nil {
		return fmt.Errorf("%s: %w", config, err)
	}
	found := make([]probe.Summary, 0, len(cfg.Datasets))
	var text strings.Builder
	for _, d := range cfg.Datasets {
		ds, err := probe.OpenConfig(d)
		if err != nil {
			return err
		}
		s := ds.Summary()
		found = append(found, s)
		text.WriteString(summaryText(s))
	}
	return a.result(map[string]any{"datasets": found}, text.String())
}

func summaryText(s probe.Summary) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", s.Name, s.Findings.Format)
	if s.Findings.Convention != "" {
		fmt.Fprintf(&b, " (%s)", s.Findings.Convention)
	}
	fmt.Fprintf(&b, ", %s, %d tags\n", s.Task, len(s.Tags))
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "split\trows\tpositives\tuntagged\thours\t")
	for _, p := range s.Splits {
		hours := "unknown"
		switch {
		case p.Timed == p.Rows && p.Rows > 0:
			hours = fmt.Sprintf("%.1f", p.Hours)
		case p.Timed > 0:
			hours = fmt.Sprintf("%.1f (of %d rows)", p.Hours, p.Timed)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t\n", p.Name, p.Rows, p.Positives, p.Untagged, hours)
	}
	w.Flush()
	w = tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  tag\ttrain\tvalid\ttest")
	for _, t := range s.Tags {
		fmt.Fprintf(w, "  %s\t%d\t%d\t%d\n", t.Tag, t.Train, t.Valid, t.Test)
	}
	w.Flush()
	for _, line := range findingLines(s.Findings) {
		fmt.Fprintf(&b, "%s\n", line)
	}
	return b.String() + "\n"
}

// findingLines says in words what a result must not leave unsaid.
func findingLines(f dataset.Findings) []string {
	var lines []string
	for _, l := range f.LeftOut {
		lines = append(lines, fmt.Sprintf("left out: %d rows, %s: %s", l.Count, l.Reason, firstOf(l.First, l.Count)))
	}
	for _, l := range f.Leaks {
		lines = append(lines, fmt.Sprintf("warning: %d of kind %s are in two splits or three; %d valid and test rows share theirs with train: %s",
			l.Groups, l.By, l.Rows, firstOf(l.First, l.Groups)))
	}
	for _, u := range f.Ungrouped {
		lines = append(lines, fmt.Sprintf("not compared between splits: the %s of %d rows, which the metadata does not know", u.By, u.Rows))
	}
	return lines
}

func firstOf(list []string, all int) string {
	text := strings.Join(list, ", ")
	if all > len(list) {
		text += ", ..."
	}
	return text
}
