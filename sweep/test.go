package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"syncretic/checkpoint"
)

// ErrTested means that the study's one test has been made.
var ErrTested = errors.New("the winner was tested before: a second test would make the test set a validation set")

// EvaluateHeldOut scores base and winner on held-out data, both in one call so that differences can be paired by item.
type EvaluateHeldOut func(ctx context.Context, base, winner checkpoint.Source) (HeldOut, error)

// HeldOut are the test scores of the base and of the winner.
type HeldOut struct {
	Base        Scores                `json:"base"`
	Winner      Scores                `json:"winner"`
	Differences map[string]Difference `json:"differences,omitempty"` // by dataset
}

// Difference is winner minus base on one dataset, paired by item.
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
	Scores    *HeldOut  `json:"scores"` // nil while the first attempt is under way, or after it was killed
	Attempts  int       `json:"attempts"`
	Version   string    `json:"version"`
	Time      time.Time `json:"time"` // UTC, of the last attempt's start
}

// attrTest is the study's user attribute that holds the TestRecord.
const attrTest = "test"

// Test selects the winner by the study's rule, scores it and the base by evaluate, and records the result. It is made
// once: a second call returns the stored record and [ErrTested]. Every point must be scored before, so that nothing can be
// chosen after the test was seen. An attempt that fails or is killed shows no scores and may be repeated, for the same
// winner; the record counts attempts.
func Test(ctx context.Context, study *Study, base checkpoint.Source, vectors map[string]checkpoint.Source, evaluate EvaluateHeldOut) (*TestRecord, error) {
	if err := study.setup.Space.covers(vectors); err != nil {
		return nil, err
	}
	release, err := study.db.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = release() }() // the process's end releases it too
	selection, err := study.winner(ctx)
	if err != nil {
		return nil, err
	}
	record := &TestRecord{Selection: selection, Version: study.setup.Version, Time: time.Now().UTC().Truncate(time.Second)}
	err = study.inner.Update(ctx, attrTest, func(old json.RawMessage) (any, error) {
		if old == nil {
			record.Attempts = 1
			return record, nil
		}
		var before TestRecord
		if err := json.Unmarshal(old, &before); err != nil {
			return nil, fmt.Errorf("attribute %q: %w: %v", attrTest, ErrInvalid, err)
		}
		if before.Scores != nil {
			*record = before
			return nil, ErrTested
		}
		if !before.Selection.Lambdas.Equal(selection.Lambdas) {
			return nil, fmt.Errorf("%w: an attempt was made with lambda %s, the winner is now %s", ErrTested, before.Selection.Lambdas, selection.Lambdas)
		}
		record.Attempts = before.Attempts + 1
		return record, nil
	})
	if errors.Is(err, ErrTested) {
		return record, err
	}
	if err != nil {
		return nil, err
	}
	merged, err := study.setup.Space.merge(base, vectors, selection.Lambdas)
	if err != nil {
		return nil, err
	}
	scores, err := evaluate(ctx, base, merged)
	if err == nil {
		err = errors.Join(scores.Base.Check(), scores.Winner.Check())
	}
	if err != nil {
		return nil, fmt.Errorf("test of trial %d (lambda %s): %w", selection.Trial, selection.Lambdas, err)
	}
	record.Scores = &scores
	return record, study.inner.Update(context.WithoutCancel(ctx), attrTest, func(json.RawMessage) (any, error) { return record, nil })
}

// winner is the rule's choice among the trials of a finished sweep.
func (s *Study) winner(ctx context.Context) (Selection, error) {
	trials, err := s.Trials(ctx)
	if err != nil {
		return Selection{}, err
	}
	points, err := s.setup.Space.Points()
	if err != nil {
		return Selection{}, err
	}
	scored := map[string]bool{}
	for _, t := range trials {
		if t.Done() {
			scored[s.key(t.Lambdas)] = true
		}
	}
	if len(scored) < len(points) {
		return Selection{}, fmt.Errorf("%s: %d of %d points are scored: finish the sweep before the test", s.db.Where(), len(scored), len(points))
	}
	return s.setup.Rule.Select(trials)
}

// Tested reads the record of the study's test, nil when there was none.
func (s *Study) Tested(ctx context.Context) (*TestRecord, error) {
	attributes, err := s.inner.Attributes(ctx)
	if err != nil || attributes[attrTest] == nil {
		return nil, err
	}
	record := new(TestRecord)
	if err := json.Unmarshal(attributes[attrTest], record); err != nil {
		return nil, fmt.Errorf("%s: study attribute %q: %w: %v", s.db.Where(), attrTest, ErrInvalid, err)
	}
	return record, nil
}
