package sweep

import (
	"context"
	"fmt"
	"math"

	"syncretic/checkpoint"
	"syncretic/sweep/search"
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
	defer func() { _ = release() }() // the process's end releases it too
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
		claimed, err := study.inner.Claim(ctx, store.ClaimOptions{Space: space.ranges()})
		if err != nil || claimed.Trial == nil {
			return err
		}
		trial, err := study.single(*claimed.Trial)
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
	err = s.inner.Enqueue(ctx, s.setup.Space.ranges(), func(rows []store.Trial) ([]store.Entry, error) {
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
			case t.State == search.Fail:
				failed[key] = append(failed[key], t.Number)
			}
		}
		var entries []store.Entry
		for _, point := range wanted {
			key := s.key(point)
			if settled[key] {
				continue
			}
			entry := store.Entry{Point: s.setup.Space.params(point)}
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
		err = fmt.Errorf("%s: trial %d: its parameters are not of this study's space: %w", s.db.Where(), row.Number, ErrInvalid)
	}
	if err != nil {
		return Trial{}, err
	}
	return trials[0], nil
}
