package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"syncretic/sweep/search"
)

// A faulty driver loses the connection at the next COMMIT: before it reaches the database, after, or while it is on its way, so that it
// takes place late.
type faulty struct {
	driver.Connector
	mutex sync.Mutex
	fault string // "", "before", "after" or "late"
	hits  int
	late  sync.WaitGroup
}

type faultyConn struct {
	driver.Conn
	of   *faulty
	lost bool
}

// Close leaves a lost connection to its late commit.
func (c *faultyConn) Close() error {
	if c.lost {
		return nil
	}
	return c.Conn.Close()
}

func (f *faulty) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := f.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &faultyConn{Conn: c, of: f}, nil
}

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	exec := c.Conn.(driver.ExecerContext)
	if c.lost {
		return nil, driver.ErrBadConn
	}
	c.of.mutex.Lock()
	fault := c.of.fault
	if query == "COMMIT" && fault != "" {
		c.of.fault = ""
		c.of.hits++
	} else {
		fault = ""
	}
	c.of.mutex.Unlock()
	switch fault {
	case "before":
		_, err := exec.ExecContext(ctx, "ROLLBACK", nil)
		return nil, errors.Join(err, errLost)
	case "after":
		_, err := exec.ExecContext(ctx, query, args)
		return nil, errors.Join(err, errLost)
	case "late":
		c.lost = true
		c.of.late.Go(func() {
			time.Sleep(200 * time.Millisecond)
			_, _ = exec.ExecContext(context.Background(), query, args) // what it did is seen in the database
			_ = c.Conn.Close()
		})
		return nil, errLost
	}
	return exec.ExecContext(ctx, query, args)
}

func (c *faultyConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// errLost stands for a connection reset while COMMIT was on its way.
var errLost = errors.New("connection reset")

// withFaults puts a faulty driver under a database.
func withFaults(t *testing.T, db *DB) *faulty {
	t.Helper()
	f := &faulty{Connector: connector{db.sql.Driver(), db.place}}
	db.sql.Close()
	db.sql = sql.OpenDB(f)
	inner := db.dialect.transient
	db.dialect.transient = func(err error) bool { return errors.Is(err, errLost) || inner(err) }
	return f
}

type connector struct {
	driver driver.Driver
	place  place
}

func (c connector) Connect(context.Context) (driver.Conn, error) {
	if c.place.url != "" {
		return c.driver.Open(c.place.url)
	}
	return c.driver.Open(dsn(c.place.path, busyTimeout))
}

func (c connector) Driver() driver.Driver { return c.driver }

// Whatever happens to a commit, each operation is stored once and reports no false error.
func TestCommitsInDoubt(t *testing.T) {
	ctx := context.Background()
	propose := func([]search.Trial) (search.Proposal, error) {
		return search.Proposal{Point: search.Point{"lambda": 0.5}}, nil
	}
	options := ClaimOptions{Space: unit(), Propose: propose, Worker: "w"}
	var trial *Trial
	operations := []struct {
		name string
		do   func(s *Study) error
		want string // "number STATE" of all trials afterwards
	}{
		{"claim of a proposal", func(s *Study) (err error) {
			turn, err := s.Claim(ctx, options)
			trial = turn.Trial
			return err
		}, "0 RUNNING"},
		{"heartbeat", func(s *Study) error { return s.Heartbeat(ctx, trial.ID) }, "0 RUNNING"},
		{"report", func(s *Study) error { return s.Report(ctx, trial.ID, 1, 0.5) }, "0 RUNNING"},
		{"put back", func(s *Study) error { return s.PutBack(ctx, trial.ID, "told to end") }, "0 FAIL, 1 WAITING"},
		{"claim of a waiting trial", func(s *Study) (err error) {
			turn, err := s.Claim(ctx, options)
			trial = turn.Trial
			return err
		}, "0 FAIL, 1 RUNNING"},
		{"finish", func(s *Study) error {
			return s.Finish(ctx, trial.ID, Outcome{State: search.Complete, Values: []float64{1}})
		}, "0 FAIL, 1 COMPLETE"},
		{"enqueue", func(s *Study) error {
			return s.Enqueue(ctx, unit(), func([]Trial) ([]Entry, error) { return []Entry{{Point: search.Point{"lambda": 1}}}, nil })
		}, "0 FAIL, 1 COMPLETE, 2 WAITING"},
		{"update", func(s *Study) error {
			return s.Update(ctx, "n", func(old json.RawMessage) (any, error) { return string(old) + "x", nil })
		}, "0 FAIL, 1 COMPLETE, 2 WAITING"},
	}
	for _, fault := range []string{"before", "after", "late"} {
		t.Run(fault, func(t *testing.T) {
			eachBackend(t, func(t *testing.T, b backend) {
				study := b.study(t)
				f := withFaults(t, study.db)
				defer f.late.Wait()
				for i, o := range operations {
					f.fault = fault
					if err := o.do(study); err != nil {
						t.Fatalf("%s: %v", o.name, err)
					}
					if f.hits != i+1 {
						t.Fatalf("%s: %d faults, want %d", o.name, f.hits, i+1)
					}
					var got []string
					for _, trial := range trials(t, study) {
						got = append(got, strings.TrimSpace(string(rune('0'+trial.Number)))+" "+string(trial.State))
					}
					if strings.Join(got, ", ") != o.want {
						t.Fatalf("%s: trials %q, want %q", o.name, got, o.want)
					}
				}
				if trial.Number != 1 || trial.Point["lambda"] != 0.5 || string(trial.User[AttrWorker]) != `"w"` {
					t.Errorf("claimed %+v", trial)
				}
				attributes, err := study.Attributes(ctx)
				if err != nil || string(attributes["n"]) != `"x"` {
					t.Errorf("updated to %s, %v: want one x", attributes["n"], err)
				}
				f.fault = fault
				if _, created, err := study.db.CreateStudy(ctx, "other", []search.Direction{search.Minimize}, nil); err != nil || !created {
					t.Errorf("study created %t, %v", created, err)
				}
			})
		})
	}
}

// Patience has an end, and a cancelled context ends it at once.
func TestPatience(t *testing.T) {
	study := backends(t)[0].study(t)
	holder := again(t, study)
	release, err := holder.db.sql.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer release.Close()
	if _, err := release.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 1)
	db, err := Open(context.Background(), study.db.place.path, WithPatience(3*time.Second), WithNotice(func(err error) { told <- err }))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	waiting, err := db.Study(context.Background(), "s")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err = waiting.SetAttributes(context.Background(), map[string]any{"a": 1}, nil)
	if err == nil || !strings.Contains(err.Error(), "gave up after 3s") || !strings.Contains(err.Error(), "locked") || time.Since(began) > 20*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	select {
	case notice := <-told:
		if !strings.Contains(notice.Error(), "waiting: ") {
			t.Errorf("notice %q", notice)
		}
	default:
		t.Error("nobody was told")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	began = time.Now()
	if err := study.SetAttributes(ctx, map[string]any{"a": 1}, nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 10*time.Second {
		t.Errorf("cancelled after %v: %v", time.Since(began), err)
	}
	if _, err := release.ExecContext(context.Background(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := study.SetAttributes(context.Background(), map[string]any{"a": 1}, nil); err != nil {
		t.Error(err)
	}
}
