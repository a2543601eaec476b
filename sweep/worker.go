package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"time"

	"syncretic/checkpoint"
	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

// Worker evaluates trials of a study. Models and Evaluate are required.
type Worker struct {
	Models   Models
	Evaluate Evaluate

	Name    string           // of the worker in the study, such as host:process
	Stale   time.Duration    // trials whose worker was not heard of for so long are put back; 0 means DefaultStale
	Retries int              // how often a point is tried again after its worker died or failed; 0 means DefaultRetries, negative no limit
	Trials  int              // stop after so many trials of the sweep; 0 goes on until none is left
	Hear    func(Progress)   // hears of every trial of this worker, and of waiting; may be nil
	Share   func(others int) // hears before every evaluation how many others run on this machine's name; may be nil
	Host    string           // this machine's name, the part of worker names before the colon; for Share
}

// Defaults of a [Worker].
const (
	DefaultStale   = time.Minute
	DefaultRetries = 3
)

// Progress tells how far a study is.
type Progress struct {
	Done, Total int       // trials that are finished and not failed, of all workers; and how many there are to be
	Reference   Reference // "" unless a reference model is measured
	Trial       Trial     // that started (State RUNNING) or ended
	Waiting     bool      // nothing can be claimed until other workers' trials have ended; said once a wait
	Lost        []int     // trials of dead workers that were just put back
	Taken       bool      // Trial was given to another worker, because this one was not heard of for too long
}

func (w Worker) stale() time.Duration {
	if w.Stale > 0 {
		return w.Stale
	}
	return DefaultStale
}

func (w Worker) retries() int {
	if w.Retries == 0 {
		return DefaultRetries
	}
	return w.Retries
}

func (w Worker) hear(p Progress) {
	if w.Hear != nil {
		w.Hear(p)
	}
}

// queue is a study that is worked on: the references or the trials.
type queue struct {
	Worker
	study *Study
	inner *store.Study
	space search.Space
	ask   func([]search.Trial) (search.Proposal, error) // nil where only waiting trials are taken

	giveUp int            // how often a point may fail; 0 for no limit
	system map[string]any // what claimed trials keep beside their values
}

// next claims a trial, waiting while others may still put one back; nil when none is left.
func (q *queue) next(ctx context.Context) (*store.Trial, error) {
	options := store.ClaimOptions{Space: q.space, Propose: q.ask, Worker: q.Name, Stale: q.stale(), MaxRetries: q.retries(), GiveUp: q.giveUp,
		User: map[string]any{attrVersion: q.study.setup.Version, attrSeed: q.study.setup.Seed}, System: q.system}
	waiting := false
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		claimed, err := q.claim(ctx, options)
		if err != nil {
			return nil, err
		}
		if len(claimed.Stale) > 0 {
			q.hear(Progress{Lost: claimed.Stale})
		}
		if claimed.Trial != nil {
			return claimed.Trial, nil
		}
		if claimed.Done {
			return nil, nil
		}
		if !waiting {
			waiting = true
			q.hear(Progress{Waiting: true})
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// claim is the store's, but that a worker that must end in the middle of it waits for the outcome: a trial that it got all the same is
// put back, where it would else look like one whose worker has died.
func (q *queue) claim(ctx context.Context, options store.ClaimOptions) (store.Claimed, error) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(putBackTime/2, cancel) })()
	claimed, err := q.inner.Claim(patient, options)
	if err == nil && claimed.Trial != nil && ctx.Err() != nil {
		return claimed, errors.Join(ctx.Err(), q.putBack(ctx, claimed.Trial.ID))
	}
	if ctx.Err() != nil {
		return claimed, ctx.Err()
	}
	return claimed, err
}

// putBackTime is how long a worker that must end tries to put its trial back. Slurm kills 30 s after it asked.
const putBackTime = 4 * time.Second

// holding keeps a claimed trial alive while f runs, and puts it back at once when ctx is done, whenever f returns. It returns f's error,
// or why f's result does not count: [store.ErrNotRunning] where the study gave the trial to somebody else.
func (q *queue) holding(ctx context.Context, id int64, f func(ctx context.Context) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan struct{})
	kept := make(chan error, 1)
	go func() {
		kept <- q.keep(ctx, id, ended, cancel)
	}()
	err := q.share(inner)
	if err == nil {
		err = f(inner)
	}
	close(ended)
	if lost := <-kept; lost != nil {
		return lost
	}
	if err != nil && ctx.Err() != nil { // f ended before the keeper saw why
		return errors.Join(err, q.putBack(ctx, id))
	}
	return err
}

