package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"syncretic/sweep/search"
)

// PutBack gives a RUNNING trial back, as a worker does that is told to end: the trial becomes FAIL, its attribute "error" the reason,
// and the same point WAITING again at once. It counts as no retry. Any other trial is [ErrNotRunning]. A worker
// that has only seconds left gives a context that ends.
func (s *Study) PutBack(ctx context.Context, id int64, reason string) error {
	return s.ending(ctx, change{study: s.id}, id, func(ctx context.Context, tx conn) error {
		if err := s.end(ctx, tx, id, search.Fail, map[string]any{AttrError: reason}); err != nil {
			return err
		}
		_, err := s.again(ctx, tx, id, attrPutBack, -1)
		return err
	})
}

// putBackStale makes the RUNNING trials FAIL whose heartbeats are older than stale, and their points WAITING again, each at most
// retries times (below 0 without end). It returns their numbers.
func (s *Study) putBackStale(ctx context.Context, tx conn, stale time.Duration, retries int) (numbers []int, err error) {
	if tx.uptime != "" { // while the server was away nobody could give a heartbeat
		var up float64
		if _, err := tx.one(ctx, []any{&up}, tx.uptime); err != nil || up < stale.Seconds() {
			return nil, err
		}
	}
	type dead struct {
		id     int64
		number int
		age    float64
	}
	var found []dead
	err = tx.each(ctx, func(rows *sql.Rows) error {
		var d dead
		err := rows.Scan(&d.id, &d.number, &d.age)
		found = append(found, d)
		return err
	}, "SELECT t.trial_id, t.number, "+tx.age+` FROM trials t JOIN trial_heartbeats h ON h.trial_id = t.trial_id
		WHERE t.study_id = ? AND t.state = 'RUNNING' AND `+tx.age+" > ? ORDER BY t.number", s.id, stale.Seconds())
	if err != nil {
		return nil, err
	}
	for _, d := range found {
		reason := fmt.Sprintf("no heartbeat for %.0f s", d.age)
		switch err := s.end(ctx, tx, d.id, search.Fail, map[string]any{AttrError: reason}); {
		case errors.Is(err, ErrNotRunning): // it has just finished, or somebody else was faster
			continue
		case err != nil:
			return nil, err
		}
		numbers = append(numbers, d.number)
		if _, err := s.again(ctx, tx, d.id, attrRetries, retries); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

// again adds a WAITING trial that repeats another one, as Optuna's RetryHeartbeatStaleTrialCallback does: same parameters, user and
// system attributes; failed_trial is the first trial of the point, and the list under key has every number. Where the
// list is longer than limit (if that is not below 0) no trial is added. Receipts, reports and what the failed trial says of its end are its own.
func (s *Study) again(ctx context.Context, tx conn, id int64, key string, limit int) (added bool, err error) {
	var number int
	if _, err := tx.one(ctx, []any{&number}, "SELECT number FROM trials WHERE trial_id = ?", id); err != nil {
		return false, err
	}
	system := map[string]json.RawMessage{}
	err = readAttributes(ctx, tx, "trial_system_attributes", tx.ids([]int64{id}), func(_ int64, key string, value json.RawMessage) {
		system[key] = value
	})
	if err != nil {
		return false, err
	}
	lists := map[string][]int{attrRetries: {}, attrPutBack: nil}
	for name := range lists {
		var numbers []int
		if stored, ok := system[name]; ok && json.Unmarshal(stored, &numbers) == nil { // what is no list was not ours
			lists[name] = numbers
		}
	}
	lists[key] = append(lists[key], number)
	if limit >= 0 && len(lists[key]) > limit {
		return false, nil
	}
	next, _, err := s.newTrial(ctx, tx, search.Waiting)
	if err != nil {
		return false, err
	}
	for _, copied := range []struct {
		table, columns string
		except         []any
	}{
		{"trial_params", "param_name, param_value, distribution_json", nil},
		{"trial_user_attributes", `"key", value_json`, []any{AttrError, AttrWorker}},
		{"trial_system_attributes", `"key", value_json`, []any{attrClaim, attrEnd, attrEnqueue}},
	} {
		query := "INSERT INTO " + copied.table + " (trial_id, " + copied.columns + ") SELECT CAST(? AS INTEGER), " + copied.columns +
			" FROM " + copied.table + " WHERE trial_id = ?"
		for range copied.except {
			query += ` AND "key" <> ?`
		}
		if copied.except == nil {
			query += " ORDER BY param_id"
		}
		if _, err := tx.exec(ctx, query, append([]any{next, id}, copied.except...)...); err != nil {
			return false, err
		}
	}
	own := map[string]any{attrRetries: lists[attrRetries]}
	if lists[attrPutBack] != nil {
		own[attrPutBack] = lists[attrPutBack]
	}
	if _, ok := system[attrFailed]; !ok {
		own[attrFailed] = number
	}
	return true, setAttributes(ctx, tx, "trial_system", next, own)
}
