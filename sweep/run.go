package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

// Run works on a study until no trial is left: first the reference models, then the sampler's points. Any number of workers may run at
// once, on any machines that reach the database and the inputs.
//
// A trial whose worker dies is put back by the others after Stale; when ctx is done the trial in hand is put back within seconds, and
// the error is ctx's. When Evaluate fails the trial becomes FAIL with the reason and the error is returned: what fails once would probably
// fail for every trial. Its point is the next worker's, or the next run's; one that failed or killed its worker more than Retries times is
// given up, so that the others are scored. Trials that ended are never repeated.
func Run(ctx context.Context, study *Study, w Worker) error {
	if err := w.runReferences(ctx, study); err != nil {
		return err
	}
	refs, complete, err := study.References(ctx)
	if err != nil {
		return err
	}
	if !complete { // somebody else has ended one otherwise
		return fmt.Errorf("%s: study %q: a reference model has no scores: %w", study.Where(), study.Name(), ErrNoScores)
	}
	if err := refs.check(study.setup.Rule); err != nil {
		return err
	}
	return w.runTrials(ctx, study, refs)
}

func (w Worker) runReferences(ctx context.Context, study *Study) error {
	q := &queue{Worker: w, study: study, inner: study.references, space: study.setup.referenceSpace()}
	q.ask = func(history []search.Trial) (search.Proposal, error) {
		return missingReference(len(q.space[0].Choices), history), nil
	}
	for {
		row, err := q.next(ctx)
		if err != nil || row == nil {
			return err
		}
		if err := q.reference(ctx, row); err != nil {
			return err
		}
	}
}

// missingReference proposes a reference that has failed, and is neither waiting, running nor done, once more.
func missingReference(n int, history []search.Trial) search.Proposal {
	there := map[float64]bool{}
	for _, t := range history {
		if t.State != search.Fail {
			there[t.Point[referenceParam]] = true
		}
	}
	for i := range n {
		if !there[float64(i)] {
			return search.Proposal{Point: search.Point{referenceParam: float64(i)}}
		}
	}
	return search.Proposal{Done: true}
}

func (w Worker) runTrials(ctx context.Context, study *Study, refs References) error {
	sampler, err := study.setup.sampler()
	if err != nil {
		return err
	}
	q := &queue{Worker: w, study: study, inner: study.inner, space: study.setup.Space.Params(), ask: sampler.Ask, giveUp: w.retries()}
	for n := 0; w.Trials == 0 || n < w.Trials; n++ {
		row, err := q.next(ctx)
		if err != nil || row == nil {
			return err
		}
		if err := q.trial(ctx, row, refs); err != nil {
			return fmt.Errorf("trial %d: %w", row.Number, err)
		}
	}
	return nil
}

// trial evaluates one claimed trial and stores what became of it.
func (q *queue) trial(ctx context.Context, row *store.Trial, refs References) error {
	setup := q.study.setup
	choice, ok := setup.Space.choice(row.Point)
	if !ok { // somebody enqueued it; the study's own points are of its space
		return q.finish(ctx, row.ID, store.Outcome{State: search.Fail, User: map[string]any{attrError: "its parameters are outside of what is searched"}})
	}
	started := time.Now()
	t := Trial{Number: row.Number, State: search.Running, Choice: choice, Point: row.Point, Started: started, Worker: q.Name, Version: setup.Version, Seed: setup.Seed}
	done := 0
	var outcome store.Outcome
	err := q.holding(ctx, row.ID, func(ctx context.Context) (err error) {
		if done, err = q.done(ctx); err != nil {
			return err
		}
		q.hear(Progress{Done: done, Total: max(done, setup.Total()), Trial: t})
		outcome, err = q.evaluate(ctx, row, &t, refs)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotRunning):
		q.hear(Progress{Trial: t, Taken: true})
		return nil
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		t.Error = err.Error()
		outcome = store.Outcome{State: search.Fail, User: map[string]any{attrError: t.Error, attrChoice: choice}}
	default:
		outcome.User = attributes(choice, []byte(t.Recipe), t.Part, t.Scores, t.Scores.Seconds, started)
		if t.Error != "" {
			outcome.User[attrError] = t.Error
		}
	}
	t.State, t.Values, t.Finished = outcome.State, outcome.Values, time.Now()
	if stored := q.finish(ctx, row.ID, outcome); stored != nil {
		return errors.Join(err, stored)
	}
	if outcome.State != search.Fail {
		done++
	}
	q.hear(Progress{Done: done, Total: max(done, setup.Total()), Trial: t})
	return err
}

// done counts the trials that count.
func (q *queue) done(ctx context.Context) (n int, err error) {
	trials, err := q.inner.History(ctx)
	for _, t := range trials {
		if t.State == search.Complete || t.State == search.Pruned {
			n++
		}
	}
	return n, err
}

// evaluate measures a trial, on growing parts of the data where the study halves, and fills in what it knows of it.
func (q *queue) evaluate(ctx context.Context, row *store.Trial, t *Trial, refs References) (store.Outcome, error) {
	setup := q.study.setup
	model, recipe, err := q.Models.Model(ctx, t.Choice)
	if err != nil {
		return store.Outcome{}, err
	}
	t.Recipe = string(recipe)
	parts := append(append([]float64{}, setup.Halving.Parts...), 1)
	spent := map[string]float64{}
	for rung, part := range parts {
		scores := refs.Base
		if !t.Choice.Lambdas.IsBase() || part < 1 { // the base itself is measured already
			if scores, err = q.score(ctx, model, part, &refs.Base); err != nil {
				return store.Outcome{}, err
			}
		}
		for what, s := range scores.Seconds {
			spent[what] += s
		}
		scores.Seconds = spent
		t.Scores, t.Part = &scores, part
		value := setup.Rule.Value(scores, refs)
		if part == 1 {
			return q.outcome(t, value, refs), nil
		}
		if math.IsNaN(value) {
			continue
		}
		if err := q.inner.Report(ctx, row.ID, rung, value); err != nil {
			return store.Outcome{}, err
		}
		prune, err := q.prune(ctx, row.Number, rung)
		if err != nil || prune {
			return store.Outcome{State: search.Pruned}, err
		}
	}
	return store.Outcome{}, errors.New("a trial without parts")
}

// outcome is that of a trial which was measured in full. One without a value is given up: Optuna knows no NaN.
func (q *queue) outcome(t *Trial, value float64, refs References) store.Outcome {
	setup := q.study.setup
	values := []float64{value}
	if len(setup.directions()) == 2 {
		values = append(values, t.Scores.Mean(setup.Rule.Metric, true))
	}
	for _, v := range values {
		if math.IsNaN(v) {
			t.Error = fmt.Sprintf("the mean %s is not a number", setup.Rule.Metric)
			return store.Outcome{State: search.Pruned}
		}
	}
	o := store.Outcome{State: search.Complete, Values: values}
	if setup.Rule.Constrains(refs) {
		o.Constraints = []float64{setup.Rule.Violation(*t.Scores, refs)}
	}
	return o
}

// prune asks whether a trial is to be given up after a part.
func (q *queue) prune(ctx context.Context, number, rung int) (bool, error) {
	rows, err := q.inner.History(ctx)
	if err != nil {
		return false, err
	}
	setup := q.study.setup
	h := search.Halving{Eta: setup.Halving.Eta, Direction: setup.directions()[0]}
	return h.Prune(store.SearchTrials(rows, q.giveUp), number, rung), nil
}
