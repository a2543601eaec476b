package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite" // also registers the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// busyTimeout is how long SQLite itself waits for another process's lock, in ms. It is short, because SQLite does not heed a context
// meanwhile; operations are repeated for longer.
const busyTimeout = 2_000

func openSQLite(p place) (*sql.DB, dialect, error) {
	handle, err := sql.Open("sqlite", dsn(p.path, busyTimeout))
	if err != nil {
		return nil, dialect{}, fmt.Errorf("%s: %w", p.path, err)
	}
	return handle, dialect{
		begin:     "BEGIN IMMEDIATE",
		types:     map[string]string{"serial": "INTEGER NOT NULL"},
		exist:     "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?)",
		clock:     "strftime('%Y-%m-%d %H:%M:%f000', 'now')", // CURRENT_TIMESTAMP has whole seconds only
		age:       "((julianday('now') - julianday(h.heartbeat)) * 86400)",
		among:     "trial_id IN (SELECT value FROM json_each(?))",
		ids:       list("[", "]"),
		arguments: func(query string) string { return query },
		transient: func(err error) bool { return code(err) == sqlite3.SQLITE_BUSY },
		explain: func(err error) error {
			switch code(err) {
			case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
				return fmt.Errorf("%w: %w", ErrInvalid, err)
			}
			return err
		},
	}, nil
}

// dsn spells path and the connection settings as the driver wants them.
func dsn(path string, timeout int) string {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	return fmt.Sprintf("file:%s?_pragma=busy_timeout(%d)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)", escaped, timeout)
}

// code is SQLite's primary result code of err, 0 where err is not SQLite's.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}
