package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"syncretic/checkpoint"
	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

// ErrTested means that the study's one test has been made.
var ErrTested = errors.New("the winner was tested before: a second test would make the test set a validation set")

// ErrUnfinished means that points are left to score, so that nothing may be tested yet.
var ErrUnfinished = errors.New("the sweep is not finished")

// Winner is the winner's name among the models of a test; the others are references.
const Winner = "winner"

// EvaluateHeldOut scores models on held-out data in one call, so that differences to the first, the base, can be paired by item. They
// come one by one: a model may be read until the next is asked for.
type EvaluateHeldOut func(ctx context.Context, names []string, model func(name string) (checkpoint.Source, error)) (HeldOut, error)

// HeldOut are the test scores of the base and of the winner, and of the other references beside them.
type HeldOut struct {
	Base        Scores                `json:"base"`
	Winner      Scores                `json:"winner"`
	Differences map[string]Difference `json:"differences,omitempty"` // winner minus base, by dataset
	Others      []Measured            `json:"others,omitempty"`      // experts and the multi-culture model
}

// Measured is a model that the winner is shown beside.
type Measured struct {
	Model       Reference             `json:"model"`
	Scores      Scores                `json:"scores"`
	Differences map[string]Difference `json:"differences,omitempty"` // to the base, by dataset
}

// Difference is a model minus the base on one dataset, paired by item.
type Difference struct {
	ROCAUC           Interval `json:"roc_auc"`
	AveragePrecision Interval `json:"average_precision"`
}

// Interval is a difference with its 95 % interval; Significant when the interval does not contain 0.
type Interval struct {
	Difference  float64 `json:"difference"`
	Low         float64 `json:"low"`
	High        float64 `json:"high"`
	Significant bool    `json:"significant"`
}

// TestRecord is what the study keeps of its test.
type TestRecord struct {
	Selection Selection `json:"selection"`
	Scores    *HeldOut  `json:"scores"` // nil while the first attempt is under way, or after it failed
	Attempts  int       `json:"attempts"`
	Version   string    `json:"version"`
	Time      time.Time `json:"time"` // UTC, of the last attempt's start
}

// The attributes of a trial of the study of tests.
const (
	attrSelection = "selection"
	attrTest      = "test"
	winnerParam   = "trial" // the number of the winning trial, -1 for the base
)

// Test selects the winner by the study's rule, scores it and the references by evaluate, and records the result. It is made
// once: a second call returns the stored record and [ErrTested]; while another worker makes the test, it waits for the record. Every
// point must be scored before ([ErrUnfinished]), so that nothing can be chosen after the test was seen. An attempt that fails or is
// killed shows no scores and may be repeated, for the same winner; the record counts attempts.
func Test(ctx context.Context, study *Study, w Worker, evaluate EvaluateHeldOut) (*TestRecord, error) {
	record, err := study.Tested(ctx)
	if err != nil {
		return nil, err
	}
	if record != nil && record.Scores != nil {
		return record, ErrTested // whatever was added to the study since
	}
	selection, err := study.winner(ctx, w.retries())
	if err != nil {
		return nil, err
	}
	q := &queue{Worker: w, study: study, inner: study.tests, space: testSpace(), system: map[string]any{attrSelection: selection}}
	err = study.tests.Enqueue(ctx, q.space, func(existing []store.Trial) ([]store.Entry, error) { return study.attempt(existing, selection) })
	if err != nil {
		return nil, err
	}
	for {
		row, err := q.next(ctx)
		if err != nil {
			return nil, err
		}
		if row == nil {
			record, err := study.Tested(ctx)
			if err == nil && (record == nil || record.Scores == nil) {
				return nil, fmt.Errorf("%s: study %q: its test has failed too often", study.Where(), study.Name())
			}
			return record, errors.Join(err, ErrTested)
		}
		switch err := q.test(ctx, row, selection, evaluate); {
		case errors.Is(err, store.ErrNotRunning): // somebody else makes it, and is waited for
		case err != nil:
			return nil, fmt.Errorf("test of trial %d (lambda %s): %w", selection.Trial, selection.Choice.Lambdas, err)
		default:
			return study.Tested(ctx)
		}
	}
}

func testSpace() search.Space {
	return search.Space{{Name: winnerParam, Low: -1, High: 1e9, Integer: true}}
}

