package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// session are the settings of every connection. A worker whose machine is cut off in the middle of a transaction would hold the study's
// lock till the server notices, which takes hours by default: here about a minute.
const session = `SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
SET idle_in_transaction_session_timeout = '120s'; SET default_transaction_isolation = 'read committed'`

// connections a process has at most: one for a claim, one for heartbeats and some for looking on. The server's limit is 100 by default.
const connections = 4

func openPostgres(p place) (*sql.DB, dialect, error) {
	config, err := pgx.ParseConfig(p.url)
	if err != nil {
		text := err.Error() // quotes the URL between backquotes
		return nil, dialect{}, fmt.Errorf("%s: %s", p.shown, oneLine(text[strings.LastIndex(text, "`: ")+1:]))
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "syncretic"
	}
	handle := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, session)
		return err
	}))
	handle.SetMaxOpenConns(connections)
	handle.SetMaxIdleConns(2)
	handle.SetConnMaxIdleTime(time.Minute)
	return handle, dialect{
		begin: "BEGIN",
		lock:  "SELECT study_id FROM studies WHERE study_id = ? FOR UPDATE",
		await: "SELECT trial_id FROM trials WHERE trial_id = ? FOR UPDATE",
		types: map[string]string{"serial": "SERIAL NOT NULL", "DATETIME": "TIMESTAMP WITHOUT TIME ZONE", "FLOAT": "FLOAT(53)"},
		enums: true,
		exist: "SELECT to_regclass(quote_ident(?)) IS NOT NULL",
		guard: "SELECT pg_advisory_xact_lock(3626402312)", // any number of our own
		// In the session's time zone, as Optuna's func.now() becomes in a column without one.
		clock:     "CAST(clock_timestamp() AS timestamp)",
		age:       "CAST(EXTRACT(EPOCH FROM CAST(clock_timestamp() AS timestamp) - h.heartbeat) AS double precision)",
		uptime:    "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp() - pg_postmaster_start_time()) AS double precision)",
		among:     "trial_id = ANY (CAST(? AS integer[]))",
		ids:       list("{", "}"),
		arguments: numbered,
		transient: lostConnection,
		explain:   func(err error) error { return explainPostgres(err, config.Password) },
	}, nil
}

// lostConnection reports whether the server could not be reached, ended, is starting, has no room, or broke off a deadlock.
func lostConnection(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case "57P01", "57P02", "57P03", // shutting down, crashed, starting
			"25P03",                   // idle_in_transaction_session_timeout: this process stood still
			"53300",                   // too many connections
			"40001", "40P01", "55P03", // serialisation, deadlock, lock not available
			"42P07", "42710": // tables that another process has just made
			return true
		case "23505": // a unique index of the catalogue, likewise, or a study
			return strings.HasPrefix(refused.ConstraintName, "pg_") || refused.ConstraintName == "ix_studies_study_name"
		}
		return strings.HasPrefix(refused.Code, "08") // connection exceptions
	}
	var name *net.DNSError
	if errors.As(err, &name) && name.IsNotFound {
		return false
	}
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &network) || pgconn.SafeToRetry(err)
}

// explainPostgres gives an error of the driver, which has several lines and repeats itself, one that says what was refused.
func explainPostgres(err error, password string) error {
	var refused *pgconn.PgError
	var network *net.OpError
	var text string
	switch {
	case errors.As(err, &refused):
		text = refused.Message + " (SQLSTATE " + refused.Code + ")"
	case errors.As(err, &network):
		text = network.Error()
	default:
		text = err.Error()
		if password != "" {
			text = strings.ReplaceAll(text, password, "***")
		}
	}
	return plainError{oneLine(text), err}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// A plainError is an error in other words.
type plainError struct {
	text string
	err  error
}

func (e plainError) Error() string { return e.text }
func (e plainError) Unwrap() error { return e.err }
