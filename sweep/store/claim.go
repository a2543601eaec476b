package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"syncretic/sweep/search"
)

// ClaimOptions says what a worker takes.
type ClaimOptions struct {
	// Space is how points are stored; a parameter that is not active at a point is not.
	Space search.Space
	// Propose gives a point where nothing waits, as search.Sampler.Ask does. Nil: only what was enqueued is taken. It runs inside the
	// transaction, with all other workers waiting; after a lost connection it may run again.
	Propose func(history []search.Trial) (search.Proposal, error)
	// Worker is stored as the user attribute "worker".
	Worker string
	// Stale is the age of a heartbeat, by the database's clock, at which a RUNNING trial is taken away from its worker: it becomes FAIL,
	// and the same point WAITING again. 0 is never. Trials without a heartbeat are left alone.
	Stale time.Duration
	// MaxRetries is how often one point is put back because of that; below 0 without end.
	MaxRetries int
	// GiveUp is how often a point may fail, for whatever reason, before Propose sees it as PRUNED: see [SearchTrials].
	GiveUp int
	// User and System are attributes for the claimed trial.
	User, System map[string]any
}

// Claimed is what a worker got.
type Claimed struct {
	// Trial is RUNNING, with its first heartbeat. Nil where there is none now.
	Trial *Trial
	// Done tells that there never will be another: nothing waits, no worker with a heartbeat runs one that might come back, and Propose
	// says so or is nil. Otherwise wait and ask again.
	Done bool
	// Stale are the numbers of the trials that were taken from dead workers.
	Stale []int
}

// Claim takes the WAITING trial of the smallest number or, where there is none, a point that Propose gives. No two claims return the
// same trial. First it puts back the trials whose workers are dead. A waiting trial whose parameters the space cannot hold
// becomes FAIL, with the reason as its attribute "error".
func (s *Study) Claim(ctx context.Context, options ClaimOptions) (Claimed, error) {
	if options.Propose != nil { // what is known beforehand is not read under the lock
		if _, err := s.History(ctx); err != nil {
			return Claimed{}, err
		}
	}
	var claimed Claimed
	receipt := rand.Text()
	err := s.db.write(ctx, change{
		study: s.id,
		do: func(ctx context.Context, tx conn) (err error) {
			claimed, err = s.claim(ctx, tx, options, receipt)
			return err
		},
		stored: func(ctx context.Context, tx conn) (bool, error) {
			trial, err := s.claimedBy(ctx, tx, receipt)
			if trial == nil || err != nil {
				return false, err
			}
			claimed.Trial = trial
			return true, nil
		},
	})
	if err != nil {
		return Claimed{}, err
	}
	return claimed, nil
}

func (s *Study) claim(ctx context.Context, tx conn, options ClaimOptions, receipt string) (claimed Claimed, err error) {
	changed := false
	if options.Stale > 0 {
		if claimed.Stale, err = s.putBackStale(ctx, tx, options.Stale, options.MaxRetries); err != nil {
			return claimed, err
		}
		changed = len(claimed.Stale) > 0
	}
	for {
		id, found, err := s.popWaiting(ctx, tx)
		if err != nil {
			return claimed, err
		}
		if !found {
			break
		}
		changed = true
		trial, err := readTrial(ctx, tx, id, options.Space)
		if err != nil {
			return claimed, err
		}
		bad, err := s.begin(ctx, tx, trial, options, receipt)
		if err == nil && bad == nil {
			claimed.Trial = trial
		}
		if err == nil && bad != nil {
			err = s.end(ctx, tx, id, search.Fail, map[string]any{AttrError: bad.Error()})
		}
		if err != nil || claimed.Trial != nil {
			return claimed, err
		}
	}
	proposal := search.Proposal{Done: true}
	if options.Propose != nil {
		trials, err := s.readTrials(ctx, tx, false)
		if err != nil {
			return claimed, err
		}
		if proposal, err = options.Propose(SearchTrials(trials, options.GiveUp)); err != nil {
			return claimed, callerError{err}
		}
	}
	if proposal.Point == nil {
		if proposal.Done {
			var n int
			running, err := tx.one(ctx, []any{&n}, `SELECT 1 FROM trials t JOIN trial_heartbeats h ON h.trial_id = t.trial_id
				WHERE t.study_id = ? AND t.state = 'RUNNING' LIMIT 1`, s.id)
			if err != nil {
				return claimed, err
			}
			claimed.Done = !running
		}
		if !changed {
			return claimed, errUnchanged
		}
		return claimed, nil
	}
	id, number, err := s.newTrial(ctx, tx, search.Running)
	if err != nil {
		return claimed, err
	}
	trial := &Trial{ID: id, Trial: search.Trial{Number: int(number), State: search.Running, Point: proposal.Point, Tags: proposal.Tags},
		User: map[string]json.RawMessage{}, System: map[string]json.RawMessage{}}
	bad, err := s.begin(ctx, tx, trial, options, receipt)
	if bad != nil {
		return claimed, callerError{bad}
	}
	claimed.Trial = trial
	return claimed, err
}

// popWaiting makes the WAITING trial of the smallest number RUNNING. A Python worker, which takes no lock for that, may be faster:
// then the next is tried.
func (s *Study) popWaiting(ctx context.Context, tx conn) (id int64, found bool, err error) {
	for {
		found, err := tx.one(ctx, []any{&id}, "SELECT trial_id FROM trials WHERE study_id = ? AND state = 'WAITING' ORDER BY number LIMIT 1", s.id)
		if err != nil || !found {
			return 0, false, err
		}
		n, err := tx.exec(ctx, "UPDATE trials SET state = 'RUNNING' WHERE trial_id = ? AND state = 'WAITING'", id)
		if err != nil || n == 1 {
			return id, err == nil, err
		}
	}
}
