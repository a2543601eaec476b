package demo

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"syncretic/adapt/audio"
	"syncretic/adapt/mert"
	"syncretic/examples/corpus"
	"syncretic/probe"
	"syncretic/probe/metric"
	"syncretic/sweep"
)

// Score is one model's probe on one culture's test clips.
type Score struct {
	ROCAUC           float64            `json:"roc_auc"`           // macro over tags
	AveragePrecision float64            `json:"average_precision"` // macro over tags
	F1               float64            `json:"f1_macro"`          // at the threshold tuned on validation
	L2               float64            `json:"l2"`                // chosen on validation
	MinusBase        *PairedInterval    `json:"minus_base,omitempty"`
	Groups           map[string]float64 `json:"roc_auc_by_tag_group"` // mean over the tags of a group: mode, rhythm or instrument
}

// PairedInterval is a difference to the base on the same clips with its bootstrap interval.
type PairedInterval struct {
	ROCAUC           metric.Interval `json:"roc_auc"`
	AveragePrecision metric.Interval `json:"average_precision"`
}

// tested is what the intervals are computed from.
type tested struct {
	labels [][]bool
	scores [][]float64
}

// dataset is a culture's clips, of which the probes hear the first ProbeSeconds, with the tags of mode, rhythm and instrument.
// Ornaments are left out: in clips so short not even the mean and deviation of the spectrum, from which modes and instruments
// are told well, tells them.
func (s *session) dataset(c corpus.Culture) (*probe.Dataset, error) {
	entries, err := audio.ReadManifest(s.manifests[c.Name])
	if err != nil {
		return nil, err
	}
	for i := range entries {
		entries[i].End = s.profile.ProbeSeconds
		entries[i].Tags = slices.DeleteFunc(entries[i].Tags, func(tag string) bool { return strings.HasPrefix(tag, "ornament:") })
	}
	return probe.NewDataset(c.Name, entries, probe.DatasetOptions{})
}

// fit extracts the features of the given splits (nil for all) and fits the logistic head on train, choosing by valid.
func (s *session) fit(ctx context.Context, ds *probe.Dataset, enc *mert.Encoder, splits []string) (*probe.Fitted, *probe.Features, error) {
	head := probe.DefaultHead()
	head.Kind = probe.Logistic
	return probe.FitOn(ctx, ds, enc, probe.ExtractOptions{Splits: splits}, head)
}

// probeModels fits a probe for every model and culture and scores it on the test clips, once.
func (s *session) probeModels(ctx context.Context, rep *Report) error {
	order := s.order()
	for i, name := range order {
		rep.Probe[name] = map[string]Score{}
		rep.tested[name] = map[string]tested{}
		for _, c := range s.cultures {
			ds, err := s.dataset(c)
			if err != nil {
				return err
			}
			fitted, features, err := s.fit(ctx, ds, s.models[name].Encoder, nil)
			if err != nil {
				return fmt.Errorf("%s on %s: %w", name, c.Name, err)
			}
			test, err := features.Split(ds, probe.Test)
			if err != nil {
				return err
			}
			scores, err := fitted.Scores(test.Features)
			if err != nil {
				return err
			}
			result, err := metric.MultiLabel(scores, test.Labels, fitted.Chosen.Threshold)
			if err != nil {
				return err
			}
			rep.tested[name][c.Name] = tested{test.Labels, scores}
			rep.Probe[name][c.Name] = Score{ROCAUC: result.ROCAUC.Macro, AveragePrecision: result.AveragePrecision.Macro, F1: result.F1.Macro,
				L2: fitted.Chosen.L2, Groups: byGroup(ds.Tags, result.ROCAUC.PerTag)}
		}
		s.report("probes", i+1, len(order), name)
	}
	if err := s.compare(rep); err != nil {
		return err
	}
	return s.recordTest(ctx, rep)
}

// byGroup averages per-tag values over the tags with one prefix, such as "mode:". Undefined values are left out.
func byGroup(tags []string, values []float64) map[string]float64 {
	sum, n := map[string]float64{}, map[string]float64{}
	for i, tag := range tags {
		for j := range tag {
			if tag[j] == ':' && !math.IsNaN(values[i]) {
				sum[tag[:j]] += values[i]
				n[tag[:j]]++
			}
		}
	}
	for g := range sum {
		sum[g] /= n[g]
	}
	return sum
}

func (r *Report) testScores(s *session, model string) sweep.Scores {
	scores := sweep.Scores{Tasks: map[string]sweep.Task{}, Losses: map[string]sweep.Loss{}}
	for _, c := range s.cultures {
		p := r.Probe[model][c.Name]
		scores.Tasks[c.Name] = sweep.Task{ROCAUC: p.ROCAUC, AveragePrecision: p.AveragePrecision, F1: p.F1, Western: c.Western}
		scores.Losses[c.Name] = sweep.Loss{Value: r.MaskedLoss[model][c.Name].Total, Western: c.Western}
	}
	return scores
}

func (r *Report) testDifferences(s *session) map[string]sweep.Difference {
	convert := func(i metric.Interval) sweep.Interval {
		return sweep.Interval{Difference: i.Difference, Low: i.Low, High: i.High, Significant: i.Significant}
	}
	ds := map[string]sweep.Difference{}
	for _, c := range s.cultures {
		if d := r.Probe[modelMerged][c.Name].MinusBase; d != nil {
			ds[c.Name] = sweep.Difference{ROCAUC: convert(d.ROCAUC), AveragePrecision: convert(d.AveragePrecision)}
		}
	}
	return ds
}
