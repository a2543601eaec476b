package demo

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"syncretic/adapt"
	"syncretic/arithmetic"
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

// merges makes the sweep's models: the trained ones, heads included, are in memory already.
type merges struct {
	base    checkpoint.Source
	vectors map[string]checkpoint.Source
}

func (s *session) merges() (*merges, error) {
	m := &merges{base: s.models[modelBase], vectors: map[string]checkpoint.Source{}}
	for _, c := range s.adapted() {
		var err error
		if m.vectors[c.Name], err = s.vector(c.Name); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Model is theta_0 + sum lambda_i tau_i.
func (m *merges) Model(_ context.Context, c sweep.Choice) (checkpoint.Source, []byte, error) {
	var terms []arithmetic.Term
	for _, name := range slices.Sorted(maps.Keys(m.vectors)) {
		terms = append(terms, arithmetic.Term{Vector: m.vectors[name], Lambda: c.Lambdas[name]})
	}
	model, err := arithmetic.Combine(m.base, terms...)
	return model, nil, err
}

// Reference is the base: the rule needs no other.
func (m *merges) Reference(context.Context, sweep.Reference) (checkpoint.Source, error) {
	return m.base, nil
}

// searchLambda sweeps a shared lambda over the profile's grid. Only train and valid clips are read.
func (s *session) searchLambda(ctx context.Context, rep *Report) error {
	models, err := s.merges()
	if err != nil {
		return err
	}
	var names []string
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
	}
	setup := sweep.Setup{Space: sweep.Space{Mode: sweep.Shared, Vectors: names, Values: s.profile.Lambdas},
		Rule: sweep.Rule{Metric: sweep.ROCAUC, Rho: rho}, Seed: s.seed, Inputs: inputs, Version: s.opts.Version,
		Config: map[string]any{"profile": s.profile.Name, "head": probe.Logistic, "seconds": s.profile.ProbeSeconds, "heldout": s.profile.Heldout}}
	study, err := sweep.Open(ctx, s.path("sweep.db"), sweep.DefaultName, setup)
	if err != nil {
		return err
	}
	defer study.Close()
	evaluate, err := s.evaluator(ctx)
	if err != nil {
		return err
	}
	err = sweep.Run(ctx, study, sweep.Worker{Models: models, Evaluate: evaluate, Name: "demo", Hear: func(p sweep.Progress) {
		if p.Total > 0 {
			s.report("lambda", p.Done, p.Total, p.Trial.Choice.Lambdas.String())
		}
	}})
	if err != nil {
		return err
	}
	trials, err := study.Trials(ctx)
	if err != nil {
		return err
	}
	refs, _, err := study.References(ctx)
	if err != nil {
		return err
	}
	if rep.Lambda.ByProbe, err = setup.Rule.Select(trials, refs); err != nil {
		return err
	}
	if rep.Lambda.ByMaskedLoss, err = sweep.SelectByLoss(trials, refs); err != nil {
		return err
	}
	rep.trials, rep.setup, rep.references = trials, setup, refs
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
		points = append(points, LambdaPoint{Lambda: t.Choice.Lambdas[vector], Scores: *t.Scores,
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
	return func(ctx context.Context, merged checkpoint.Source, _ float64) (sweep.Scores, error) {
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
			scores.Tasks[c.Name] = sweep.Task{ROCAUC: fitted.Valid.ROCAUC.Macro, AveragePrecision: fitted.Valid.AveragePrecision.Macro, F1: fitted.Valid.F1.Macro, Western: c.Western}
		}
		return scores, nil
	}, nil
}

// recordTest runs the sweep's one test: base and winner, on the test clips.
func (s *session) recordTest(ctx context.Context, rep *Report) error {
	study, err := sweep.Load(ctx, s.path("sweep.db"), sweep.DefaultName)
	if err != nil {
		return err
	}
	defer study.Close()
	models, err := s.merges()
	if err != nil {
		return err
	}
	measured := func(context.Context, []string, func(string) (checkpoint.Source, error)) (sweep.HeldOut, error) {
		return sweep.HeldOut{Base: rep.testScores(s, modelBase), Winner: rep.testScores(s, modelMerged), Differences: rep.testDifferences(s)}, nil
	}
	_, err = sweep.Test(ctx, study, sweep.Worker{Models: models, Name: "demo"}, measured)
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
