package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"syncretic/sweep/search"
)

// A dump is what testdata/dump_schema.py writes of a database that Optuna made.
type dump struct {
	Optuna string               `json:"optuna"`
	Rows   map[string][][]any   `json:"rows"`
	Tables map[string]dumpTable `json:"tables"` // of SQLite
	Lines  []string             `json:"lines"`  // of PostgreSQL: describe_postgres.sql
}

type dumpTable struct {
	Columns     [][]any     `json:"columns"`
	Indexes     []dumpIndex `json:"indexes"`
	ForeignKeys [][]any     `json:"foreign_keys"`
}

type dumpIndex struct {
	Columns []string `json:"columns"`
	Name    string   `json:"name"`
	Unique  bool     `json:"unique"`
}

func golden(t *testing.T, name string) dump {
	t.Helper()
	data, err := os.ReadFile("testdata/optuna_" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var d dump
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Rows) != 13 || d.Optuna != LibraryVersion {
		t.Fatalf("golden has %d tables of optuna %s, want 13 of %s", len(d.Rows), d.Optuna, LibraryVersion)
	}
	return d
}

func TestSchemaIsOptunas(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		db := b.make(t)
		if b.name == "postgres" {
			text, err := os.ReadFile("testdata/describe_postgres.sql")
			if err != nil {
				t.Fatal(err)
			}
			got, want := column(t, db, string(text)), golden(t, "postgres").Lines
			if len(want) < 100 {
				t.Fatalf("golden has %d lines", len(want))
			}
			for _, line := range want {
				if !slices.Contains(got, line) {
					t.Errorf("missing: %s", line)
				}
			}
			for _, line := range got {
				if !slices.Contains(want, line) {
					t.Errorf("not Optuna's: %s", line)
				}
			}
			return
		}
		want := golden(t, "schema").Tables
		if names := column(t, db, "SELECT name FROM sqlite_master WHERE type = 'table'"); len(names) != len(want) {
			t.Errorf("%d tables, want %d", len(names), len(want))
		}
		for name, table := range want {
			var columns, keys [][]any
			for _, r := range query(t, db, "PRAGMA table_info("+name+")") {
				columns = append(columns, []any{r[1], r[2], r[3], r[5]})
			}
			equal(t, name+": columns", columns, table.Columns)
			for _, r := range query(t, db, "PRAGMA foreign_key_list("+name+")") {
				keys = append(keys, []any{r[2], r[3], r[4]})
			}
			equal(t, name+": foreign keys", keys, table.ForeignKeys)
			equal(t, name+": indexes", indexes(t, db, name), table.Indexes)
		}
	})
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

// pairSpace has a parameter of every kind, as the script suggests them.
func pairSpace() search.Space {
	return search.Space{
		{Name: "method", Choices: []string{"task_arithmetic", "ties"}},
		{Name: "density", Low: 0.1, High: 0.9, Step: 0.1, When: "method", Is: []string{"ties"}},
		{Name: "steps", Low: 1, High: 1000, Integer: true, Log: true},
		{Name: "layers", Low: 0, High: 12, Step: 3, Integer: true},
		{Name: "scale", Low: 0, High: 1},
		{Name: "gamma", Low: 0.001, High: 1, Log: true},
	}
}

