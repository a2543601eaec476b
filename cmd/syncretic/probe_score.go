package main

import (
	"fmt"
	"math"

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
	return a.result(r, scoreText(r))
}

func scoreText(r metric.Result) string {
	return fmt.Sprintf("%d items, %d tags\nROC-AUC            macro %s  micro %s  (%d tags left out)\naverage precision  macro %s  micro %s\nF1 at %-11.3g  macro %s  micro %s\n",
		r.Items, r.Tags, score(r.ROCAUC.Macro), score(r.ROCAUC.Micro), r.ROCAUC.LeftOut, score(r.AveragePrecision.Macro), score(r.AveragePrecision.Micro),
		r.F1.Threshold, score(r.F1.Macro), score(r.F1.Micro))
}

// score prints a value, or that the labels leave it undefined.
func score(v float64) string {
	if math.IsNaN(v) {
		return "undefined"
	}
	return fmt.Sprintf("%.4f", v)
}
