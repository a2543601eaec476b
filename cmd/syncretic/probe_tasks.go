package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"syncretic/probe"
	"syncretic/probe/metric"
)

// truth is what a file of labels says, of one of the tasks.
type truth struct {
	path      string
	task      string
	threshold float64     // of multilabel
	labels    [][]bool    // of multilabel
	classes   []int       // of single
	targets   [][]float64 // of regression
}

// scoreFile is a file of scores and what it comes to.
type scoreFile struct {
	truth  *truth
	scores [][]float64
	items  int
	text   string
	result any
}

func readTruth(o probeScoreOptions) (*truth, error) {
	t := &truth{path: o.labels, task: o.task, threshold: o.threshold}
	var err error
	switch o.task {
	case multilabelTask:
		t.labels, err = probe.ReadLabels(o.labels)
	case singleTask:
		t.classes, err = probe.ReadClasses(o.labels)
	case regressionTask:
		t.targets, err = probe.ReadOutputs(o.labels)
	default:
		return nil, usageError("--task %s: want multilabel, single or regression", o.task)
	}
	return t, err
}

// score reads scores and measures them.
func (t *truth) score(path string) (*scoreFile, error) {
	read := probe.ReadScores
	if t.task == regressionTask {
		read = probe.ReadOutputs
	}
	scores, err := read(path)
	if err != nil {
		return nil, err
	}
	out := &scoreFile{truth: t, scores: scores, items: len(scores)}
	switch t.task {
	case singleTask:
		var r metric.ClassResult
		r, err = metric.SingleLabel(scores, t.classes)
		out.text = fmt.Sprintf("%d items, %d classes\naccuracy  %s\nF1        macro %s  (%d classes left out)\n", r.Items, r.Classes, score(r.Accuracy), score(r.F1.Macro), r.F1.LeftOut)
		out.result = r
	case regressionTask:
		var r metric.RegressionResult
		r, err = metric.Regression(scores, t.targets)
		out.text = fmt.Sprintf("%d items, %d outputs\nR2  mean %s", r.Items, r.Outputs, score(r.R2.Mean))
		for _, v := range r.R2.PerOutput {
			out.text += "  " + score(v)
		}
		out.text += "\n"
		out.result = r
	default:
		var r metric.Result
		r, err = metric.MultiLabel(scores, t.labels, t.threshold)
		out.text = scoreText(r)
		out.result = r
	}
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", path, t.path, err)
	}
	return out, nil
}

// statistics are the numbers of the task that can be drawn again.
func (t *truth) statistics() []statistic {
	switch t.task {
	case singleTask:
		return []statistic{
			classStatistic("accuracy", "accuracy", metric.Accuracy),
			classStatistic("f1_macro", "F1 macro", metric.ClassMacroF1),
		}
	case regressionTask:
		return []statistic{plainStatistic("r2", "R2", func(s *scoreFile, rows [][]float64, repeat int) (func([]int) float64, error) {
			return metric.PrepareR2(rows, repeated(s.truth.targets, repeat))
		})}
	}
	return []statistic{
		tagStatistic("roc_auc_macro", "ROC-AUC macro", metric.MacroROCAUC),
		tagStatistic("average_precision_macro", "average precision macro", metric.MacroAveragePrecision),
		tagStatistic("f1_macro", "F1 macro", metric.F1Statistic{Average: metric.Macro, Threshold: t.threshold}),
		tagStatistic("f1_micro", "F1 micro", metric.F1Statistic{Average: metric.Micro, Threshold: t.threshold}),
	}
}

func tagStatistic(key, name string, of metric.Statistic) statistic {
	return statistic{key, name,
		func(s *scoreFile) (func([]int) float64, error) { return of.Prepare(s.scores, s.truth.labels), nil },
		func(own, other *scoreFile, s metric.Sampling) (metric.Permutation, error) {
			return metric.PairedPermutation(own.truth.labels, own.scores, other.scores, of, s)
		}}
}

func classStatistic(key, name string, of metric.ClassStatistic) statistic {
	return plainStatistic(key, name, func(s *scoreFile, rows [][]float64, repeat int) (func([]int) float64, error) {
		return of.Prepare(rows, repeated(s.truth.classes, repeat))
	})
}

// plainStatistic is one that needs no care in the test: of rows against the truth repeated as often.
func plainStatistic(key, name string, prepare func(s *scoreFile, rows [][]float64, repeat int) (func([]int) float64, error)) statistic {
	return statistic{key, name,
		func(s *scoreFile) (func([]int) float64, error) { return prepare(s, s.scores, 1) },
		func(own, other *scoreFile, s metric.Sampling) (metric.Permutation, error) {
			if len(own.scores[0]) != len(other.scores[0]) {
				return metric.Permutation{}, fmt.Errorf("%w: %d columns, want %d as in the other", metric.ErrInvalid, len(other.scores[0]), len(own.scores[0]))
			}
			pooled, err := prepare(own, append(own.scores[:len(own.scores):len(own.scores)], other.scores...), 2)
			if err != nil {
				return metric.Permutation{}, err
			}
			return metric.Exchange(own.items, pooled, s)
		}}
}

func repeated[T any](all []T, times int) []T {
	out := make([]T, 0, times*len(all))
	for range times {
		out = append(out, all...)
	}
	return out
}

func scoreText(r metric.Result) string {
	return fmt.Sprintf("%d items, %d tags\nROC-AUC            macro %s  micro %s  (%d tags left out)\naverage precision  macro %s  micro %s\nF1 at %-11.3g  macro %s  micro %s\n",
		r.Items, r.Tags, score(r.ROCAUC.Macro), score(r.ROCAUC.Micro), r.ROCAUC.LeftOut, score(r.AveragePrecision.Macro), score(r.AveragePrecision.Micro),
		r.F1.Threshold, score(r.F1.Macro), score(r.F1.Micro))
}

// joined are structs whose members become those of one JSON object, in this order.
type joined []any

// MarshalJSON implements json.Marshaler.
func (j joined) MarshalJSON() ([]byte, error) {
	var members [][]byte
	for _, part := range j {
		doc, err := json.Marshal(part)
		if err != nil {
			return nil, err
		}
		members = append(members, bytes.TrimSuffix(bytes.TrimPrefix(doc, []byte("{")), []byte("}")))
	}
	return slices.Concat([]byte("{"), bytes.Join(members, []byte(",")), []byte("}")), nil
}
