package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"syncretic/arithmetic"
	"syncretic/checkpoint"
	"syncretic/sweep/store"
)

// Progress tells how far a run is. It comes once when a trial starts (State RUNNING) and once when it is finished.
type Progress struct {
	Done, Total int   // points of the space that are scored, and all of them
	Trial       Trial // the trial that just started or finished
}

// Run scores every point of the study's space that is not scored yet, the base first. Vectors are task vectors by the
// names of the space; base and vectors are only read. Progress may be nil.
//
// Run holds the study for itself ([ErrInUse] otherwise). Trials that a killed run left RUNNING become FAIL and are repeated
// under new numbers. When ctx is done, or evaluate fails, the trial in hand becomes FAIL with the reason, nothing else
// changes, and the error is returned; the next Run repeats it. Scored trials are never repeated.
func Run(ctx context.Context, study *Study, base checkpoint.Source, vectors map[string]checkpoint.Source,
	evaluate Evaluate, progress func(Progress)) error {
	space := study.setup.Space
	if err := space.covers(vectors); err != nil {
		return err
	}
	release, err := study.db.Lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	if _, err := study.inner.FailRunning(ctx, map[string]any{attrError: "the run was killed"}); err != nil {
		return err
	}
	points, err := study.enqueue(ctx)
	if err != nil {
		return err
	}
	w := worker{study: study, base: base, vectors: vectors, evaluate: evaluate}
	trials, err := study.Trials(ctx)
	if err != nil {
		return err
	}
	done := 0
	for i := range trials {
		if t := &trials[i]; t.Done() {
			done++
			if t.Lambdas.IsBase() {
				w.reference = t.Scores
			}
		}
	}
	report := func(t Trial) {
		if progress != nil {
			progress(Progress{Done: done, Total: points, Trial: t})
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		claimed, err := study.inner.Claim(ctx, space.ranges())
		if err != nil || claimed == nil {
			return err
		}
		trial, err := study.single(*claimed)
		if err != nil {
			return err
		}
		report(trial)
		trial, err = w.work(ctx, trial)
		if err == nil {
			done++
		}
		report(trial)
		if err != nil {
			return fmt.Errorf("trial %d (lambda %s): %w", trial.Number, trial.Lambdas, err)
		}
	}
}

// covers returns an error unless vectors holds a Source for every name of the space and no other.
func (s Space) covers(vectors map[string]checkpoint.Source) error {
	for _, name := range s.Vectors {
		if vectors[name] == nil {
			return fmt.Errorf("%w: no task vector %q was given", ErrConfig, name)
		}
	}
	if len(vectors) != len(s.Vectors) {
		return fmt.Errorf("%w: %d task vectors were given, the space scales %q", ErrConfig, len(vectors), s.Vectors)
	}
	return nil
}

// enqueue adds the points that are neither waiting, running nor scored, and returns how many points there are. The
// repetition of a failed trial says so with the system attributes that Optuna's own retry callback writes.
func (s *Study) enqueue(ctx context.Context) (points int, err error) {
	wanted, err := s.setup.Space.Points()
	if err != nil {
		return 0, err
	}
	err = s.inner.Enqueue(ctx, func(rows []store.Trial) ([]store.Entry, error) {
		existing, err := s.trials(rows)
		if err != nil {
			return nil, err
		}
		failed, settled := map[string][]int{}, map[string]bool{}
		for _, t := range existing {
			key := s.key(t.Lambdas)
			switch {
			case t.Done() || !t.State.Finished():
				settled[key] = true
			case t.State == store.Fail:
				failed[key] = append(failed[key], t.Number)
			}
		}
		var entries []store.Entry
		for _, point := range wanted {
			key := s.key(point)
			if settled[key] {
				continue
			}
			entry := store.Entry{Params: s.setup.Space.params(point)}
			if history := failed[key]; len(history) > 0 {
				entry.System = map[string]any{"failed_trial": history[0], "retry_history": history}
			}
			entries = append(entries, entry)
		}
		return entries, nil
	})
	return len(wanted), err
}

// key spells a point exactly, in the order of the space.
func (s *Study) key(l Lambdas) string {
	text := ""
	for _, name := range s.setup.Space.Vectors {
		text += fmt.Sprintf("%x ", math.Float64bits(l[name]+0)) // +0 turns -0 into 0
	}
	return text
}

func (s *Study) single(row store.Trial) (Trial, error) {
	trials, err := s.trials([]store.Trial{row})
	if err == nil && len(trials) != 1 {
		err = fmt.Errorf("%s: trial %d: its parameters are not of this study's space: %w", s.db.Path(), row.Number, ErrInvalid)
	}
	if err != nil {
		return Trial{}, err
	}
	return trials[0], nil
}

// A worker scores trials one after another. Reference is the base's scores once they are known.
type worker struct {
	study     *Study
	base      checkpoint.Source
	vectors   map[string]checkpoint.Source
	evaluate  Evaluate
	reference *Scores
}

// work merges, evaluates and stores one claimed trial.
func (w *worker) work(ctx context.Context, trial Trial) (Trial, error) {
	started := time.Now()
	scores, err := w.score(ctx, trial.Lambdas)
	trial.Duration = time.Since(started)
	setup := w.study.setup
	user := map[string]any{
		attrLambdas: trial.Lambdas, attrDuration: trial.Duration.Seconds(), attrVersion: setup.Version, attrSeed: setup.Seed,
	}
	outcome := store.Outcome{State: store.Fail, User: user}
	switch value := scores.Mean(setup.Rule.Metric, false); {
	case err != nil:
		trial.Error = err.Error()
	case math.IsNaN(value):
		trial.Error = fmt.Sprintf("the mean non-Western %s is not a number", setup.Rule.Metric)
		trial.Scores = &scores
	default:
		outcome.State, outcome.Value = store.Complete, value
		trial.Scores = &scores
	}
	if trial.Scores != nil {
		user[attrScores] = trial.Scores
		if trial.Lambdas.IsBase() {
			w.reference = trial.Scores
		}
	}
	if trial.Error != "" {
		user[attrError] = trial.Error
	}
	trial.State, trial.Version, trial.Seed = outcome.State, setup.Version, setup.Seed
	trial.Finished = time.Now()
	// The trial is stored even when ctx is done: that is what leaves the study consistent.
	return trial, errors.Join(err, w.study.inner.Finish(context.WithoutCancel(ctx), trial.id, outcome))
}

// score evaluates the merge of one point.
func (w *worker) score(ctx context.Context, lambdas Lambdas) (Scores, error) {
	model, err := w.study.setup.Space.merge(w.base, w.vectors, lambdas)
	if err != nil {
		return Scores{}, err
	}
	scores, err := w.evaluate(ctx, model)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = scores.Check()
	}
	if err == nil && w.reference != nil {
		err = scores.sameDatasets(*w.reference)
	}
	if err != nil {
		return Scores{}, err
	}
	// What is returned is what a later process will read: metrics that are not finite are NaN.
	text, err := json.Marshal(scores)
	if err != nil {
		return Scores{}, err
	}
	var stored Scores
	return stored, json.Unmarshal(text, &stored)
}

// merge is theta_0 + sum lambda_i tau_i as a lazy Source, terms in the order of the space.
func (s Space) merge(base checkpoint.Source, vectors map[string]checkpoint.Source, lambdas Lambdas) (checkpoint.Source, error) {
	terms := make([]arithmetic.Term, len(s.Vectors))
	for i, name := range s.Vectors {
		terms[i] = arithmetic.Term{Vector: vectors[name], Lambda: lambdas[name]}
	}
	return arithmetic.Combine(base, terms...)
}
