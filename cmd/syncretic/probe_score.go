package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"syncretic/probe"
	"syncretic/probe/metric"
)

type probeScoreOptions struct {
	scores, labels string
	threshold      float64
}

func newProbeScore(a *app) *cobra.Command {
	var o probeScoreOptions
	cmd := &cobra.Command{
		Use:   "score --scores S.npy --labels Y.npy",
		Short: "Print ROC-AUC, average precision and F1 of given scores",
		Long: "Score predictions [items][tags] against 0/1 labels of the same shape, both as numpy files. Values are scikit-learn's,\n" +
			"ties included; a tag without positives or without negatives is left out of the macro ROC-AUC and counted.",
		Example: "  syncretic probe score --scores scores.npy --labels labels.npy --json",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return runProbeScore(a, o) },
	}
	cmd.Flags().StringVar(&o.scores, "scores", "", "scores or probabilities, float (required)")
	cmd.Flags().StringVar(&o.labels, "labels", "", "labels, bool or integer 0/1 (required)")
	cmd.Flags().Float64Var(&o.threshold, "threshold", 0.5, "of F1: a tag is predicted when its score reaches it")
	return cmd
}

func runProbeScore(a *app, o probeScoreOptions) error {
	if o.scores == "" || o.labels == "" {
		return usageError("--scores and --labels are both needed")
	}
	scores, err := probe.ReadScores(o.scores)
	if err != nil {
		return err
	}
	labels, err := probe.ReadLabels(o.labels)
	if err != nil {
		return err
	}
	r, err := metric.MultiLabel(scores, labels, o.threshold)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", o.scores, o.labels, err)
	}
	return a.result(r, fmt.Sprintf("%d items, %d tags\nROC-AUC            macro %.4f  micro %.4f  (%d tags left out)\naverage precision  macro %.4f  micro %.4f\nF1 at %-11.3g  macro %.4f  micro %.4f\n",
		r.Items, r.Tags, r.ROCAUC.Macro, r.ROCAUC.Micro, r.ROCAUC.LeftOut, r.AveragePrecision.Macro, r.AveragePrecision.Micro, r.F1.Threshold, r.F1.Macro, r.F1.Micro))
}
