package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// ErrInvalid marks what is no database, or one whose tables are not Optuna's of the known version.
var ErrInvalid = errors.New("not a study database")

// DB is a database with Optuna's tables. It is safe for concurrent use.
type DB struct {
	sql      *sql.DB
	place    place
	dialect  dialect
	patience time.Duration
	notice   func(error)
	now      func() time.Time
}

// Option is a setting of [Create] and [Open].
type Option func(*DB)

// defaultPatience lets a server restart, or a machine that runs one be started again.
const defaultPatience = 2 * time.Minute

// openPatience bounds the same for [Create] and [Open], where an address may simply be wrong.
const openPatience = 20 * time.Second

// WithPatience sets how long an operation goes on trying while the server cannot be reached or others hold its locks: 2 minutes
// unless set. Create and Open try for at most 20 seconds.
func WithPatience(d time.Duration) Option { return func(db *DB) { db.patience = d } }

// WithNotice sets a function that is told, once an operation, that it has been waiting for a second, and for what.
func WithNotice(f func(error)) Option { return func(db *DB) { db.notice = f } }

// Create opens the database at a path or URL, making the file and the tables where there are none. Tables are made in one
// transaction: a killed Create leaves none or all. A database of PostgreSQL must exist; tables of others in it are left alone.
//
// Where is a path, sqlite:///PATH, or postgres://USER:PASSWORD@HOST:PORT/DATABASE; postgresql:// and SQLAlchemy's spellings
// (postgresql+psycopg2://) are the same. What the URL leaves out is taken from PGPASSWORD and its like, and from ~/.pgpass.
func Create(ctx context.Context, where string, options ...Option) (*DB, error) {
	return open(ctx, where, true, options)
}

// Open opens an existing database. A missing file wraps fs.ErrNotExist, anything else that is no study database [ErrInvalid].
func Open(ctx context.Context, where string, options ...Option) (*DB, error) {
	return open(ctx, where, false, options)
}

func open(ctx context.Context, where string, create bool, options []Option) (*DB, error) {
	place, err := parsePlace(where)
	if err != nil {
		return nil, err
	}
	db := &DB{place: place, patience: defaultPatience, notice: func(error) {}, now: time.Now}
	for _, o := range options {
		o(db)
	}
	if place.url != "" {
		db.sql, db.dialect, err = openPostgres(place)
	} else if err = checkFile(place.path, create); err == nil {
		db.sql, db.dialect, err = openSQLite(place)
	}
	if err != nil {
		return nil, err
	}
	patience := db.patience
	db.patience = min(patience, openPatience)
	if create {
		err = db.write(ctx, change{do: makeSchema})
	}
	if err == nil {
		err = db.read(ctx, checkSchema)
	}
	if err != nil {
		db.sql.Close()
		return nil, err
	}
	db.patience = patience
	return db, nil
}

// checkFile says in the system's words what SQLite would only call unable to open. Where there is no file and one is wanted it makes
// an empty one, which is an empty database.
func checkFile(path string, create bool) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: not a regular file: %w", path, ErrInvalid)
	}
	var f *os.File
	if create && errors.Is(err, fs.ErrNotExist) {
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644) // as SQLite does
	} else if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		return fmt.Errorf("open study: %w", err)
	}
	f.Close()
	return nil
}

// Close releases the database.
func (db *DB) Close() error { return db.sql.Close() }

// Where is what the database was opened by, without a password.
func (db *DB) Where() string { return db.place.shown }