// live lives through the script's studies.
func live(t *testing.T, db *DB) {
	ctx := context.Background()
	make := func(name string, directions ...search.Direction) *Study {
		attributes := map[string]any{"seed": 7}
		if name != "syncretic" {
			attributes = nil
		}
		s, created, err := db.CreateStudy(ctx, name, directions, attributes)
		if err != nil || !created {
			t.Fatal(created, err)
		}
		return s
	}
	finish := func(s *Study, id int64, o Outcome) {
		if err := s.Finish(ctx, id, o); err != nil {
			t.Fatal(err)
		}
	}
	study := make("syncretic", search.Maximize)
	enqueue(t, study, 0.25, 0.5)
	finish(study, claim(t, study, ClaimOptions{}).ID, Outcome{State: search.Complete, Values: []float64{0.25}, User: map[string]any{"version": "v0"}})
	finish(study, claim(t, study, ClaimOptions{}).ID, Outcome{State: search.Fail, User: map[string]any{"error": "v0"}})
	enqueue(t, study, 1)

	pair := make("pair", search.Maximize, search.Minimize)
	err := pair.Enqueue(ctx, pairSpace(), func([]Trial) ([]Entry, error) {
		return []Entry{{Point: search.Point{"method": 1, "density": 0.5, "steps": 10, "layers": 3, "scale": 0.25, "gamma": 0.01}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	finish(pair, claim(t, pair, ClaimOptions{Space: pairSpace()}).ID,
		Outcome{State: search.Complete, Values: []float64{math.Inf(1), math.Inf(-1)}, Constraints: []float64{-0.5, 0.25}})

	space := search.Space{{Name: "n", Low: 1, High: 4, Integer: true}}
	steps := make("steps", search.Minimize)
	err = steps.Enqueue(ctx, space, func([]Trial) ([]Entry, error) { return []Entry{{Point: search.Point{"n": 2}}}, nil })
	if err != nil {
		t.Fatal(err)
	}
	trial := claim(t, steps, ClaimOptions{Space: space})
	for step, value := range []float64{0.5, math.Inf(1), math.Inf(-1), math.NaN()} {
		if err := steps.Report(ctx, trial.ID, step, value); err != nil {
			t.Fatal(err)
		}
	}
	finish(steps, trial.ID, Outcome{State: search.Complete, Values: []float64{0.125}})
}

// Every row of every table is Optuna's, but for this package's receipts and heartbeats.
func TestRowsAreOptunas(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		want := golden(t, map[string]string{"sqlite": "schema", "postgres": "postgres"}[b.name]).Rows
		db := b.make(t)
		live(t, db)
		if n := len(query(t, db, "SELECT * FROM trial_heartbeats")); n != 4 {
			t.Errorf("%d heartbeats, want 4", n)
		}
		for name, rows := range want {
			var got [][]any
			for _, row := range query(t, db, "SELECT * FROM "+name+" ORDER BY 1") {
				for i, v := range row {
					if stored, ok := v.(time.Time); ok && !stored.IsZero() {
						row[i] = "TIME"
					}
				}
				own := slices.ContainsFunc(row, func(v any) bool { return strings.HasPrefix(fmt.Sprint(v), "syncretic:") })
				if !own && name != "trial_heartbeats" {
					got = append(got, row)
				}
			}
			if strings.HasSuffix(name, "_attributes") { // their ids have gaps, where receipts stand
				got, rows = withoutFirst(got), withoutFirst(rows)
			}
			equal(t, name, decoded(t, got), decoded(t, rows))
		}
	})
}

func withoutFirst(rows [][]any) (out [][]any) {
	for _, row := range rows {
		out = append(out, row[1:])
	}
	return out
}

// decoded replaces JSON texts by their values: Optuna writes a space after each colon.
func decoded(t *testing.T, rows [][]any) [][]any {
	t.Helper()
	var out [][]any
	for _, row := range rows {
		var cells []any
		for _, v := range row {
			if text, ok := v.(string); ok && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) {
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

// Trials are read as they were written, whoever wrote them.
func TestTrialsComeBack(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		db := b.make(t)
		live(t, db)
		pair, err := db.Study(context.Background(), "pair")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(pair.Directions(), []search.Direction{search.Maximize, search.Minimize}) {
			t.Errorf("directions %v", pair.Directions())
		}
		got := trials(t, pair)[0]
		point := search.Point{"method": 1, "density": 0.5, "steps": 10, "layers": 3, "scale": 0.25, "gamma": 0.01}
		want := search.Trial{State: search.Complete, Point: point, Values: []float64{math.Inf(1), math.Inf(-1)}, Constraints: []float64{-0.5, 0.25}}
		if !reflect.DeepEqual(got.Trial, want) {
			t.Errorf("trial %+v, want %+v", got.Trial, want)
		}
		space := pairSpace()
		space[1].When, space[1].Is = "", nil // conditions are the sampler's
		if !reflect.DeepEqual(got.Params, space) {
			t.Errorf("parameters %+v, want %+v", got.Params, space)
		}
		steps, err := db.Study(context.Background(), "steps")
		if err != nil {
			t.Fatal(err)
		}
		reported := trials(t, steps)[0].Steps
		if len(reported) != 4 || reported[0] != 0.5 || !math.IsInf(reported[1], 1) || !math.IsInf(reported[2], -1) || !math.IsNaN(reported[3]) {
			t.Errorf("steps %v", reported)
		}
	})
}

func TestTimesAreSpeltAsOptunaSpellsThem(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		db := b.make(t)
		db.now = func() time.Time {
			return time.Date(2026, 3, 1, 9, 5, 7, 1_000, time.FixedZone("Athens", 2*3600))
		}
		study := newStudy(t, db)
		enqueue(t, study, 0)
		trial := claim(t, study, ClaimOptions{})
		if read := trials(t, study)[0].Started; !trial.Started.Equal(db.now()) || !read.Equal(db.now()) || read.Location() != time.Local {
			t.Errorf("started %v, read %v, want %v", trial.Started, read, db.now())
		}
		got := column(t, db, "SELECT CAST(datetime_start AS TEXT) FROM trials")
		if want := "2026-03-01 07:05:07.000001"; !slices.Equal(got, []string{want}) { // in UTC
			t.Errorf("stored %q, want %q", got, want)
		}
	})
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
