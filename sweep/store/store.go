// Package store keeps studies in Optuna's relational schema, so that a study written here opens with
// optuna.load_study, trials_dataframe and optuna-dashboard, and the other way round.
//
// It knows trials, parameters, values and attributes; it knows nothing of models, lambda or scores:
// that is package sweep. Start at [Create] and [Open] for a database, [DB.CreateStudy] and [DB.Study]
// for a study, [Study.Enqueue], [Study.Claim] and [Study.Finish] for the life of a trial.
//
// One database holds the queue as well. A trial is born WAITING, a claim makes it RUNNING, Finish makes
// it COMPLETE or FAIL; a finished trial is never changed again. Every change is one transaction begun
// with BEGIN IMMEDIATE under synchronous=FULL, so that a claim is atomic across processes and a finished
// trial survives a power cut. The journal is SQLite's rollback journal, not WAL: a study at rest is one file.
//
// Source: optuna 5.0.0, storage schema version 12 (alembic v3.2.0.a), read from a database it made;
// testdata/dump_schema.py makes the dump that the tests compare with.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"modernc.org/sqlite" // also registers the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrInvalid marks a file that is no SQLite database, or one whose tables are not Optuna's of the known version.
var ErrInvalid = errors.New("not a study database")

// ErrLocked marks a study that another process is running.
var ErrLocked = errors.New("study is in use by another process")

// busyTimeout is how long a transaction waits for another process's lock, in ms.
const busyTimeout = 30_000

// DB is one SQLite file with Optuna's tables. It is safe for concurrent use.
type DB struct {
	sql  *sql.DB
	path string
	now  func() time.Time
}

// Create opens the database at path, making file and tables where there are none.
// Tables are made in one transaction: a killed Create leaves none or all.
func Create(ctx context.Context, path string) (*DB, error) {
	return open(ctx, path, true)
}

// Open opens an existing database. A missing file wraps fs.ErrNotExist, anything else that is no study
// database wraps [ErrInvalid].
func Open(ctx context.Context, path string) (*DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open study: %w", err)
	}
	return open(ctx, path, false)
}

func open(ctx context.Context, path string, create bool) (*DB, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file: %w", path, ErrInvalid)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open study: %w", err)
	}
	handle, err := sql.Open("sqlite", dsn(path, busyTimeout))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	db := &DB{sql: handle, path: path, now: time.Now}
	if create {
		err = db.write(ctx, makeSchema)
	}
	if err == nil {
		err = db.checkSchema(ctx)
	}
	if err != nil {
		handle.Close()
		return nil, classify(path, err)
	}
	return db, nil
}

// Close releases the file.
func (db *DB) Close() error { return db.sql.Close() }

// Path is the path the database was opened by.
func (db *DB) Path() string { return db.path }

// Lock takes the exclusive right to run trials, for as long as the returned function is not called and
// the process lives. It returns [ErrLocked] at once when another holder exists. Readers are not hindered.
// The lock is a lock of the operating system on the empty file PATH.lock, which therefore stays behind but
// never needs to be removed: a killed process holds nothing.
func (db *DB) Lock(ctx context.Context) (release func() error, err error) {
	name := db.path + ".lock"
	handle, err := sql.Open("sqlite", dsn(name, 0))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	conn, err := handle.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "BEGIN EXCLUSIVE")
	}
	if err != nil {
		handle.Close()
		if code(err) == sqlite3.SQLITE_BUSY {
			return nil, fmt.Errorf("%s: %w", db.path, ErrLocked)
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return func() error {
		return errors.Join(conn.Close(), handle.Close())
	}, nil
}

// write runs f in one immediate transaction: all of it is stored or none.
func (db *DB) write(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	tx, err := db.sql.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(ctx, tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// dsn spells path and the connection settings as the driver wants them.
func dsn(path string, timeout int) string {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	return fmt.Sprintf("file:%s?_txlock=immediate&_pragma=busy_timeout(%d)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)",
		escaped, timeout)
}

// classify turns SQLite's own verdict on the file into [ErrInvalid].
func classify(path string, err error) error {
	switch code(err) {
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%s: %w: %v", path, ErrInvalid, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// code is SQLite's primary result code of err, 0 where err is not SQLite's.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}
