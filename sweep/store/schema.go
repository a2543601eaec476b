package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The versions of Optuna's schema that this package reads and writes.
const (
	SchemaVersion   = 12
	LibraryVersion  = "5.0.0"
	AlembicRevision = "v3.2.0.a"
)

// A table of the schema: its columns as SQLite spells them, and what comes after them.
type table struct {
	name    string
	columns []string
	rules   []string
}

// schema lists Optuna's tables, referenced before referencing.
func schema() []table {
	attribute := func(owner, kind string) table {
		id := owner + "_" + kind + "_attribute_id"
		return table{owner + "_" + kind + "_attributes",
			[]string{id + " INTEGER NOT NULL", ownerID(owner), `"key" VARCHAR(512)`, "value_json TEXT"},
			[]string{"PRIMARY KEY (" + id + ")", "UNIQUE (" + owner + `_id, "key")`, reference(owner)}}
	}
	return []table{
		{"studies", []string{"study_id INTEGER NOT NULL", "study_name VARCHAR(512) NOT NULL"},
			[]string{"PRIMARY KEY (study_id)"}},
		{"version_info", []string{"version_info_id INTEGER NOT NULL", "schema_version INTEGER", "library_version VARCHAR(256)"},
			[]string{"PRIMARY KEY (version_info_id)", "CHECK (version_info_id=1)"}},
		{"study_directions", []string{"study_direction_id INTEGER NOT NULL", "direction VARCHAR(8) NOT NULL",
			"study_id INTEGER NOT NULL", "objective INTEGER NOT NULL"},
			[]string{"PRIMARY KEY (study_direction_id)", "UNIQUE (study_id, objective)", reference("study")}},
		attribute("study", "user"),
		attribute("study", "system"),
		{"trials", []string{"trial_id INTEGER NOT NULL", "number INTEGER", ownerID("study"), "state VARCHAR(8) NOT NULL",
			"datetime_start DATETIME", "datetime_complete DATETIME"},
			[]string{"PRIMARY KEY (trial_id)", reference("study")}},
		attribute("trial", "user"),
		attribute("trial", "system"),
		{"trial_params", []string{"param_id INTEGER NOT NULL", ownerID("trial"), "param_name VARCHAR(512)",
			"param_value FLOAT", "distribution_json TEXT"},
			[]string{"PRIMARY KEY (param_id)", "UNIQUE (trial_id, param_name)", reference("trial")}},
		{"trial_values", []string{"trial_value_id INTEGER NOT NULL", "trial_id INTEGER NOT NULL", "objective INTEGER NOT NULL",
			"value FLOAT", "value_type VARCHAR(7) NOT NULL"},
			[]string{"PRIMARY KEY (trial_value_id)", "UNIQUE (trial_id, objective)", reference("trial")}},
		{"trial_intermediate_values", []string{"trial_intermediate_value_id INTEGER NOT NULL", "trial_id INTEGER NOT NULL",
			"step INTEGER NOT NULL", "intermediate_value FLOAT", "intermediate_value_type VARCHAR(7) NOT NULL"},
			[]string{"PRIMARY KEY (trial_intermediate_value_id)", "UNIQUE (trial_id, step)", reference("trial")}},
		{"trial_heartbeats", []string{"trial_heartbeat_id INTEGER NOT NULL", "trial_id INTEGER NOT NULL", "heartbeat DATETIME NOT NULL"},
			[]string{"PRIMARY KEY (trial_heartbeat_id)", "UNIQUE (trial_id)", reference("trial")}},
		{"alembic_version", []string{"version_num VARCHAR(32) NOT NULL"},
			[]string{"CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)"}},
	}
}

func ownerID(owner string) string { return owner + "_id INTEGER" }

func reference(owner string) string {
	plural := map[string]string{"study": "studies", "trial": "trials"}[owner]
	return "FOREIGN KEY (" + owner + "_id) REFERENCES " + plural + " (" + owner + "_id)"
}

// makeSchema creates every table in an empty database and leaves any other database alone.
func makeSchema(ctx context.Context, tx *sql.Tx) error {
	var objects int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&objects); err != nil {
		return err
	}
	if objects > 0 {
		return nil
	}
	var statements []string
	for _, t := range schema() {
		body := strings.Join(slices.Concat(t.columns, t.rules), ", ")
		statements = append(statements, "CREATE TABLE "+t.name+" ("+body+")")
	}
	statements = append(statements,
		"CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name)",
		"CREATE INDEX ix_trials_study_id ON trials (study_id)")
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO version_info VALUES (1, ?, ?)", SchemaVersion, LibraryVersion); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO alembic_version VALUES (?)", AlembicRevision)
	return err
}

// checkSchema compares tables and schema version with what this package writes.
func (db *DB) checkSchema(ctx context.Context) error {
	for _, t := range schema() {
		var n int
		err := db.sql.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE type='table' AND name=?", t.name).Scan(&n)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%w: table %s is missing", ErrInvalid, t.name)
		}
	}
	var version sql.NullInt64
	err := db.sql.QueryRowContext(ctx, "SELECT schema_version FROM version_info").Scan(&version)
	if err == nil && version.Int64 != SchemaVersion {
		err = fmt.Errorf("%w: optuna schema version %d, want %d", ErrInvalid, version.Int64, SchemaVersion)
	} else if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: no schema version", ErrInvalid)
	}
	return err
}
