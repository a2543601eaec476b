package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"syncretic/sweep/search"

	sqlite3 "modernc.org/sqlite/lib"
)

// ErrLocked marks a study that another process is running.
var ErrLocked = errors.New("study is in use by another process")

// Lock takes the exclusive right to run trials of an SQLite file, for as long as the returned function is not called and the process
// lives. It returns [ErrLocked] at once when another holder exists. Readers are not hindered. The lock is a lock of the
// operating system on the empty file PATH.lock, which therefore stays behind but never needs to be removed: a killed process holds nothing.
func (db *DB) Lock(ctx context.Context) (release func() error, err error) {
	if db.place.path == "" {
		return nil, fmt.Errorf("%s: only an SQLite file can be locked", db.Where())
	}
	name := db.place.path + ".lock"
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
			return nil, fmt.Errorf("%s: %w", db.Where(), ErrLocked)
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return func() error {
		return errors.Join(conn.Close(), handle.Close())
	}, nil
}

// FailRunning marks every RUNNING trial FAIL with the given user attributes and returns how many there were. It is for the holder of
// [DB.Lock], to whom a RUNNING trial can only be the remains of a process that died.
func (s *Study) FailRunning(ctx context.Context, user map[string]any) (int, error) {
	trials, err := s.Trials(ctx)
	if err != nil {
		return 0, err
	}
	failed := 0
	for _, t := range trials {
		if t.State != search.Running {
			continue
		}
		if err := s.Finish(ctx, t.ID, Outcome{State: search.Fail, User: user}); err != nil {
			return failed, err
		}
		failed++
	}
	return failed, nil
}
