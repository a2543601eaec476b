package store

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"syncretic/sweep/search"
)

// A backend makes empty databases of one kind.
type backend struct {
	name  string
	fresh func(t testing.TB) (where string)
}

// backends are SQLite, and PostgreSQL where SYNCRETIC_POSTGRES is the URL of a server (testdata/postgres.sh starts one) on which
// databases can be made.
func backends(t testing.TB) []backend {
	out := []backend{{"sqlite", func(t testing.TB) string {
		return filepath.Join(t.TempDir(), "a study?#%41.sqlite")
	}}}
	if server := os.Getenv("SYNCRETIC_POSTGRES"); server != "" {
		out = append(out, backend{"postgres", func(t testing.TB) string { return freshPostgres(t, server) }})
	}
	return out
}

// eachBackend runs a test on every kind of database.
func eachBackend(t *testing.T, test func(t *testing.T, b backend)) {
	for _, b := range backends(t) {
		t.Run(b.name, func(t *testing.T) { test(t, b) })
	}
}

// freshPostgres makes a database and removes it after the test.
func freshPostgres(t testing.TB, server string) string {
	t.Helper()
	p, err := parsePlace(server)
	if err != nil {
		t.Fatal(err)
	}
	handle, _, err := openPostgres(p)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("syncretic_test_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := handle.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := handle.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		handle.Close()
	})
	u, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// make makes a database with its tables.
func (b backend) make(t testing.TB) *DB {
	t.Helper()
	return made(t, b.fresh(t))
}

// study makes a study that maximises one objective.
func (b backend) study(t testing.TB) *Study {
	t.Helper()
	return newStudy(t, b.make(t))
}

// made makes a database at a place.
func made(t testing.TB, where string) *DB {
	t.Helper()
	db, err := Create(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func newStudy(t testing.TB, db *DB) *Study {
	t.Helper()
	return namedStudy(t, db, "s")
}

func namedStudy(t testing.TB, db *DB, name string) *Study {
	t.Helper()
	s, created, err := db.CreateStudy(context.Background(), name, []search.Direction{search.Maximize}, nil)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	return s
}

// again opens a study by another connection, as another process would.
func again(t testing.TB, s *Study) *Study {
	t.Helper()
	where := s.db.place.url
	if where == "" {
		where = s.db.place.path
	}
	db, err := Open(context.Background(), where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	other, err := db.Study(context.Background(), s.name)
	if err != nil {
		t.Fatal(err)
	}
	return other
}

// unit is a space of one number.
func unit() search.Space { return search.Space{{Name: "lambda", High: 1}} }

func enqueue(t testing.TB, s *Study, lambdas ...float64) {
	t.Helper()
	err := s.Enqueue(context.Background(), unit(), func([]Trial) ([]Entry, error) {
		var entries []Entry
		for _, v := range lambdas {
			entries = append(entries, Entry{Point: search.Point{"lambda": v}})
		}
		return entries, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// claim claims and must get a trial.
func claim(t testing.TB, s *Study, o ClaimOptions) *Trial {
	t.Helper()
	if o.Space == nil {
		o.Space = unit()
	}
	claimed, err := s.Claim(context.Background(), o)
	if err != nil || claimed.Trial == nil {
		t.Fatalf("claimed %+v, %v", claimed, err)
	}
	return claimed.Trial
}

func trials(t testing.TB, s *Study) []Trial {
	t.Helper()
	all, err := s.Trials(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// query reads every row of a query.
func query(t testing.TB, db *DB, text string, args ...any) [][]any {
	t.Helper()
	rows, err := db.sql.Query(db.dialect.arguments(text), args...)
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

func column(t testing.TB, db *DB, text string, args ...any) []string {
	t.Helper()
	var out []string
	for _, row := range query(t, db, text, args...) {
		out = append(out, fmt.Sprint(row[0]))
	}
	return out
}

func exec(t testing.TB, db *DB, text string, args ...any) {
	t.Helper()
	if _, err := db.sql.Exec(db.dialect.arguments(text), args...); err != nil {
		t.Fatal(err)
	}
}
