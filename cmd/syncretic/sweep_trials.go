package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"syncretic/checkpoint"
	"syncretic/checkpoint/parquet"
	"syncretic/sweep"
)

func newSweepTrials(a *app) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "trials STUDY OUT",
		Short: "Write a sweep's trials as a table: .parquet, .csv or .jsonl",
		Long: "Write a row for every trial: its parameters, value, Western mean, time and worker, and its scores on every dataset. A .jsonl file\n" +
			"has more: scores by tag with their intervals, and the merge recipe that makes the trial's model with `syncretic merge`.",
		Example: "  syncretic sweep trials out/sweep.db out/trials.parquet",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSweepTrials(cmd.Context(), a, args[0], name, args[1])
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the study's name, where the database holds several")
	return cmd
}

func runSweepTrials(ctx context.Context, a *app, where, name, out string) error {
	kind := filepath.Ext(out)
	if kind != ".parquet" && kind != ".csv" && kind != ".jsonl" {
		return usageError("%s: want a name that ends in .parquet, .csv or .jsonl", out)
	}
	if err := a.fileOutput(out, where); err != nil {
		return err
	}
	study, trials, refs, err := readStudy(ctx, a, where, name)
	if err != nil {
		return err
	}
	defer study.Close()
	var text bytes.Buffer
	switch columns := sweep.Table(study.Setup(), trials, refs); kind {
	case ".parquet":
		err = parquet.Write(&text, columns)
	case ".csv":
		err = sweep.WriteCSV(&text, columns)
	default:
		err = sweep.WriteJSONLines(&text, trials)
	}
	if err != nil {
		return err
	}
	if err := checkpoint.WriteFile(out, text.Bytes(), a.force); err != nil {
		return err
	}
	return a.result(map[string]any{"output": out, "trials": len(trials)}, fmt.Sprintf("%s: %d trials\n", out, len(trials)))
}

// readStudy opens a study and reads all that was measured.
func readStudy(ctx context.Context, a *app, where, name string) (study *sweep.Study, trials []sweep.Trial, refs sweep.References, err error) {
	if study, err = sweep.Load(ctx, where, name, storeOptions(a)...); err != nil {
		return nil, nil, refs, err
	}
	if trials, err = study.Trials(ctx); err == nil {
		refs, _, err = study.References(ctx)
	}
	if err != nil {
		_ = study.Close() // only read
		return nil, nil, refs, err
	}
	return study, trials, refs, nil
}
