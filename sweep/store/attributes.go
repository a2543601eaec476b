package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Attributes reads the study's user attributes, each as the JSON it is stored in.
func (s *Study) Attributes(ctx context.Context) (map[string]json.RawMessage, error) {
	return s.attributes(ctx, "study_user_attributes")
}

// SystemAttributes reads the study's system attributes: Optuna's samplers and the dashboard keep notes there, and this package receipts.
func (s *Study) SystemAttributes(ctx context.Context) (map[string]json.RawMessage, error) {
	return s.attributes(ctx, "study_system_attributes")
}

func (s *Study) attributes(ctx context.Context, table string) (attributes map[string]json.RawMessage, err error) {
	err = s.db.read(ctx, func(ctx context.Context, q conn) error {
		attributes = map[string]json.RawMessage{}
		return q.each(ctx, func(rows *sql.Rows) error {
			var key string
			var value sql.NullString
			err := rows.Scan(&key, &value)
			attributes[key] = json.RawMessage(value.String)
			return err
		}, `SELECT "key", value_json FROM `+table+" WHERE study_id = ?", s.id)
	})
	return attributes, err
}

// SetAttributes stores user and system attributes of the study, over those there are of the same names. Either may be nil.
func (s *Study) SetAttributes(ctx context.Context, user, system map[string]any) error {
	return s.db.write(ctx, change{study: s.id, do: func(ctx context.Context, tx conn) error {
		if err := setAttributes(ctx, tx, "study_user", s.id, user); err != nil {
			return err
		}
		return setAttributes(ctx, tx, "study_system", s.id, system)
	}})
}

// Update replaces one user attribute by change(old) in one transaction; old is nil when there was none. An error from change leaves
// the attribute as it was and is returned as it is; a nil value removes it. After a lost connection change may be called again.
func (s *Study) Update(ctx context.Context, key string, next func(old json.RawMessage) (any, error)) error {
	receipt := rand.Text()
	return s.db.write(ctx, change{
		study: s.id,
		do: func(ctx context.Context, tx conn) error {
			var stored sql.NullString
			_, err := tx.one(ctx, []any{&stored}, `SELECT value_json FROM study_user_attributes WHERE study_id = ? AND "key" = ?`, s.id, key)
			if err != nil {
				return err
			}
			var old json.RawMessage
			if stored.Valid {
				old = json.RawMessage(stored.String)
			}
			value, err := next(old)
			if err != nil {
				return callerError{err}
			}
			if value == nil {
				_, err = tx.exec(ctx, `DELETE FROM study_user_attributes WHERE study_id = ? AND "key" = ?`, s.id, key)
			} else {
				err = setAttributes(ctx, tx, "study_user", s.id, map[string]any{key: value})
			}
			if err != nil {
				return err
			}
			return setAttributes(ctx, tx, "study_system", s.id, map[string]any{attrUpdate + key: receipt})
		},
		stored: func(ctx context.Context, tx conn) (bool, error) {
			return hasAttribute(ctx, tx, "study_system", s.id, attrUpdate+key, receipt)
		},
	})
}

// setAttributes writes attributes of one owner, in the order of their keys. Kind is the owner and user or system, as in trial_user.
func setAttributes(ctx context.Context, tx conn, kind string, id int64, attributes map[string]any) error {
	owner := owner(kind)
	for _, key := range sortedKeys(attributes) {
		value, err := json.Marshal(attributes[key])
		if err != nil {
			return callerError{fmt.Errorf("attribute %q: %w", key, err)}
		}
		_, err = tx.exec(ctx, `INSERT INTO `+kind+`_attributes (`+owner+`, "key", value_json) VALUES (?, ?, ?)
			ON CONFLICT (`+owner+`, "key") DO UPDATE SET value_json = excluded.value_json`, id, key, string(value))
		if err != nil {
			return fmt.Errorf("attribute %q: %w", key, err)
		}
	}
	return nil
}

// hasAttribute looks for a receipt.
func hasAttribute(ctx context.Context, q conn, kind string, id int64, key, value string) (bool, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return false, err
	}
	var n int
	return q.one(ctx, []any{&n}, "SELECT 1 FROM "+kind+"_attributes WHERE "+owner(kind)+` = ? AND "key" = ? AND value_json = ?`, id, key, string(text))
}

func owner(kind string) string {
	if kind == "study_user" || kind == "study_system" {
		return "study_id"
	}
	return "trial_id"
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