// attempt is a first attempt, or one more after a failed one; nothing while one waits, runs or is done.
func (s *Study) attempt(existing []store.Trial, selection Selection) ([]store.Entry, error) {
	for _, t := range existing {
		if was := int(t.Point[winnerParam]); was != selection.Trial {
			return nil, fmt.Errorf("%w: an attempt was made with trial %d, the winner is now trial %d", ErrTested, was, selection.Trial)
		}
		if t.State != search.Fail {
			return nil, nil
		}
	}
	return []store.Entry{{Point: search.Point{winnerParam: float64(selection.Trial)}}}, nil
}

// test makes the models, has them scored, and stores what came of it.
func (q *queue) test(ctx context.Context, row *store.Trial, selection Selection, evaluate EvaluateHeldOut) error {
	var names []string
	for _, r := range q.study.setup.references() {
		names = append(names, string(r))
		if r == Base {
			names = append(names, Winner)
		}
	}
	var scores HeldOut
	err := q.holding(ctx, row.ID, func(ctx context.Context) (err error) {
		scores, err = evaluate(ctx, names, func(name string) (checkpoint.Source, error) {
			if name == Winner && !selection.Choice.Lambdas.IsBase() {
				model, _, err := q.Models.Model(ctx, selection.Choice)
				return model, err
			}
			if name == Winner {
				name = string(Base)
			}
			return q.Models.Reference(ctx, Reference(name))
		})
		if err == nil {
			err = scores.Base.Check()
		}
		if err == nil {
			err = scores.Winner.Check()
		}
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotRunning) || err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		return errors.Join(err, q.finish(ctx, row.ID, store.Outcome{State: search.Fail, User: map[string]any{attrError: err.Error()}}))
	}
	return q.inner.Finish(context.WithoutCancel(ctx), row.ID,
		store.Outcome{State: search.Complete, Values: []float64{orZero(selection.Value)}, User: map[string]any{attrTest: scores, attrVersion: q.study.setup.Version}})
}

// winner is the rule's choice among the trials of a finished sweep.
func (s *Study) winner(ctx context.Context, retries int) (Selection, error) {
	if left, err := s.left(ctx, retries); err != nil || left != "" {
		return Selection{}, errors.Join(err, fmt.Errorf("%s: %w: %s", s.Where(), ErrUnfinished, left))
	}
	return s.Select(ctx)
}

// left says what is left to do before the test, "" when nothing is.
func (s *Study) left(ctx context.Context, retries int) (string, error) {
	rows, err := s.inner.History(ctx)
	if err != nil {
		return "", err
	}
	open, done := 0, 0
	for _, row := range rows {
		switch {
		case !row.State.Finished():
			open++
		case row.State != search.Fail:
			done++
		}
	}
	sampler, err := s.setup.sampler()
	if err != nil {
		return "", err
	}
	proposal, err := sampler.Ask(store.SearchTrials(rows, retries))
	if err != nil || open == 0 && proposal.Done {
		return "", err
	}
	return fmt.Sprintf("%d of %d trials are done, %d are open", done, s.setup.Total(), open), nil
}

// Select applies the study's rule to the trials so far.
func (s *Study) Select(ctx context.Context) (Selection, error) {
	trials, err := s.Trials(ctx)
	if err != nil {
		return Selection{}, err
	}
	refs, _, err := s.References(ctx)
	if err != nil {
		return Selection{}, err
	}
	return s.setup.Rule.Select(trials, refs)
}

// Tested reads the record of the study's test, nil when there was none.
func (s *Study) Tested(ctx context.Context) (*TestRecord, error) {
	rows, err := s.tests.Trials(ctx)
	if err != nil {
		return nil, err
	}
	var record *TestRecord
	for _, row := range rows {
		if row.State == search.Waiting {
			continue
		}
		if record == nil {
			record = new(TestRecord)
		}
		record.Attempts++
		record.Time = row.Started.UTC().Truncate(time.Second)
		for key, into := range map[string]any{attrSelection: &record.Selection, attrTest: &record.Scores, attrVersion: &record.Version} {
			stored := row.User[key]
			if key == attrSelection {
				stored = row.System[key]
			}
			if stored == nil {
				continue
			}
			if err := json.Unmarshal(stored, into); err != nil {
				return nil, fmt.Errorf("%s: test %d: attribute %q: %w: %v", s.Where(), row.Number, key, ErrInvalid, err)
			}
		}
	}
	return record, nil
}
