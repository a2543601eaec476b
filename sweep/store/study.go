package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// Direction says whether a larger or a smaller value is better.
type Direction string

// Optuna's two directions.
const (
	Maximize Direction = "MAXIMIZE"
	Minimize Direction = "MINIMIZE"
)

// Study is one named study of a database.
type Study struct {
	db   *DB
	id   int64
	name string
}

// Name is the study's name.
func (s *Study) Name() string { return s.name }

// DB is the database that holds the study.
func (s *Study) DB() *DB { return s.db }

// Studies lists the names of all studies in the order they were made.
func (db *DB) Studies(ctx context.Context) ([]string, error) {
	rows, err := db.sql.QueryContext(ctx, "SELECT study_name FROM studies ORDER BY study_id")
	if err != nil {
		return nil, classify(db.path, err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, classify(db.path, err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// Study finds a study by name; one that does not exist wraps fs.ErrNotExist.
func (db *DB) Study(ctx context.Context, name string) (*Study, error) {
	s := &Study{db: db, name: name}
	err := db.sql.QueryRowContext(ctx, "SELECT study_id FROM studies WHERE study_name = ?", name).Scan(&s.id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%s: study %q: %w", db.path, name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, classify(db.path, err)
	}
	return s, nil
}

// CreateStudy makes a study of one objective with its user attributes, in one transaction; when the name is
// taken it opens that study, changes nothing in it and reports created false.
func (db *DB) CreateStudy(ctx context.Context, name string, direction Direction, attributes map[string]any) (s *Study, created bool, err error) {
	s = &Study{db: db, name: name}
	err = db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT study_id FROM studies WHERE study_name = ?", name).Scan(&s.id)
		if err == nil || !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		created = true
		if s.id, err = insert(ctx, tx, "INSERT INTO studies (study_name) VALUES (?)", name); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO study_directions (direction, study_id, objective) VALUES (?, ?, 0)", string(direction), s.id)
		if err != nil {
			return err
		}
		return setAttributes(ctx, tx, "study_user_attributes", "study_id", s.id, attributes)
	})
	if err != nil {
		return nil, false, classify(db.path, err)
	}
	return s, created, nil
}

// Attributes reads the study's user attributes, each as the JSON it is stored in.
func (s *Study) Attributes(ctx context.Context) (map[string]json.RawMessage, error) {
	rows, err := s.db.sql.QueryContext(ctx, `SELECT "key", value_json FROM study_user_attributes WHERE study_id = ?`, s.id)
	if err != nil {
		return nil, classify(s.db.path, err)
	}
	defer rows.Close()
	attributes := map[string]json.RawMessage{}
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return nil, classify(s.db.path, err)
		}
		attributes[key] = json.RawMessage(value)
	}
	return attributes, rows.Err()
}

// Update replaces one user attribute by change(old) in one transaction; old is nil when there was none.
// An error from change leaves the attribute as it was and is returned as it is; a nil value removes it.
func (s *Study) Update(ctx context.Context, key string, change func(old json.RawMessage) (any, error)) error {
	err := s.db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var stored sql.NullString
		err := tx.QueryRowContext(ctx, `SELECT value_json FROM study_user_attributes WHERE study_id = ? AND "key" = ?`,
			s.id, key).Scan(&stored)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var old json.RawMessage
		if stored.Valid {
			old = json.RawMessage(stored.String)
		}
		value, err := change(old)
		if err != nil {
			return err
		}
		if value == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM study_user_attributes WHERE study_id = ? AND "key" = ?`, s.id, key)
			return err
		}
		return setAttributes(ctx, tx, "study_user_attributes", "study_id", s.id, map[string]any{key: value})
	})
	if err != nil {
		return classify(s.db.path, err)
	}
	return nil
}

// setAttributes writes attributes of one owner, in the order of their keys.
func setAttributes(ctx context.Context, tx *sql.Tx, table, owner string, id int64, attributes map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		value, err := json.Marshal(attributes[key])
		if err != nil {
			return fmt.Errorf("attribute %q: %w", key, err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO `+table+` (`+owner+`, "key", value_json) VALUES (?, ?, ?)
			ON CONFLICT (`+owner+`, "key") DO UPDATE SET value_json = excluded.value_json`, id, key, string(value))
		if err != nil {
			return fmt.Errorf("attribute %q: %w", key, err)
		}
	}
	return nil
}

// insert runs one INSERT and returns the new row's id.
func insert(ctx context.Context, tx *sql.Tx, query string, args ...any) (int64, error) {
	result, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}
