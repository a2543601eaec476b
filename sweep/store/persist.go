package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// A change is one transaction that writes: all of it is stored or none, and no more than once.
type change struct {
	study int64                                    // whose numbers it makes, to be locked; 0 for none
	do    func(ctx context.Context, tx conn) error // runs again after a lost attempt
	// stored looks for do's receipt, after an attempt whose commit was not answered. Nil where do may be repeated.
	stored func(ctx context.Context, tx conn) (bool, error)
}

// errUnchanged ends a change that had nothing to store.
var errUnchanged = errors.New("nothing to store")

// A callerError is an error of a function that the caller gave: returned as it is, and never a reason to try again.
type callerError struct{ error }

// read runs queries outside of a transaction: each sees what is committed.
func (db *DB) read(ctx context.Context, f func(ctx context.Context, q conn) error) error {
	return db.persist(ctx, func(ctx context.Context) error { return f(ctx, conn{db.sql, &db.dialect}) })
}

// write runs a change.
func (db *DB) write(ctx context.Context, c change) error {
	doubt := false
	return db.persist(ctx, func(ctx context.Context) (err error) {
		session, err := db.sql.Conn(ctx)
		if err != nil {
			return err
		}
		open := false
		// What must not stop halfway heeds no cancellation, only a time limit: a commit, and the way out of a transaction.
		steady, cancel := context.WithTimeout(context.WithoutCancel(ctx), db.patience)
		defer cancel()
		defer func() {
			if open {
				if _, failed := session.ExecContext(steady, "ROLLBACK"); failed != nil {
					_ = session.Raw(func(any) error { return driver.ErrBadConn }) // the pool must not get it back
				}
			}
			session.Close()
		}()
		tx := conn{session, &db.dialect}
		if _, err := tx.exec(ctx, db.dialect.begin); err != nil {
			return err
		}
		open = true
		if c.study != 0 && db.dialect.lock != "" {
			if _, err := tx.exec(ctx, db.dialect.lock, c.study); err != nil {
				return err
			}
		}
		if doubt && c.stored != nil {
			if found, err := c.stored(ctx, tx); err != nil || found {
				return err
			}
		}
		if err := c.do(ctx, tx); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		doubt = true
		_, err = session.ExecContext(steady, "COMMIT")
		open = err != nil
		return err
	})
}

// noticeAfter is how long an outage lasts before it is told.
const noticeAfter = time.Second

// persist runs attempt until it succeeds, fails for good, or patience ends, with pauses from 20 ms to 2 s between.
func (db *DB) persist(ctx context.Context, attempt func(ctx context.Context) error) error {
	began := time.Now()
	limited, cancel := context.WithDeadline(ctx, began.Add(db.patience))
	defer cancel()
	told := false
	var last error // that says what was waited for, where the end of patience itself does not
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := attempt(limited)
		var own callerError
		switch {
		case err == nil || errors.Is(err, errUnchanged):
			return nil
		case errors.As(err, &own):
			return own.error
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", db.Where(), ctx.Err())
		case db.dialect.transient(err):
			last = err
		case limited.Err() == nil:
			return fmt.Errorf("%s: %w", db.Where(), db.dialect.explain(err))
		case last == nil:
			last = err
		}
		wait := pause/2 + rand.N(pause)
		if untold := noticeAfter - time.Since(began); !told && untold <= 0 {
			told = true
			db.notice(fmt.Errorf("%s: waiting: %w", db.Where(), db.dialect.explain(last)))
		} else if !told {
			wait = min(wait, untold)
		}
		select {
		case <-time.After(wait):
		case <-limited.Done():
		}
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", db.Where(), ctx.Err())
		case limited.Err() != nil:
			return fmt.Errorf("%s: gave up after %v: %w", db.Where(), db.patience, db.dialect.explain(last))
		}
	}
}
