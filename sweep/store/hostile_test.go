package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncretic/sweep/search"
)

func TestOpenRefusesWhatIsNoStudy(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name, path string
		is         error
		says       string
	}{
		{"missing", filepath.Join(folder, "none"), fs.ErrNotExist, "none"},
		{"folder", folder, ErrInvalid, "not a regular file"},
		{"text", write("text", strings.Repeat("not a database, ", 200)), ErrInvalid, "text"},
		{"empty", write("empty", ""), ErrInvalid, "table studies is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			refused(t, Open, c.path, c.is, c.says)
		})
	}
	if data, err := os.ReadFile(filepath.Join(folder, "text")); err != nil || !strings.HasPrefix(string(data), "not a database") {
		t.Error("the refused file was changed")
	}
	refused(t, Create, filepath.Join(folder, "no", "study.sqlite"), fs.ErrNotExist, "no such file or directory")
	refused(t, Create, filepath.Join(folder, "text", "study.sqlite"), nil, "not a")
}

// refused opens and must get one line that says why.
func refused(t *testing.T, open func(context.Context, string, ...Option) (*DB, error), where string, is error, says string) {
	t.Helper()
	began := time.Now()
	db, err := open(context.Background(), where)
	if err == nil {
		db.Close()
		t.Fatalf("%s: opened", where)
	}
	if is != nil && !errors.Is(err, is) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") || time.Since(began) > 15*time.Second {
		t.Errorf("after %v, error %q: want %v and %q in one line", time.Since(began), err, is, says)
	}
}

func TestOpenRefusesOtherSchemas(t *testing.T) {
	for name, c := range map[string]struct{ statement, says string }{
		"another database": {"DROP TABLE trial_heartbeats", "table trial_heartbeats is missing"},
		"newer schema":     {"UPDATE version_info SET schema_version = 13", "schema version 13, want 12"},
		"no version":       {"DELETE FROM version_info", "no schema version"},
	} {
		t.Run(name, func(t *testing.T) {
			eachBackend(t, func(t *testing.T, b backend) {
				where := b.fresh(t)
				exec(t, made(t, where), c.statement)
				refused(t, Open, where, ErrInvalid, c.says)
				refused(t, Create, where, ErrInvalid, c.says)
			})
		})
	}
}

func TestPostgresRefuses(t *testing.T) {
	for _, b := range backends(t) {
		if b.name != "postgres" {
			continue
		}
		where := b.fresh(t)
		refused(t, Open, where, ErrInvalid, "table studies is missing")
		for name, c := range map[string]struct {
			change func(u *url.URL)
			says   string
		}{
			"password": {func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "hush-hush") }, "password authentication failed"},
			"user":     {func(u *url.URL) { u.User = url.UserPassword("nobody", "hush-hush") }, "authentication failed"},
			"database": {func(u *url.URL) { u.Path = "/nowhere" }, `database "nowhere" does not exist`},
			"host":     {func(u *url.URL) { u.Host = "no-such-host.invalid:5432" }, "no-such-host.invalid"},
			"setting":  {func(u *url.URL) { u.RawQuery = "sslmode=sometimes" }, "sslmode is invalid"},
		} {
			t.Run(name, func(t *testing.T) {
				u, err := url.Parse(where)
				if err != nil {
					t.Fatal(err)
				}
				c.change(u)
				refused(t, Create, u.String(), nil, c.says)
				db, err := Open(context.Background(), u.String())
				if err == nil {
					db.Close()
				}
				password, _ := u.User.Password()
				if err == nil || strings.Contains(err.Error(), password) || !strings.HasPrefix(err.Error(), "postgres://"+u.User.Username()+":***@") {
					t.Errorf("error %v, password %s", err, password)
				}
			})
		}
	}
	// Nobody listens: Open waits for a server that starts, as long as it is told to, and says for what.
	var told error
	began := time.Now()
	_, err := Open(context.Background(), "postgres://u:hush-hush@127.0.0.1:1/d", WithPatience(1500*time.Millisecond), WithNotice(func(err error) { told = err }))
	if err == nil || !strings.Contains(err.Error(), "gave up after 1.5s") || !strings.Contains(err.Error(), "connection refused") ||
		told == nil || strings.Contains(fmt.Sprint(err, told), "hush") || strings.Contains(fmt.Sprint(err, told), "\n") || time.Since(began) > 10*time.Second {
		t.Errorf("after %v: %v; told %v", time.Since(began), err, told)
	}
}

