package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
)

// app is what every verb shares: where to write, and the flags that all of them take.
type app struct {
	stdout, stderr io.Writer

	json    bool
	quiet   bool
	force   bool
	threads int
	shown   string // how progress is shown: progressAuto or progressJSON
	started bool   // flags and arguments were understood, so a later error is not one of usage
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "syncretic",
		Short: "Adapt music encoders to cultures, merge them by task arithmetic, choose lambda by probing",
		Long: "Syncretic continues the pre-training of a music encoder on one culture at a time, turns the results into task vectors,\n" +
			"merges them with scaling coefficients lambda, and chooses lambda against probe results.\n" +
			"`syncretic demo out/demo` shows all of it in a few minutes.",
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              cobra.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.start() },
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := root.PersistentFlags()
	f.BoolVar(&a.json, "json", false, "print the result as one JSON value on standard output, and nothing else there")
	f.BoolVar(&a.quiet, "quiet", false, "no progress and no log lines")
	f.StringVar(&a.shown, "progress", progressAuto, "on standard error: auto draws bars on a terminal and writes a line now and then elsewhere; json writes one JSON object a line")
	f.BoolVar(&a.force, "force", false, "replace an existing output")
	f.IntVar(&a.threads, "threads", 0, "cores to use (default: all)")
	root.AddCommand(newMerge(a), newCompare(a), newVector(a), newApply(a), newExtractLora(a), newInspect(a), newVerify(a), newConvert(a),
		newEmbed(a), newTokens(a), newAdapt(a), newProbe(a), newSweep(a), newDemo(a), newVersion(a))
	explainUsage(root)
	for _, c := range root.Commands() {
		describeExit(c)
	}
	return root
}

func (a *app) start() error {
	if a.threads < 0 {
		return usageError("--threads %d: want 1 or more, or 0 for all cores", a.threads)
	}
	if a.shown != progressAuto && a.shown != progressJSON {
		return usageError("--progress %s: want %s or %s", a.shown, progressAuto, progressJSON)
	}
	if a.threads > 0 {
		runtime.GOMAXPROCS(a.threads)
	}
	if err := checkEnvironment(); err != nil {
		return err
	}
	a.started = true
	return nil
}

// result prints a verb's result: as JSON, or as the given text.
func (a *app) result(value any, text string) error {
	if a.json {
		doc, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			return err
		}
		text = string(doc) + "\n"
	}
	if _, err := io.WriteString(a.stdout, text); err != nil {
		return fmt.Errorf("all is done, but the result could not be printed: %w", err)
	}
	return nil
}

// logf writes one log line to standard error.
func (a *app) logf(format string, args ...any) {
	switch {
	case a.quiet:
	case a.shown == progressJSON:
		a.event("log", map[string]any{"text": fmt.Sprintf(format, args...)})
	default:
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}
