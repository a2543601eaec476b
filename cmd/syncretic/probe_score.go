package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"syncretic/probe"
	"syncretic/probe/metric"
)

type probeScoreOptions struct {
	scores, labels string
	task           string
	threshold      float64

	interval, against, groups string
	replicates                int
	seed                      uint64
}

func newProbeScore(a *app) *cobra.Command {
	var o probeScoreOptions
	cmd := &cobra.Command{
		Use:   "score --scores S.npy --labels Y.npy",
		Short: "Print ROC-AUC, average precision and F1 of given scores",
		Long: "Score predictions [items][tags] against 0/1 labels of the same shape, both as numpy files. Values are scikit-learn's,\n" +
			"ties included; a tag without positives or without negatives is left out of the macro ROC-AUC and counted.\n\n" +
			"--task single takes scores [items][classes] and the class of each item, [items] from 0 or one-hot, and prints accuracy and\n" +
			"macro F1; --task regression takes predictions and targets [items][outputs] and prints R2.\n\n" +
			"--interval adds 95 % bootstrap intervals over the items, or over the recordings that --groups names. --against compares with\n" +
			"another model's scores of the same items: the difference, its interval, and the p-value of a paired permutation test. Over\n" +
			"several test sets correct p-values for their number (Holm).",
		Example: "  syncretic probe score --scores scores.npy --labels labels.npy --json\n" +
			"  syncretic probe score --scores merged.npy --against base.npy --labels labels.npy --interval",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runProbeScore(a, o, cmd.Flags().Changed) },
	}
	f := cmd.Flags()
	f.StringVar(&o.scores, "scores", "", "scores or probabilities, float (required)")
	f.StringVar(&o.labels, "labels", "", "labels, bool or integer 0/1; classes or targets of other tasks (required)")
	f.StringVar(&o.task, "task", multilabelTask, "multilabel, single or regression")
	f.Float64Var(&o.threshold, "threshold", 0.5, "of F1: a tag is predicted when its score reaches it")
	f.StringVar(&o.interval, "interval", "", "add intervals: percentile (default), or bca, bias-corrected and accelerated")
	f.Lookup("interval").NoOptDefVal = "percentile"
	f.StringVar(&o.against, "against", "", "another model's scores of the same items, to compare with")
	f.StringVar(&o.groups, "groups", "", "a number for each item; items of one number are one recording and are drawn together")
	f.IntVar(&o.replicates, "replicates", 2000, "draws of an interval, and exchanges of a test")
	f.Uint64Var(&o.seed, "seed", 0, "of the draws")
	return cmd
}

// The tasks of probe score.
const (
	multilabelTask = "multilabel"
	singleTask     = "single"
	regressionTask = "regression"
)

// maxReplicates keeps the draws in memory.
const maxReplicates = 1_000_000

// certainty is what probe score adds to a result: intervals, and a comparison.
type certainty struct {
	Task      string                     `json:"task"`
	Intervals map[string]metric.Estimate `json:"intervals,omitempty"` // by statistic
	Against   *comparedScores            `json:"against,omitempty"`
}

// comparedScores is how another model scores, and by how much it is surpassed.
type comparedScores struct {
	Scores      string                     `json:"scores"`
	Result      any                        `json:"result"`
	Differences map[string]pairedStatistic `json:"differences"` // by statistic
}

// pairedStatistic is a difference with its interval and its test.
type pairedStatistic struct {
	metric.Interval
	Test metric.Permutation `json:"permutation_test"`
}

// statistic is a number of a result that can be drawn again.
type statistic struct {
	key, name string
	prepare   func(*scoreFile) (func(counts []int) float64, error)
	test      func(own, other *scoreFile, s metric.Sampling) (metric.Permutation, error)
}

