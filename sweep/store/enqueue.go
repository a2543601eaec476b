package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"syncretic/sweep/search"
)

// Enqueue adds the trials that plan returns, WAITING, numbered on from the last. Plan sees every trial there is,
// inside the same transaction: two processes that plan at once do not enqueue twice. After a lost connection it may be
// called again. The space says how points are spelt.
func (s *Study) Enqueue(ctx context.Context, space search.Space, plan func(existing []Trial) ([]Entry, error)) error {
	receipt := rand.Text()
	return s.db.write(ctx, change{
		study: s.id,
		do: func(ctx context.Context, tx conn) error {
			existing, err := s.readTrials(ctx, tx, true) // nothing of this transaction's own is among them
			if err != nil {
				return err
			}
			if err := s.readUser(ctx, tx, existing); err != nil {
				return err
			}
			entries, err := plan(existing)
			if err != nil {
				return callerError{err}
			}
			if len(entries) == 0 {
				return errUnchanged
			}
			for i, entry := range entries {
				id, _, err := s.newTrial(ctx, tx, search.Waiting)
				if err != nil {
					return err
				}
				fixed, err := fixedParams(space, entry.Point)
				if err != nil {
					return callerError{fmt.Errorf("enqueue: %w", err)}
				}
				own := map[string]any{attrFixed: fixed}
				if i == 0 {
					own[attrEnqueue] = receipt
				}
				if err := setEntry(ctx, tx, id, entry, own); err != nil {
					return err
				}
			}
			return nil
		},
		stored: func(ctx context.Context, tx conn) (bool, error) {
			text, err := json.Marshal(receipt)
			if err != nil {
				return false, err
			}
			var n int
			return tx.one(ctx, []any{&n}, `SELECT 1 FROM trial_system_attributes WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?)
				AND "key" = ? AND value_json = ?`, s.id, attrEnqueue, string(text))
		},
	})
}

// newTrial adds a trial with the next number. The caller's transaction has the study's lock.
func (s *Study) newTrial(ctx context.Context, tx conn, state search.State) (id, number int64, err error) {
	if _, err := tx.one(ctx, []any{&number}, "SELECT count(*) FROM trials WHERE study_id = ?", s.id); err != nil {
		return 0, 0, err
	}
	id, err = tx.insert(ctx, "INSERT INTO trials (number, study_id, state) VALUES (?, ?, ?) RETURNING trial_id", number, s.id, string(state))
	return id, number, err
}

// setEntry stores an entry's tags and attributes beside the system attributes of this package.
func setEntry(ctx context.Context, tx conn, id int64, entry Entry, own map[string]any) error {
	if len(entry.Tags) > 0 {
		own[attrTags] = entry.Tags
	}
	for _, set := range []struct {
		kind       string
		attributes map[string]any
	}{{"trial_user", entry.User}, {"trial_system", entry.System}, {"trial_system", own}} {
		if err := setAttributes(ctx, tx, set.kind, id, set.attributes); err != nil {
			return err
		}
	}
	return nil
}
