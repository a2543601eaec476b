package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// A dialect is what differs between the two databases. Queries are written once, with ? for arguments.
type dialect struct {
	begin  string            // begins a transaction that writes
	lock   string            // locks a study against other writers for the transaction's time, of its id; "" where begin has locked everything
	await  string            // waits for a transaction that changes a trial, of its id; "" where there is only one at a time
	types  map[string]string // the schema's column types, where they are not as written
	enums  bool              // states and directions are types of their own
	exist  string            // whether a table of the name in ? exists
	guard  string            // keeps two processes from making tables at the same time
	clock  string            // the server's time, as heartbeats are stored
	age    string            // seconds since h.heartbeat
	uptime string            // the seconds since the server started; "" where there is no server
	among  string            // whether a trial_id is among the ids that ids spells
	ids    func([]int64) string
	// arguments spells the arguments of a query as the driver wants them.
	arguments func(query string) string
	// transient reports whether an operation that failed so may succeed later; explain gives an error one line, and [ErrInvalid] where
	// the database says it.
	transient func(error) bool
	explain   func(error) error
}

// A conn runs queries in a dialect: on any connection of the pool, or on the one that has a transaction.
type conn struct {
	on interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	}
	*dialect
}

// exec runs a statement and returns how many rows it changed.
func (c conn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := c.on.ExecContext(ctx, c.arguments(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// each hands over every row of a query.
func (c conn) each(ctx context.Context, row func(*sql.Rows) error, query string, args ...any) error {
	rows, err := c.on.QueryContext(ctx, c.arguments(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one scans the first row of a query; found is false where there is none.
func (c conn) one(ctx context.Context, into []any, query string, args ...any) (found bool, err error) {
	err = c.each(ctx, func(rows *sql.Rows) error {
		if found {
			return nil
		}
		found = true
		return rows.Scan(into...)
	}, query, args...)
	return found && err == nil, err
}

// insert runs an INSERT that ends in RETURNING and returns the new row's id.
func (c conn) insert(ctx context.Context, query string, args ...any) (id int64, err error) {
	_, err = c.one(ctx, []any{&id}, query, args...)
	return id, err
}

// numbered replaces each ? by $1, $2 and so on.
func numbered(query string) string {
	var b strings.Builder
	n := 0
	for _, piece := range strings.SplitAfter(query, "?") {
		text, ok := strings.CutSuffix(piece, "?")
		b.WriteString(text)
		if ok {
			n++
			b.WriteString("$" + strconv.Itoa(n))
		}
	}
	return b.String()
}

// list writes ids between an opening and a closing bracket.
func list(open, end string) func([]int64) string {
	return func(ids []int64) string {
		text := []byte(open)
		for i, id := range ids {
			if i > 0 {
				text = append(text, ',')
			}
			text = strconv.AppendInt(text, id, 10)
		}
		return string(append(text, end...))
	}
}
