package store

import (
	"context"
	"database/sql"
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

// A table of the schema: its columns as SQLite spells them, and what comes after them. A column "serial" is its own key.
type table struct {
	name    string
	columns []string
	rules   []string
}

// enumerations are the types that PostgreSQL has of its own, with their values in Optuna's order. In SQLite they are text as wide
// as the longest value.
func enumerations() []enumeration {
	return []enumeration{
		{"studydirection", []string{"NOT_SET", "MINIMIZE", "MAXIMIZE"}},
		{"trialstate", []string{"RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"}},
		{"trialvaluetype", []string{"FINITE", "INF_POS", "INF_NEG"}},
		{"trialintermediatevaluetype", []string{"FINITE", "INF_POS", "INF_NEG", "NAN"}},
	}
}

type enumeration struct {
	name   string
	values []string
}

// schema lists Optuna's tables, referenced before referencing.
func schema() []table {
	attribute := func(owner, kind string) table {
		id := owner + "_" + kind + "_attribute_id"
		return table{owner + "_" + kind + "_attributes",
			[]string{id + " serial", ownerID(owner), `"key" VARCHAR(512)`, "value_json TEXT"},
			[]string{"PRIMARY KEY (" + id + ")", "UNIQUE (" + owner + `_id, "key")`, reference(owner)}}
	}
	return []table{
		{"studies", []string{"study_id serial", "study_name VARCHAR(512) NOT NULL"},
			[]string{"PRIMARY KEY (study_id)"}},
		{"version_info", []string{"version_info_id INTEGER NOT NULL", "schema_version INTEGER", "library_version VARCHAR(256)"},
			[]string{"PRIMARY KEY (version_info_id)", "CHECK (version_info_id=1)"}},
		{"study_directions", []string{"study_direction_id serial", "direction studydirection NOT NULL",
			"study_id INTEGER NOT NULL", "objective INTEGER NOT NULL"},
			[]string{"PRIMARY KEY (study_direction_id)", "UNIQUE (study_id, objective)", reference("study")}},
		attribute("study", "user"),
		attribute("study", "system"),
		{"trials", []string{"trial_id serial", "number INTEGER", ownerID("study"), "state trialstate NOT NULL",
			"datetime_start DATETIME", "datetime_complete DATETIME"},
			[]string{"PRIMARY KEY (trial_id)", reference("study")}},
		attribute("trial", "user"),
		attribute("trial", "system"),
		{"trial_params", []string{"param_id serial", ownerID("trial"), "param_name VARCHAR(512)",
			"param_value FLOAT", "distribution_json TEXT"},
			[]string{"PRIMARY KEY (param_id)", "UNIQUE (trial_id, param_name)", reference("trial")}},
		{"trial_values", []string{"trial_value_id serial", "trial_id INTEGER NOT NULL", "objective INTEGER NOT NULL",
			"value FLOAT", "value_type trialvaluetype NOT NULL"},
			[]string{"PRIMARY KEY (trial_value_id)", "UNIQUE (trial_id, objective)", reference("trial")}},
		{"trial_intermediate_values", []string{"trial_intermediate_value_id serial", "trial_id INTEGER NOT NULL",
			"step INTEGER NOT NULL", "intermediate_value FLOAT", "intermediate_value_type trialintermediatevaluetype NOT NULL"},
			[]string{"PRIMARY KEY (trial_intermediate_value_id)", "UNIQUE (trial_id, step)", reference("trial")}},
		{"trial_heartbeats", []string{"trial_heartbeat_id serial", "trial_id INTEGER NOT NULL", "heartbeat DATETIME NOT NULL"},
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

// statements makes the schema, in the dialect's types.
func (d *dialect) statements() []string {
	var out, types []string
	for name, spelt := range d.types {
		types = append(types, " "+name, " "+spelt)
	}
	for _, e := range enumerations() {
		if d.enums {
			out = append(out, "CREATE TYPE "+e.name+" AS ENUM ('"+strings.Join(e.values, "', '")+"')")
			continue
		}
		width := 0
		for _, v := range e.values {
			width = max(width, len(v))
		}
		types = append(types, " "+e.name+" ", fmt.Sprintf(" VARCHAR(%d) ", width))
	}
	spell := strings.NewReplacer(types...)
	for _, t := range schema() {
		var lines []string
		for _, column := range t.columns {
			lines = append(lines, spell.Replace(column))
		}
		out = append(out, "CREATE TABLE "+t.name+" ("+strings.Join(slices.Concat(lines, t.rules), ", ")+")")
	}
	return append(out,
		"CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name)",
		"CREATE INDEX ix_trials_study_id ON trials (study_id)",
		fmt.Sprintf("INSERT INTO version_info VALUES (1, %d, '%s')", SchemaVersion, LibraryVersion),
		fmt.Sprintf("INSERT INTO alembic_version VALUES ('%s')", AlembicRevision))
}

// makeSchema creates every table where there is none of them, and leaves any other database alone.
func makeSchema(ctx context.Context, tx conn) error {
	if tx.guard != "" {
		if _, err := tx.exec(ctx, tx.guard); err != nil {
			return err
		}
	}
	for _, t := range schema() {
		if exists, err := tx.hasTable(ctx, t.name); err != nil {
			return err
		} else if exists {
			return errUnchanged
		}
	}
	for _, s := range tx.statements() {
		if _, err := tx.exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func (c conn) hasTable(ctx context.Context, name string) (exists bool, err error) {
	_, err = c.one(ctx, []any{&exists}, c.exist, name)
	return exists, err
}

// checkSchema compares tables and schema version with what this package writes.
func checkSchema(ctx context.Context, q conn) error {
	for _, t := range schema() {
		if exists, err := q.hasTable(ctx, t.name); err != nil {
			return err
		} else if !exists {
			return fmt.Errorf("%w: table %s is missing", ErrInvalid, t.name)
		}
	}
	var version sql.NullInt64
	switch found, err := q.one(ctx, []any{&version}, "SELECT schema_version FROM version_info"); {
	case err != nil:
		return err
	case !found:
		return fmt.Errorf("%w: no schema version", ErrInvalid)
	case version.Int64 != SchemaVersion:
		return fmt.Errorf("%w: optuna schema version %d, want %d", ErrInvalid, version.Int64, SchemaVersion)
	}
	return nil
}
