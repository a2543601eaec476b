package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"syncretic/adapt/summary"
	"syncretic/checkpoint"
)

func newAdaptReport(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "report RUN OUT.html",
		Short: "Write a training run as one HTML file",
		Long: "Draw the logs of a run as one file that needs no network: loss and its parts, accuracy by codebook, learning rate, gradient,\n" +
			"speed, held-out losses beside the base's, and what the run was made of. RUN is what adapt wrote, or its folder OUT.run while\n" +
			"it goes on or after an interruption; nothing is changed there. A finished OUT holds the same page as summary.html.",
		Example: "  syncretic adapt report out/makam.run makam.html",
		Args:    cobra.ExactArgs(2),
		RunE:    func(_ *cobra.Command, args []string) error { return runAdaptReport(a, args[0], args[1]) },
	}
}

func runAdaptReport(a *app, run, out string) error {
	if !isRun(run) && isRun(run+".run") {
		run += ".run" // OUT, before it is there
	}
	if err := a.fileOutput(out, run); err != nil {
		return err
	}
	s, err := summary.Read(run)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (RUN is a folder that adapt writes, or writes to)", err)
	}
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := s.Write(&page); err != nil {
		return err
	}
	if err := checkpoint.WriteFile(out, page.Bytes(), a.force); err != nil {
		return err
	}
	done, total := s.Steps()
	return a.result(map[string]any{"output": out, "run": run, "steps": done, "of": total}, fmt.Sprintf("%s: step %d of %d of %s\n", out, done, total, run))
}

// isRun tells a folder with the log of a training.
func isRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "train.jsonl"))
	return err == nil
}