func runProbeScore(a *app, o probeScoreOptions, changed func(flag string) bool) error {
	switch {
	case o.scores == "" || o.labels == "":
		return usageError("--scores and --labels are both needed")
	case o.interval != "" && o.interval != "percentile" && o.interval != "bca":
		return usageError("--interval=%s: want percentile or bca", o.interval)
	case o.replicates < 2 || o.replicates > maxReplicates:
		return usageError("--replicates %d: want 2 to %d", o.replicates, maxReplicates)
	case o.interval == "" && o.against == "" && (o.groups != "" || changed("replicates") || changed("seed")):
		return usageError("--groups, --replicates and --seed are of --interval and --against, of which neither is given")
	case o.task != multilabelTask && changed("threshold"):
		return usageError("--threshold is of --task multilabel")
	}
	truth, err := readTruth(o)
	if err != nil {
		return err
	}
	own, err := truth.score(o.scores)
	if err != nil {
		return err
	}
	extra, text := certainty{Task: o.task}, own.text
	sampling := metric.Sampling{Replicates: o.replicates, Seed: o.seed}
	if o.groups != "" {
		if sampling.Groups, err = probe.ReadGroups(o.groups); err != nil {
			return err
		}
		if len(sampling.Groups) != own.items {
			return fmt.Errorf("%s: %w: groups of %d items, %s of %d", o.groups, probe.ErrInvalid, len(sampling.Groups), o.labels, own.items)
		}
	}
	statistics := truth.statistics()
	if o.interval != "" {
		if extra.Intervals, err = intervals(own, statistics, o.interval, sampling); err != nil {
			return fmt.Errorf("%s: %w", o.scores, err)
		}
		text += intervalText(extra.Intervals, statistics)
	}
	if o.against != "" {
		if extra.Against, err = compareScores(truth, own, o.against, statistics, sampling); err != nil {
			return err
		}
		text += differenceText(*extra.Against, statistics)
	}
	return a.result(joined{own.result, extra}, text)
}

// intervals leaves out what the labels leave undefined.
func intervals(own *scoreFile, statistics []statistic, kind string, s metric.Sampling) (map[string]metric.Estimate, error) {
	estimate := metric.Bootstrap
	if kind == "bca" {
		estimate = metric.BCa
	}
	out := map[string]metric.Estimate{}
	for _, k := range statistics {
		f, err := k.prepare(own)
		if err != nil {
			return nil, err
		}
		if math.IsNaN(f(slices.Repeat([]int{1}, own.items))) {
			continue
		}
		if out[k.key], err = estimate(own.items, f, s); err != nil {
			return nil, fmt.Errorf("interval of %s: %w", k.name, err)
		}
	}
	return out, nil
}

func compareScores(truth *truth, own *scoreFile, path string, statistics []statistic, s metric.Sampling) (*comparedScores, error) {
	other, err := truth.score(path)
	if err != nil {
		return nil, err
	}
	out := &comparedScores{Scores: path, Result: other.result, Differences: map[string]pairedStatistic{}}
	for _, k := range statistics {
		a, errA := k.prepare(own)
		b, errB := k.prepare(other)
		if errA != nil || errB != nil {
			return nil, fmt.Errorf("%s: %w", path, cmp.Or(errA, errB))
		}
		if once := slices.Repeat([]int{1}, own.items); math.IsNaN(a(once) - b(once)) {
			continue
		}
		var p pairedStatistic
		if p.Interval, err = metric.Difference(own.items, a, b, s); err == nil {
			p.Test, err = k.test(own, other, s)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: difference of %s: %w", path, k.name, err)
		}
		out.Differences[k.key] = p
	}
	return out, nil
}

func intervalText(of map[string]metric.Estimate, statistics []statistic) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\n95 % interval")
	for _, k := range statistics {
		if e, ok := of[k.key]; ok {
			fmt.Fprintf(w, "%s\t%.4f\t[%.4f, %.4f]\n", k.name, e.Value, e.Low, e.High)
		}
	}
	w.Flush()
	return b.String()
}

func differenceText(c comparedScores, statistics []statistic) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nagainst %s\tdifference\t95 %% interval\tp\n", c.Scores)
	for _, k := range statistics {
		if d, ok := c.Differences[k.key]; ok {
			fmt.Fprintf(w, "%s\t%+.4f\t[%+.4f, %+.4f]\t%.4g\n", k.name, d.Difference, d.Low, d.High, d.Test.P)
		}
	}
	w.Flush()
	return b.String()
}

// score prints a value, or that the labels leave it undefined.
func score(v float64) string {
	if math.IsNaN(v) {
		return "undefined"
	}
	return fmt.Sprintf("%.4f", v)
}
