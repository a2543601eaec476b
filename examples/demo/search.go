package demo

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"syncretic/adapt"
	"syncretic/checkpoint"
	"syncretic/examples/corpus"
	"syncretic/probe"
	"syncretic/sweep"
)

// rho is the share of the base's Western score that a merge must keep on validation data to be chosen.
const rho = 0.98

// LambdaReport is the search for lambda: every point of the grid, on validation data, and what two rules make of it.
type LambdaReport struct {
	Points       []LambdaPoint   `json:"points"`
	ByProbe      sweep.Selection `json:"by_probe"`       // best mean non-Western ROC-AUC subject to Western >= rho * base; this one is merged and tested
	ByMaskedLoss sweep.Selection `json:"by_masked_loss"` // smallest mean non-Western masked loss: needs no labels
}

// LambdaPoint is one lambda, shared by all four vectors, and its validation scores.
type LambdaPoint struct {
	Lambda            float64      `json:"lambda"`
	Scores            sweep.Scores `json:"scores"`
	NonWesternROCAUC  float64      `json:"non_western_roc_auc"`
	WesternROCAUC     float64      `json:"western_roc_auc"`
	NonWesternLoss    float64      `json:"non_western_masked_loss"`
	WesternMaskedLoss float64      `json:"western_masked_loss"`
}

// searchLambda sweeps a shared lambda over the profile's grid. Only train and valid clips are read.
func (s *session) searchLambda(ctx context.Context, rep *Report) error {
	names := make([]string, 0, len(s.adapted()))
	vectors := map[string]checkpoint.Source{}
	inputs := map[string]string{}
	for _, name := range append([]string{modelBase}, cultureNames(s.adapted())...) {
		hash, err := checkpoint.Hash(s.models[name])
		if err != nil {
			return err
		}
		inputs[name] = hash
		rep.Inputs[name] = hash
		if name == modelBase {
			continue
		}
		names = append(names, name)
		if vectors[name], err = s.vector(name); err != nil {
			return err
		}
	}
	setup := sweep.Setup{Space: sweep.Space{Mode: sweep.Shared, Vectors: names, Values: s.profile.Lambdas},
		Rule: sweep.Rule{Metric: sweep.ROCAUC, Rho: rho}, Seed: s.seed, Inputs: inputs, Version: s.opts.Version,
		Config: map[string]any{"profile": s.profile.Name, "head": probe.Logistic, "seconds": s.profile.ProbeSeconds, "heldout": s.profile.Heldout}}
	study, err := sweep.Open(ctx, s.path("sweep.db"), setup)
	if err != nil {
		return err
	}
	defer study.Close()
	evaluate, err := s.evaluator(ctx)
	if err != nil {
		return err
	}
	err = sweep.Run(ctx, study, s.models[modelBase], vectors, evaluate, func(p sweep.Progress) {
		s.report("lambda", p.Done, p.Total, p.Trial.Lambdas.String())
	})
	if err != nil {
		return err
	}
	trials, err := study.Trials(ctx)
	if err != nil {
		return err
	}
	if rep.Lambda.ByProbe, err = setup.Rule.Select(trials); err != nil {
		return err
	}
	if rep.Lambda.ByMaskedLoss, err = sweep.SelectByLoss(trials); err != nil {
		return err
	}
	rep.trials, rep.setup = trials, setup
	rep.Lambda.Points = lambdaPoints(trials, names[0])
	return nil
}

// lambdaPoints are the scored trials by rising lambda: an interruption repeats its trial under a later number, and must not
// change the report.
func lambdaPoints(trials []sweep.Trial, vector string) []LambdaPoint {
	var points []LambdaPoint
	for _, t := range trials {
		if t.Scores == nil {
			continue
		}
		points = append(points, LambdaPoint{Lambda: t.Lambdas[vector], Scores: *t.Scores,
			NonWesternROCAUC: t.Scores.Mean(sweep.ROCAUC, false), WesternROCAUC: t.Scores.Mean(sweep.ROCAUC, true),
			NonWesternLoss: t.Scores.Mean(sweep.MaskedLoss, false), WesternMaskedLoss: t.Scores.Mean(sweep.MaskedLoss, true)})
	}
	slices.SortStableFunc(points, func(a, b LambdaPoint) int { return cmp.Compare(a.Lambda, b.Lambda) })
	return points
}

// evaluator scores a merge on validation data: a probe a culture, and the masked loss.
func (s *session) evaluator(ctx context.Context) (sweep.Evaluate, error) {
	heldout := map[string]*adapt.Heldout{}
	datasets := map[string]*probe.Dataset{}
	for _, c := range s.cultures {
		var err error
		if heldout[c.Name], err = s.heldout(ctx, c, probe.Valid); err != nil {
			return nil, err
		}
		if datasets[c.Name], err = s.dataset(c); err != nil {
			return nil, err
		}
	}
	m, err := s.scratch()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, merged checkpoint.Source) (sweep.Scores, error) {
		if err := m.SetWeights(merged); err != nil {
			return sweep.Scores{}, err
		}
		scores := sweep.Scores{Tasks: map[string]sweep.Task{}, Losses: map[string]sweep.Loss{}}
		for _, c := range s.cultures {
			loss, err := heldout[c.Name].MaskedLoss(m)
			if err != nil {
				return scores, err
			}
			scores.Losses[c.Name] = sweep.Loss{Value: loss.Total, Western: c.Western}
			fitted, _, err := s.fit(ctx, datasets[c.Name], m.Encoder, []string{probe.Train, probe.Valid})
			if err != nil {
				return scores, err
			}
			scores.Tasks[c.Name] = sweep.Task{ROCAUC: fitted.Valid.ROCAUC.Macro, AveragePrecision: fitted.Valid.AveragePrecision.Macro, Western: c.Western}
		}
		return scores, nil
	}, nil
}

// recordTest runs the sweep's one test: base and winner, on the test clips.
func (s *session) recordTest(ctx context.Context, rep *Report) error {
	study, err := sweep.Load(ctx, s.path("sweep.db"))
	if err != nil {
		return err
	}
	defer study.Close()
	vectors := map[string]checkpoint.Source{}
	for _, c := range s.adapted() {
		if vectors[c.Name], err = s.vector(c.Name); err != nil {
			return err
		}
	}
	_, err = sweep.Test(ctx, study, s.models[modelBase], vectors, func(context.Context, checkpoint.Source, checkpoint.Source) (sweep.HeldOut, error) {
		return sweep.HeldOut{Base: rep.testScores(s, modelBase), Winner: rep.testScores(s, modelMerged), Differences: rep.testDifferences(s)}, nil
	})
	if errors.Is(err, sweep.ErrTested) {
		return nil // an earlier run of this demonstration recorded the same test
	}
	return err
}

func cultureNames(cs []corpus.Culture) []string {
	names := make([]string, len(cs))
	for i, c := range cs {
		names[i] = c.Name
	}
	return names
}
