package store

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// A dump is what testdata/dump_schema.py writes of a database that Optuna made.
type dump struct {
	Optuna string               `json:"optuna"`
	Tables map[string]dumpTable `json:"tables"`
}

type dumpTable struct {
	Columns     [][]any     `json:"columns"`
	Indexes     []dumpIndex `json:"indexes"`
	ForeignKeys [][]any     `json:"foreign_keys"`
	Rows        [][]any     `json:"rows"`
}

type dumpIndex struct {
	Columns []string `json:"columns"`
	Name    string   `json:"name"`
	Unique  bool     `json:"unique"`
}

func golden(t *testing.T) dump {
	t.Helper()
	data, err := os.ReadFile("testdata/optuna_schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dump
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Tables) != 13 || d.Optuna != LibraryVersion {
		t.Fatalf("golden has %d tables of optuna %s, want 13 of %s", len(d.Tables), d.Optuna, LibraryVersion)
	}
	return d
}

func TestSchemaIsOptunas(t *testing.T) {
	want := golden(t)
	db := create(t)
	names := column(t, db, "SELECT name FROM sqlite_master WHERE type = 'table'")
	if len(names) != len(want.Tables) {
		t.Errorf("%d tables, want %d", len(names), len(want.Tables))
	}
	for name, table := range want.Tables {
		t.Run(name, func(t *testing.T) {
			var columns, keys [][]any
			for _, r := range query(t, db, "PRAGMA table_info("+name+")") {
				columns = append(columns, []any{r[1], r[2], r[3], r[5]})
			}
			equal(t, "columns", columns, table.Columns)
			for _, r := range query(t, db, "PRAGMA foreign_key_list("+name+")") {
				keys = append(keys, []any{r[2], r[3], r[4]})
			}
			equal(t, "foreign keys", keys, table.ForeignKeys)
			equal(t, "indexes", indexes(t, db, name), table.Indexes)
		})
	}
}

func indexes(t *testing.T, db *DB, table string) []dumpIndex {
	var out []dumpIndex
	for _, r := range query(t, db, "PRAGMA index_list("+table+")") {
		index := dumpIndex{Unique: fmt.Sprint(r[2]) == "1"}
		if r[3] == "c" {
			index.Name = r[1].(string)
		}
		for _, c := range query(t, db, "PRAGMA index_info("+r[1].(string)+")") {
			index.Columns = append(index.Columns, c[2].(string))
		}
		out = append(out, index)
	}
	order := func(i dumpIndex) string { return strings.Join(i.Columns, ",") }
	slices.SortFunc(out, func(a, b dumpIndex) int { return strings.Compare(order(a), order(b)) })
	return out
}

// TestRowsAreOptunas lives through the script's study and compares every row of every table.
func TestRowsAreOptunas(t *testing.T) {
	ctx := context.Background()
	want := golden(t)
	db := create(t)
	study, created, err := db.CreateStudy(ctx, "syncretic", Maximize, map[string]any{"seed": 7})
	if err != nil || !created {
		t.Fatal(created, err)
	}
	enqueue(t, study, 0.25, 0.5)
	for i, outcome := range []Outcome{
		{State: Complete, Value: 0.25, User: map[string]any{"version": "v0"}},
		{State: Fail, User: map[string]any{"error": "v0"}},
	} {
		claimed, err := study.Claim(ctx, unit())
		if err != nil || claimed == nil || claimed.Number != i {
			t.Fatalf("claim %d: %v, %v", i, claimed, err)
		}
		if err := study.Finish(ctx, claimed.ID, outcome); err != nil {
			t.Fatal(err)
		}
	}
	enqueue(t, study, 1)
	for name, table := range want.Tables {
		t.Run(name, func(t *testing.T) {
			rows := query(t, db, "SELECT * FROM "+name)
			for _, row := range rows {
				for i, v := range row {
					if stored, ok := v.(time.Time); ok && !stored.IsZero() {
						row[i] = "TIME"
					}
				}
			}
			equal(t, "rows", decoded(t, rows), decoded(t, table.Rows))
		})
	}
}

// decoded replaces JSON texts by their values: Optuna writes a space after each colon.
func decoded(t *testing.T, rows [][]any) [][]any {
	t.Helper()
	var out [][]any
	for _, row := range rows {
		var cells []any
		for _, v := range row {
			if text, ok := v.(string); ok && strings.HasPrefix(text, "{") {
				var tree any
				if err := json.Unmarshal([]byte(text), &tree); err != nil {
					t.Fatal(err)
				}
				v = tree
			}
			cells = append(cells, v)
		}
		out = append(out, cells)
	}
	return out
}

func TestTimesAreSpeltAsOptunaSpellsThem(t *testing.T) {
	ctx := context.Background()
	db := create(t)
	db.now = func() time.Time { return time.Date(2026, 3, 1, 9, 5, 7, 1_000, time.Local) }
	study, _, err := db.CreateStudy(ctx, "s", Maximize, nil)
	if err != nil {
		t.Fatal(err)
	}
	enqueue(t, study, 0)
	trial, err := study.Claim(ctx, unit())
	if err != nil {
		t.Fatal(err)
	}
	if !trial.Started.Equal(db.now()) {
		t.Errorf("started %v, want %v", trial.Started, db.now())
	}
	got := column(t, db, "SELECT CAST(datetime_start AS TEXT) FROM trials")
	if want := "2026-03-01 09:05:07.000001"; !slices.Equal(got, []string{want}) {
		t.Errorf("stored %q, want %q", got, want)
	}
}

func create(t *testing.T) *DB {
	t.Helper()
	db, err := Create(context.Background(), filepath.Join(t.TempDir(), "a study?#%41.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func unit() map[string]Range { return map[string]Range{"lambda": {0, 1}} }

func enqueue(t *testing.T, study *Study, lambdas ...float64) {
	t.Helper()
	err := study.Enqueue(context.Background(), func([]Trial) ([]Entry, error) {
		var entries []Entry
		for _, v := range lambdas {
			entries = append(entries, Entry{Params: map[string]float64{"lambda": v}})
		}
		return entries, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func query(t *testing.T, db *DB, text string) [][]any {
	t.Helper()
	rows, err := db.sql.Query(text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]any
	for rows.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func column(t *testing.T, db *DB, text string) []string {
	t.Helper()
	var out []string
	for _, row := range query(t, db, text) {
		out = append(out, fmt.Sprint(row[0]))
	}
	return out
}

// equal compares two values by their JSON, which gives integers of either side one spelling.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if empty(got) && empty(want) {
		return
	}
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(g) != string(w) {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func empty(v any) bool {
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Slice && r.Len() == 0
}
