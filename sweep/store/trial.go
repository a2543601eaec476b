package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// State is the state of a trial, spelt as Optuna spells it.
type State string

// The states of a trial, in the order it passes through them. Optuna's PRUNED is read but never written here.
const (
	Waiting  State = "WAITING"
	Running  State = "RUNNING"
	Complete State = "COMPLETE"
	Pruned   State = "PRUNED"
	Fail     State = "FAIL"
)

// Finished reports whether a trial in this state can no longer change.
func (s State) Finished() bool { return s == Complete || s == Pruned || s == Fail }

// Trial is one row of the queue with everything that belongs to it.
type Trial struct {
	ID       int64
	Number   int // position in the study, from 0
	State    State
	Params   map[string]float64         // as claimed; while WAITING, as enqueued
	Value    float64                    // NaN unless COMPLETE
	User     map[string]json.RawMessage // user attributes
	System   map[string]json.RawMessage // system attributes
	Started  time.Time                  // zero while WAITING; local
	Finished time.Time                  // zero until finished; local
}

// Entry is a trial to be enqueued: fixed parameters, and the system attributes to keep beside them.
type Entry struct {
	Params map[string]float64
	System map[string]any
}

// Range is the interval [Low, High] that a parameter is searched in.
type Range struct{ Low, High float64 }

// Outcome is how a trial ended. Value is stored only when State is [Complete], and must not be NaN.
type Outcome struct {
	State State
	Value float64
	User  map[string]any
}

// ErrNotRunning marks a trial that is finished already, or was never claimed.
var ErrNotRunning = errors.New("trial is not running")

// Enqueue adds the trials that plan returns, WAITING, numbered on from the last. Plan sees every trial there is,
// inside the same transaction: two processes that plan at once do not enqueue twice.
func (s *Study) Enqueue(ctx context.Context, plan func(existing []Trial) ([]Entry, error)) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		existing, err := s.readTrials(ctx, tx)
		if err != nil {
			return err
		}
		entries, err := plan(existing)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			id, err := insert(ctx, tx, "INSERT INTO trials (number, study_id, state) VALUES (?, ?, ?)",
				len(existing)+i, s.id, string(Waiting))
			if err != nil {
				return err
			}
			system := map[string]any{"fixed_params": entry.Params}
			for key, value := range entry.System {
				system[key] = value
			}
			if err := setAttributes(ctx, tx, "trial_system_attributes", "trial_id", id, system); err != nil {
				return err
			}
		}
		return nil
	})
}

// Claim takes the WAITING trial of the smallest number: it becomes RUNNING with its parameters stored under the given
// ranges. No two claims return the same trial. It returns nil when nothing waits, and an error for a waiting trial
// whose parameters are not exactly those of ranges.
func (s *Study) Claim(ctx context.Context, ranges map[string]Range) (*Trial, error) {
	var claimed *Trial
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		claimed = nil
		var id int64
		err := tx.QueryRowContext(ctx, `UPDATE trials SET state = ?, datetime_start = ? WHERE trial_id =
			(SELECT trial_id FROM trials WHERE study_id = ? AND state = ? ORDER BY number LIMIT 1) RETURNING trial_id`,
			string(Running), stamp(s.db.now()), s.id, string(Waiting)).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		trials, err := s.readTrials(ctx, tx)
		if err != nil {
			return err
		}
		for i := range trials {
			if trials[i].ID == id {
				claimed = &trials[i]
			}
		}
		return fixParams(ctx, tx, claimed, ranges)
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// fixParams writes the claimed trial's parameters with their distributions. A value outside of its range, which somebody
// else must have enqueued, widens it: Optuna wants values inside.
func fixParams(ctx context.Context, tx *sql.Tx, trial *Trial, ranges map[string]Range) error {
	if len(trial.Params) != len(ranges) {
		return fmt.Errorf("trial %d: %d parameters, want %d", trial.Number, len(trial.Params), len(ranges))
	}
	for _, name := range sortedKeys(ranges) {
		value, ok := trial.Params[name]
		if !ok {
			return fmt.Errorf("trial %d: no parameter %q", trial.Number, name)
		}
		r := ranges[name]
		distribution, err := floatDistribution(Range{min(r.Low, value), max(r.High, value)})
		if err != nil {
			return fmt.Errorf("trial %d: parameter %q: %w", trial.Number, name, err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
			VALUES (?, ?, ?, ?)`, trial.ID, name, value, distribution)
		if err != nil {
			return err
		}
	}
	return nil
}

// Finish ends a RUNNING trial; any other trial is [ErrNotRunning]. A NaN value cannot be stored as COMPLETE (Optuna
// refuses it): such a trial must be given as [Fail], its reason among the user attributes.
func (s *Study) Finish(ctx context.Context, id int64, outcome Outcome) error {
	if !outcome.State.Finished() {
		return fmt.Errorf("trial id %d: state %s does not finish a trial", id, outcome.State)
	}
	if outcome.State == Complete && math.IsNaN(outcome.Value) {
		return fmt.Errorf("trial id %d: value is NaN", id)
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "UPDATE trials SET state = ?, datetime_complete = ? WHERE trial_id = ? AND study_id = ? AND state = ?",
			string(outcome.State), stamp(s.db.now()), id, s.id, string(Running))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, fmt.Errorf("trial id %d: %w", id, ErrNotRunning))
		}
		if outcome.State == Complete {
			value, kind := encodeValue(outcome.Value)
			_, err = tx.ExecContext(ctx, "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?, 0, ?, ?)", id, value, kind)
			if err != nil {
				return err
			}
		}
		return setAttributes(ctx, tx, "trial_user_attributes", "trial_id", id, outcome.User)
	})
}

// FailRunning marks every RUNNING trial FAIL with the given user attributes and returns how many there were. It is for
// the holder of [DB.Lock], to whom a RUNNING trial can only be the remains of a process that died.
func (s *Study) FailRunning(ctx context.Context, user map[string]any) (int, error) {
	trials, err := s.Trials(ctx)
	if err != nil {
		return 0, err
	}
	failed := 0
	for _, t := range trials {
		if t.State != Running {
			continue
		}
		if err := s.Finish(ctx, t.ID, Outcome{State: Fail, User: user}); err != nil {
			return failed, err
		}
		failed++
	}
	return failed, nil
}

// write is DB.write with the database's name in the error.
func (s *Study) write(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	if err := s.db.write(ctx, f); err != nil {
		return classify(s.db.path, err)
	}
	return nil
}