// putBack gives a trial back, although ctx is done. One that somebody else has already needs nothing.
func (q *queue) putBack(ctx context.Context, id int64) error {
	late, done := context.WithTimeout(context.WithoutCancel(ctx), putBackTime)
	defer done()
	if err := q.inner.PutBack(late, id, "the worker was asked to end"); !errors.Is(err, store.ErrNotRunning) {
		return err
	}
	return nil
}

// share tells how many other evaluations run under this machine's name.
func (q *queue) share(ctx context.Context) error {
	if q.Share == nil {
		return nil
	}
	trials, err := q.inner.Trials(ctx)
	if err != nil {
		return err
	}
	others := 0
	for _, t := range trials {
		var name string
		if t.State == search.Running && json.Unmarshal(t.User[attrWorker], &name) == nil && name != q.Name && strings.HasPrefix(name, q.Host+":") {
			others++
		}
	}
	q.Share(others)
	return nil
}

// keep sends heartbeats until the trial has ended, is taken away, or ctx is done, when it puts the trial back.
func (q *queue) keep(ctx context.Context, id int64, ended <-chan struct{}, cancel context.CancelCauseFunc) error {
	beat := time.NewTicker(q.stale() / 6)
	defer beat.Stop()
	for {
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			return errors.Join(ctx.Err(), q.putBack(ctx, id))
		case <-beat.C:
			if err := q.inner.Heartbeat(ctx, id); err != nil && ctx.Err() == nil {
				cancel(err)
				return err
			}
		}
	}
}

// attributes are what a trial keeps beside its values.
func attributes(c Choice, recipe []byte, part float64, scores *Scores, seconds map[string]float64, started time.Time) map[string]any {
	all := map[string]float64{}
	maps.Copy(all, seconds)
	all["total"] = time.Since(started).Seconds()
	user := map[string]any{attrSeconds: all}
	if c.Method != "" {
		user[attrChoice] = c
	}
	if len(recipe) > 0 {
		user[attrRecipe] = string(recipe)
	}
	if scores != nil {
		user[attrScores], user[attrPart] = scores, part
	}
	return user
}

// score evaluates a model on a part of the data and checks what it hears.
func (q *queue) score(ctx context.Context, model checkpoint.Source, part float64, base *Scores) (Scores, error) {
	scores, err := q.Evaluate(ctx, model, part)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = scores.Check()
	}
	if err == nil && base != nil {
		err = scores.sameDatasets(*base)
	}
	return scores, err
}

// finish stores the end of a trial; one that was taken away meanwhile is no error, since somebody else has it.
func (q *queue) finish(ctx context.Context, id int64, o store.Outcome) error {
	if err := q.inner.Finish(context.WithoutCancel(ctx), id, o); err != nil && !errors.Is(err, store.ErrNotRunning) {
		return err
	}
	return nil
}

// reference measures one reference model.
func (q *queue) reference(ctx context.Context, row *store.Trial) error {
	name, ok := q.study.setup.reference(row.Point)
	if !ok {
		return fmt.Errorf("%s: reference trial %d: its parameters are not of this study: %w", q.study.Where(), row.Number, ErrInvalid)
	}
	q.hear(Progress{Reference: name, Trial: Trial{State: search.Running}})
	started := time.Now()
	var scores Scores
	err := q.holding(ctx, row.ID, func(ctx context.Context) error {
		model, err := q.Models.Reference(ctx, name)
		if err == nil {
			scores, err = q.score(ctx, model, 1, nil)
		}
		return err
	})
	if errors.Is(err, store.ErrNotRunning) {
		return nil
	}
	if err != nil {
		if ctx.Err() == nil {
			err = errors.Join(err, q.finish(ctx, row.ID, store.Outcome{State: search.Fail, User: map[string]any{attrError: err.Error()}}))
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	rule := q.study.setup.Rule
	value := orZero(mean(scores.Of(rule.Metric, false)))
	if err := q.finish(ctx, row.ID, store.Outcome{State: search.Complete, Values: []float64{value}, User: attributes(Choice{}, nil, 1, &scores, scores.Seconds, started)}); err != nil {
		return err
	}
	q.hear(Progress{Reference: name, Trial: Trial{State: search.Complete, Scores: &scores}})
	return nil
}

// orZero is a value for Optuna, which knows no NaN, of a trial that is never chosen by it: its scores say what it is.
func orZero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}
