package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"syncretic/sweep/search"
)

// begin completes the claim of a trial that is RUNNING now: its parameters, where they are not stored already, its start, attributes,
// receipt and first heartbeat. Bad says why the trial cannot be run.
func (s *Study) begin(ctx context.Context, tx conn, trial *Trial, options ClaimOptions, receipt string) (bad, err error) {
	if len(trial.Params) == 0 {
		if bad, err = storePoint(ctx, tx, trial, options.Space); bad != nil || err != nil {
			return bad, err
		}
	}
	trial.State, trial.Started = search.Running, s.db.now().Truncate(time.Microsecond)
	_, err = tx.exec(ctx, "UPDATE trials SET datetime_start = ? WHERE trial_id = ?", stamp(trial.Started), trial.ID)
	if err != nil {
		return nil, err
	}
	entry := Entry{Tags: trial.Tags, User: map[string]any{}, System: options.System}
	if options.Worker != "" {
		entry.User[AttrWorker] = options.Worker
	}
	for key, value := range options.User {
		entry.User[key] = value
	}
	own := map[string]any{attrClaim: claimReceipt{receipt, trial.Number}}
	if err := setEntry(ctx, tx, trial.ID, entry, own); err != nil {
		return nil, err
	}
	for _, set := range []struct {
		into map[string]json.RawMessage
		from map[string]any
	}{{trial.User, entry.User}, {trial.System, entry.System}, {trial.System, own}} {
		for key, value := range set.from {
			if set.into[key], err = json.Marshal(value); err != nil {
				return nil, err
			}
		}
	}
	_, err = beat(ctx, tx, trial.ID, s.id)
	return nil, err
}

// storePoint writes the trial's parameters in the space's order. Bad says why they are not the space's.
func storePoint(ctx context.Context, tx conn, trial *Trial, space search.Space) (bad, err error) {
	var params search.Space
	for _, p := range space {
		v, ok := trial.Point[p.Name]
		if !space.Active(p, trial.Point) {
			continue
		}
		if !ok {
			return fmt.Errorf("no parameter %q", p.Name), nil
		}
		if p, bad = holding(p, v); bad != nil {
			return bad, nil
		}
		params = append(params, p)
	}
	if len(params) != len(trial.Point) {
		return fmt.Errorf("%d parameters, of which the space has %d at this point", len(trial.Point), len(params)), nil
	}
	for _, p := range params {
		text, err := encodeDistribution(p)
		if err != nil {
			return nil, err
		}
		_, err = tx.exec(ctx, "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (?, ?, ?, ?)",
			trial.ID, p.Name, trial.Point[p.Name], text)
		if err != nil {
			return nil, err
		}
	}
	trial.Params = params
	return nil, nil
}

// A claimReceipt tells a claim from its copies: attributes of a trial that is put back by Optuna are copied to the next.
type claimReceipt struct {
	Token  string `json:"token"`
	Number int    `json:"number"`
}

// claimedBy finds the RUNNING trial that a claim of this process has stored.
func (s *Study) claimedBy(ctx context.Context, tx conn, receipt string) (*Trial, error) {
	var id int64
	err := tx.each(ctx, func(rows *sql.Rows) error {
		var candidate int64
		var number int
		var text string
		if err := rows.Scan(&candidate, &number, &text); err != nil {
			return err
		}
		var r claimReceipt
		if json.Unmarshal([]byte(text), &r) == nil && r == (claimReceipt{receipt, number}) {
			id = candidate
		}
		return nil
	}, `SELECT t.trial_id, t.number, a.value_json FROM trials t JOIN trial_system_attributes a ON a.trial_id = t.trial_id
		WHERE t.study_id = ? AND t.state = 'RUNNING' AND a."key" = ?`, s.id, attrClaim)
	if err != nil || id == 0 {
		return nil, err
	}
	return readTrial(ctx, tx, id, nil)
}

// readTrial reads one trial. The space tells what enqueued words stand for.
func readTrial(ctx context.Context, q conn, id int64, space search.Space) (*Trial, error) {
	t := &Trial{ID: id, Trial: search.Trial{Point: search.Point{}}, User: map[string]json.RawMessage{}, System: map[string]json.RawMessage{}}
	var started any
	_, err := q.one(ctx, []any{&t.Number, &t.State, &started}, "SELECT number, state, datetime_start FROM trials WHERE trial_id = ?", id)
	if err != nil {
		return nil, err
	}
	if t.Started, err = parseStamp(started); err != nil {
		return nil, err
	}
	if err := readDetails(ctx, q, map[int64]*Trial{id: t}); err != nil {
		return nil, err
	}
	err = readAttributes(ctx, q, "trial_user_attributes", q.ids([]int64{id}), func(_ int64, key string, value json.RawMessage) {
		t.User[key] = value
	})
	t.settle()
	if fixed, ok := t.System[attrFixed]; ok && len(t.Params) == 0 {
		t.Point = fixedPoint(space, fixed)
	}
	return t, err
}
