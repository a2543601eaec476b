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
	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

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
	outcome := store.Outcome{State: search.Fail, User: user}
	switch value := scores.Mean(setup.Rule.Metric, false); {
	case err != nil:
		trial.Error = err.Error()
	case math.IsNaN(value):
		trial.Error = fmt.Sprintf("the mean non-Western %s is not a number", setup.Rule.Metric)
		trial.Scores = &scores
	default:
		outcome.State, outcome.Values = search.Complete, []float64{value}
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