// A file that lost its middle is refused where it is read, without a panic and without a change.
func TestCorruptFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.sqlite")
	db, err := Create(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	study := newStudy(t, db)
	enqueue(t, study, make([]float64, 200)...)
	db.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refusals := 0
	for page := 4096; page < len(whole); page += 4096 {
		broken := bytes.Clone(whole)
		for i := page; i < page+4096; i++ {
			broken[i] = byte(i * 7)
		}
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		err := useAll(path)
		if err != nil {
			refusals++
			if !errors.Is(err, ErrInvalid) || strings.Contains(err.Error(), "\n") {
				t.Errorf("page %d: error %q, want %v in one line", page/4096, err, ErrInvalid)
			}
		}
	}
	if refusals < 3 {
		t.Errorf("%d of %d broken pages were noticed", refusals, len(whole)/4096-1)
	}
	if err := os.WriteFile(path, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := useAll(path); !errors.Is(err, ErrInvalid) {
		t.Errorf("half a file: %v", err)
	}
}

// useAll opens a study, reads it and works on it.
func useAll(path string) error {
	ctx := context.Background()
	db, err := Open(ctx, path, WithPatience(time.Second))
	if err != nil {
		return err
	}
	defer db.Close()
	study, err := db.Study(ctx, "s")
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) { // the page held its row
			return fmt.Errorf("%w: %v", ErrInvalid, err)
		}
		return err
	}
	if _, err := study.Trials(ctx); err != nil {
		return err
	}
	turn, err := study.Claim(ctx, ClaimOptions{Space: unit()})
	if err != nil || turn.Trial == nil {
		return err
	}
	return study.Finish(ctx, turn.Trial.ID, Outcome{State: search.Complete, Values: []float64{1}})
}

// What other programs may have written is an error that names the trial, or is left out; it is never a panic.
func TestForeignRows(t *testing.T) {
	cases := map[string]struct{ statement, says string }{
		"distribution that is no JSON":  {`UPDATE trial_params SET distribution_json = '{'`, `trial 0: parameter "lambda": distribution`},
		"distribution of another kind":  {`UPDATE trial_params SET distribution_json = '{"name": "NormalDistribution", "attributes": {}}'`, `"NormalDistribution"`},
		"second objective without one":  {`UPDATE trial_values SET objective = 3`, "objective 3 follows 0 others"},
		"constraints that are no list":  {`UPDATE trial_system_attributes SET value_json = '{"a": [1]}' WHERE "key" = 'constraints'`, ""},
		"constraints with NaN":          {`UPDATE trial_system_attributes SET value_json = '[NaN, Infinity, -1.5]' WHERE "key" = 'constraints'`, ""},
		"tags that are no words":        {`UPDATE trial_system_attributes SET "key" = 'syncretic:tags' WHERE "key" = 'constraints'`, ""},
		"fixed parameters of no object": {`UPDATE trial_system_attributes SET value_json = '7' WHERE "key" = 'fixed_params'`, ""},
		"no attribute at all":           {`UPDATE trial_user_attributes SET value_json = NULL`, ""},
	}
	eachBackend(t, func(t *testing.T, b backend) {
		db := b.make(t)
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				study := namedStudy(t, db, name)
				enqueue(t, study, 0.5)
				trial := claim(t, study, ClaimOptions{Worker: "w"})
				err := study.Finish(context.Background(), trial.ID, Outcome{State: search.Complete, Values: []float64{1}, Constraints: []float64{1}})
				if err != nil {
					t.Fatal(err)
				}
				exec(t, study.db, c.statement)
				all, err := study.Trials(context.Background())
				if c.says == "" {
					if err != nil || len(all) != 1 || all[0].Values[0] != 1 {
						t.Errorf("trials %+v, %v", all, err)
					}
				} else if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("error %v, want %q", err, c.says)
				}
			})
		}
	})
}
