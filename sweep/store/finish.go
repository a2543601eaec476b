package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"maps"
	"math"
	"time"

	"syncretic/sweep/search"
)

// Finish ends a RUNNING trial, once; any other trial is [ErrNotRunning]. State, values and attributes are stored together.
func (s *Study) Finish(ctx context.Context, id int64, outcome Outcome) error {
	if err := s.check(outcome); err != nil {
		return fmt.Errorf("%s: trial id %d: %w", s.db.Where(), id, err)
	}
	system := maps.Clone(outcome.System)
	if outcome.Constraints != nil {
		if system == nil {
			system = map[string]any{}
		}
		system[attrConstraints] = outcome.Constraints
	}
	return s.ending(ctx, change{}, id, func(ctx context.Context, tx conn) error {
		if err := s.end(ctx, tx, id, outcome.State, outcome.User); err != nil {
			return err
		}
		for i, v := range outcome.Values {
			value, kind := encodeValue(v)
			_, err := tx.exec(ctx, "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?, ?, ?, ?)", id, i, value, kind)
			if err != nil {
				return err
			}
		}
		return setAttributes(ctx, tx, "trial_system", id, system)
	})
}

func (s *Study) check(o Outcome) error {
	switch {
	case !o.State.Finished():
		return fmt.Errorf("state %s does not finish a trial", o.State)
	case o.State == search.Complete && len(o.Values) != len(s.directions), len(o.Values) > 0 && len(o.Values) != len(s.directions):
		return fmt.Errorf("%d values, the study has %d objectives", len(o.Values), len(s.directions))
	case o.State == search.Fail && len(o.Values) > 0:
		return fmt.Errorf("state %s has no values", o.State)
	}
	for _, v := range o.Values {
		if math.IsNaN(v) {
			return fmt.Errorf("value is NaN")
		}
	}
	return nil
}

// ending runs a change that ends a trial, which keeps its receipt.
func (s *Study) ending(ctx context.Context, c change, id int64, do func(ctx context.Context, tx conn) error) error {
	receipt := rand.Text()
	c.do = func(ctx context.Context, tx conn) error {
		if err := do(ctx, tx); err != nil {
			return err
		}
		return setAttributes(ctx, tx, "trial_system", id, map[string]any{attrEnd: receipt})
	}
	c.stored = func(ctx context.Context, tx conn) (bool, error) {
		if tx.await != "" { // the lost transaction may be about to commit
			if _, err := tx.exec(ctx, tx.await, id); err != nil {
				return false, err
			}
		}
		return hasAttribute(ctx, tx, "trial_system", id, attrEnd, receipt)
	}
	return s.db.write(ctx, c)
}

// end makes a RUNNING trial one in another state.
func (s *Study) end(ctx context.Context, tx conn, id int64, state search.State, user map[string]any) error {
	n, err := tx.exec(ctx, "UPDATE trials SET state = ?, datetime_complete = ? WHERE trial_id = ? AND study_id = ? AND state = 'RUNNING'",
		string(state), stamp(s.db.now()), id, s.id)
	if err != nil {
		return err
	}
	if n != 1 {
		return fmt.Errorf("trial id %d: %w", id, ErrNotRunning)
	}
	return setAttributes(ctx, tx, "trial_user", id, user)
}

// Report stores the first objective after a part of the evaluation of a RUNNING trial, over an earlier report of that step. NaN is
// legal. Any other trial is [ErrNotRunning].
func (s *Study) Report(ctx context.Context, id int64, step int, v float64) error {
	value, kind := encodeValue(v)
	return s.running(ctx, id, func(ctx context.Context, tx conn) (int64, error) {
		return tx.exec(ctx, `INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
			SELECT trial_id, CAST(? AS INTEGER), CAST(? AS DOUBLE PRECISION), `+enumerated(tx, "trialintermediatevaluetype")+`
			FROM trials WHERE trial_id = ? AND study_id = ? AND state = 'RUNNING'
			ON CONFLICT (trial_id, step) DO UPDATE SET intermediate_value = excluded.intermediate_value,
			intermediate_value_type = excluded.intermediate_value_type`, step, value, kind, id, s.id)
	})
}

// enumerated is an argument of one of the schema's enumerations.
func enumerated(c conn, name string) string {
	if c.enums {
		return "CAST(? AS " + name + ")"
	}
	return "?"
}

// Heartbeat says that the trial's worker lives. [ErrNotRunning] tells the worker that the trial was taken away from it, or that it is
// finished: to go on would be wasted.
func (s *Study) Heartbeat(ctx context.Context, id int64) error {
	return s.running(ctx, id, func(ctx context.Context, tx conn) (int64, error) { return beat(ctx, tx, id, s.id) })
}

// beat sets the heartbeat of a RUNNING trial to the database's time.
func beat(ctx context.Context, tx conn, id, study int64) (int64, error) {
	return tx.exec(ctx, `INSERT INTO trial_heartbeats (trial_id, heartbeat)
		SELECT trial_id, `+tx.clock+` FROM trials WHERE trial_id = ? AND study_id = ? AND state = 'RUNNING'
		ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat`, id, study)
}

// running runs a statement that changes a row where the trial is RUNNING.
func (s *Study) running(ctx context.Context, id int64, do func(ctx context.Context, tx conn) (int64, error)) error {
	return s.db.write(ctx, change{do: func(ctx context.Context, tx conn) error {
		n, err := do(ctx, tx)
		if err == nil && n != 1 {
			err = fmt.Errorf("trial id %d: %w", id, ErrNotRunning)
		}
		return err
	}})
}

// Running tells for every RUNNING trial, by its id, how old its last heartbeat is by the database's clock; -1 where it has none.
func (s *Study) Running(ctx context.Context) (ages map[int64]time.Duration, err error) {
	err = s.db.read(ctx, func(ctx context.Context, q conn) error {
		ages = map[int64]time.Duration{}
		return q.each(ctx, func(rows *sql.Rows) error {
			var id int64
			var seconds sql.NullFloat64
			err := rows.Scan(&id, &seconds)
			ages[id] = -1
			if seconds.Valid {
				ages[id] = max(0, time.Duration(seconds.Float64*float64(time.Second)))
			}
			return err
		}, "SELECT t.trial_id, "+q.age+` FROM trials t LEFT JOIN trial_heartbeats h ON h.trial_id = t.trial_id
			WHERE t.study_id = ? AND t.state = 'RUNNING'`, s.id)
	})
	return ages, err
}
