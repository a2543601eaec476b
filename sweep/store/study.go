package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"syncretic/sweep/search"
)

// Study is one named study of a database. It is safe for concurrent use, and keeps what it has read of finished trials.
type Study struct {
	db         *DB
	id         int64
	name       string
	directions []search.Direction
	cache      cache
}

// Name is the study's name.
func (s *Study) Name() string { return s.name }

// DB is the database that holds the study.
func (s *Study) DB() *DB { return s.db }

// Directions says for each objective whether more or less is better.
func (s *Study) Directions() []search.Direction { return s.directions }

// Studies lists the names of all studies in the order they were made.
func (db *DB) Studies(ctx context.Context) (names []string, err error) {
	err = db.read(ctx, func(ctx context.Context, q conn) error {
		names = nil
		return q.each(ctx, func(rows *sql.Rows) error {
			var name string
			err := rows.Scan(&name)
			names = append(names, name)
			return err
		}, "SELECT study_name FROM studies ORDER BY study_id")
	})
	return names, err
}

// Study finds a study by name; one that does not exist wraps fs.ErrNotExist.
func (db *DB) Study(ctx context.Context, name string) (*Study, error) {
	s := &Study{db: db, name: name}
	err := db.read(ctx, func(ctx context.Context, q conn) error {
		found, err := s.find(ctx, q)
		if err == nil && !found {
			err = fmt.Errorf("study %q: %w", name, fs.ErrNotExist)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// find reads id and directions.
func (s *Study) find(ctx context.Context, q conn) (found bool, err error) {
	found, err = q.one(ctx, []any{&s.id}, "SELECT study_id FROM studies WHERE study_name = ?", s.name)
	if err != nil || !found {
		return false, err
	}
	s.directions = nil
	err = q.each(ctx, func(rows *sql.Rows) error {
		var direction string
		err := rows.Scan(&direction)
		s.directions = append(s.directions, search.Direction(direction))
		return err
	}, "SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective", s.id)
	return true, err
}

// CreateStudy makes a study with one objective a direction and its user attributes, in one transaction; when the name is taken it
// opens that study, changes nothing in it and reports created false.
func (db *DB) CreateStudy(ctx context.Context, name string, directions []search.Direction, attributes map[string]any) (s *Study, created bool, err error) {
	if len(directions) == 0 {
		return nil, false, errors.New("a study needs at least one direction")
	}
	s = &Study{db: db, name: name}
	receipt := rand.Text()
	err = db.write(ctx, change{
		do: func(ctx context.Context, tx conn) error {
			created = false
			if found, err := s.find(ctx, tx); err != nil {
				return err
			} else if found {
				return errUnchanged
			}
			created, s.directions = true, directions
			if s.id, err = tx.insert(ctx, "INSERT INTO studies (study_name) VALUES (?) RETURNING study_id", name); err != nil {
				return err
			}
			for i, d := range directions {
				_, err := tx.exec(ctx, "INSERT INTO study_directions (direction, study_id, objective) VALUES (?, ?, ?)", string(d), s.id, i)
				if err != nil {
					return err
				}
			}
			if err := setAttributes(ctx, tx, "study_user", s.id, attributes); err != nil {
				return err
			}
			return setAttributes(ctx, tx, "study_system", s.id, map[string]any{attrCreate: receipt})
		},
		stored: func(ctx context.Context, tx conn) (bool, error) {
			found, err := s.find(ctx, tx)
			if err != nil || !found {
				return false, err
			}
			created, err = hasAttribute(ctx, tx, "study_system", s.id, attrCreate, receipt)
			return created, err
		},
	})
	if err != nil {
		return nil, false, err
	}
	return s, created, nil
}
