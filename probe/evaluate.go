package probe

import (
	"context"
	"fmt"
	"math"

	"syncretic/probe/metric"
)

// Evaluation is a head fitted with several seeds and scored on the test items. Its JSON holds no NaN.
type Evaluation struct {
	Config HeadConfig `json:"config"` // its seed is the first
	Task   Task       `json:"task,omitempty"`
	Tags   []string   `json:"tags"`
	Runs   []Run      `json:"runs"`
	Valid  Spread     `json:"valid"`
	Test   Spread     `json:"test"`

	// TestScores are what the heads predict of the test items [items][tags], the mean over the runs: input of
	// metric.PairedBootstrap.
	TestScores [][]float64 `json:"-"`
	TestLabels [][]bool    `json:"-"` // nil of a regression
	// Heads are the fitted heads, one a run.
	Heads []*Fitted `json:"-"`
}

// Run is the result of one seed.
type Run struct {
	Seed   uint64        `json:"seed"`
	Chosen Chosen        `json:"chosen"`
	Score  *float64      `json:"score"` // test, by what Chosen.Monitor names; nil where that is undefined
	Valid  metric.Result `json:"valid"`
	Test   metric.Result `json:"test"` // F1 at the threshold chosen on valid; undefined of a regression

	Classes *metric.ClassResult      `json:"test_single_label,omitempty"` // of a single-label task
	Outputs *metric.RegressionResult `json:"test_regression,omitempty"`   // of a regression
}

// Spread sums up one split over the runs.
type Spread struct {
	ROCAUC           MeanSD `json:"roc_auc"`           // macro
	AveragePrecision MeanSD `json:"average_precision"` // macro
	MicroF1          MeanSD `json:"micro_f1"`
	MacroF1          MeanSD `json:"macro_f1"`
	Score            MeanSD `json:"score"` // by what Chosen.Monitor names
}

// MeanSD is a mean with the sample standard deviation (n-1), 0 for one run. Mean is null in JSON when undefined.
type MeanSD struct {
	Mean *float64 `json:"mean"`
	SD   float64  `json:"sd"`
}

// FitAndScore fits the head on train and valid once for each seed, as [FitSeeds] does, and then scores it on test. Logistic and ridge
// heads have no randomness: of several seeds only the first is run. Errors are Fit's, one wrapping ErrConfig for no seeds, and one
// wrapping ErrInvalid for a test split that does not fit the others, shares an item with them, or has no score.
func FitAndScore(ctx context.Context, train, valid, test Split, cfg HeadConfig, seeds []uint64) (*Evaluation, error) {
	if len(seeds) == 0 {
		return nil, fmt.Errorf("%w: no seeds", ErrConfig)
	}
	if cfg.Kind != MLP {
		seeds = seeds[:1]
	}
	if err := checkTest(train, valid, test); err != nil {
		return nil, err
	}
	cfg.Seed = seeds[0]
	out := &Evaluation{Config: cfg, Task: train.Task, Tags: train.Tags, TestLabels: test.Labels}
	heads, err := FitSeeds(ctx, train, valid, cfg, seeds)
	if err != nil {
		return nil, err
	}
	for _, head := range heads {
		if err := out.add(head, test, float64(len(seeds))); err != nil {
			return nil, err
		}
	}
	out.Valid = spread(out.Runs, func(r Run) (float64, metric.Result) { return r.Chosen.Score, r.Valid })
	out.Test = spread(out.Runs, func(r Run) (float64, metric.Result) {
		if r.Score == nil {
			return math.NaN(), r.Test
		}
		return *r.Score, r.Test
	})
	return out, nil
}

// add scores one of several heads on test.
func (e *Evaluation) add(head *Fitted, test Split, runs float64) error {
	scores, err := head.Scores(test.Features)
	if err != nil {
		return err
	}
	result, err := test.measure(scores, head.Chosen.Threshold)
	if err != nil {
		return fmt.Errorf("split %q: %w", test.Name, err)
	}
	run := Run{Seed: head.Config.Seed, Chosen: head.Chosen, Valid: head.Valid, Test: result}
	score := result.ROCAUC.Macro
	switch test.Task {
	case SingleLabel:
		r, err := metric.SingleLabel(scores, test.classes())
		if err != nil {
			return fmt.Errorf("split %q: %w", test.Name, err)
		}
		run.Classes, score = &r, r.Accuracy
	case Regression:
		r, err := metric.Regression(scores, test.Targets)
		if err != nil {
			return fmt.Errorf("split %q: %w", test.Name, err)
		}
		run.Outputs, score = &r, r.R2.Mean
	}
	if !math.IsNaN(score) {
		run.Score = &score
	}
	e.Runs, e.Heads = append(e.Runs, run), append(e.Heads, head)
	e.addScores(scores, runs)
	return nil
}

// checkTest returns an error unless the three splits fit each other.
func checkTest(train, valid, test Split) error {
	if test.Name != Test {
		return fmt.Errorf("%w: got split %q, want %q", ErrInvalid, test.Name, Test)
	}
	if err := checkPair(train, valid); err != nil {
		return err
	}
	if err := test.check(); err != nil {
		return err
	}
	for _, other := range []Split{train, valid} {
		if err := checkFit(other, test); err != nil {
			return err
		}
	}
	return nil
}

func (e *Evaluation) addScores(scores [][]float64, runs float64) {
	if e.TestScores == nil {
		e.TestScores = make([][]float64, len(scores))
		for i, row := range scores {
			e.TestScores[i] = make([]float64, len(row))
		}
	}
	for i, row := range scores {
		for t, p := range row {
			e.TestScores[i][t] += p / runs
		}
	}
}

func spread(runs []Run, of func(Run) (float64, metric.Result)) Spread {
	scores := make([]float64, len(runs))
	for i, r := range runs {
		scores[i], _ = of(r)
	}
	over := func(value func(metric.Result) float64) MeanSD {
		values := make([]float64, len(runs))
		for i, r := range runs {
			_, result := of(r)
			values[i] = value(result)
		}
		return meanSD(values)
	}
	return Spread{
		ROCAUC:           over(func(r metric.Result) float64 { return r.ROCAUC.Macro }),
		AveragePrecision: over(func(r metric.Result) float64 { return r.AveragePrecision.Macro }),
		MicroF1:          over(func(r metric.Result) float64 { return r.F1.Micro }),
		MacroF1:          over(func(r metric.Result) float64 { return r.F1.Macro }),
		Score:            meanSD(scores),
	}
}

func meanSD(values []float64) MeanSD {
	var mean, square float64
	for _, v := range values {
		mean += v / float64(len(values))
	}
	if math.IsNaN(mean) {
		return MeanSD{}
	}
	for _, v := range values {
		square += (v - mean) * (v - mean)
	}
	out := MeanSD{Mean: &mean}
	if n := len(values); n > 1 {
		out.SD = math.Sqrt(square / float64(n-1))
	}
	return out
}

// FitOn extracts the features of a dataset, of the splits that opts names (Train and Valid must be among them), and fits a
// head on Train, choosing by Valid. It returns the features too, so that a Test split among them can be scored.
func FitOn(ctx context.Context, ds *Dataset, ex Extractor, opts ExtractOptions, cfg HeadConfig) (*Fitted, *Features, error) {
	features, err := Extract(ctx, ds, ex, opts)
	if err != nil {
		return nil, nil, err
	}
	train, err := features.Split(ds, Train)
	if err != nil {
		return nil, nil, err
	}
	valid, err := features.Split(ds, Valid)
	if err != nil {
		return nil, nil, err
	}
	fitted, err := Fit(ctx, train, valid, cfg)
	return fitted, features, err
}
