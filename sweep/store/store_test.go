package store

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
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
	other := filepath.Join(folder, "other.sqlite")
	foreign, err := Create(context.Background(), other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := foreign.sql.Exec("DROP TABLE trial_heartbeats"); err != nil {
		t.Fatal(err)
	}
	foreign.Close()
	newer := filepath.Join(folder, "newer.sqlite")
	future, err := Create(context.Background(), newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := future.sql.Exec("UPDATE version_info SET schema_version = 13"); err != nil {
		t.Fatal(err)
	}
	future.Close()

	for _, c := range []struct {
		name, path string
		is         error
		says       string
	}{
		{"missing", filepath.Join(folder, "none"), fs.ErrNotExist, "none"},
		{"folder", folder, ErrInvalid, "not a regular file"},
		{"text", write("text", strings.Repeat("not a database, ", 200)), ErrInvalid, "text"},
		{"empty", write("empty", ""), ErrInvalid, "table studies is missing"},
		{"another database", other, ErrInvalid, "table trial_heartbeats is missing"},
		{"newer schema", newer, ErrInvalid, "schema version 13, want 12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := Open(context.Background(), c.path)
			if err == nil {
				db.Close()
				t.Fatal("opened")
			}
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %q, want %v and %q", err, c.is, c.says)
			}
		})
	}
	if data, err := os.ReadFile(filepath.Join(folder, "text")); err != nil || !strings.HasPrefix(string(data), "not a database") {
		t.Error("the refused file was changed")
	}
}

func TestCreateKeepsWhatIsThere(t *testing.T) {
	ctx := context.Background()
	db := create(t)
	first, created, err := db.CreateStudy(ctx, "s", Maximize, map[string]any{"a": 1})
	if err != nil || !created {
		t.Fatal(created, err)
	}
	enqueue(t, first, 0.5)
	again, err := Create(ctx, db.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	second, created, err := again.CreateStudy(ctx, "s", Minimize, map[string]any{"a": 2})
	if err != nil || created {
		t.Fatal(created, err)
	}
	attributes, err := second.Attributes(ctx)
	if err != nil || string(attributes["a"]) != "1" {
		t.Errorf("attributes %s, %v: want the first study's", attributes, err)
	}
	trials, err := second.Trials(ctx)
	if err != nil || len(trials) != 1 || trials[0].State != Waiting || trials[0].Params["lambda"] != 0.5 {
		t.Errorf("trials %+v, %v", trials, err)
	}
	names, err := again.Studies(ctx)
	if err != nil || !slices.Equal(names, []string{"s"}) {
		t.Errorf("studies %q, %v", names, err)
	}
	if _, err := again.Study(ctx, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing study: %v", err)
	}
}

// TestClaimsAreAtomic lets several databases, as several processes would, empty one queue.
func TestClaimsAreAtomic(t *testing.T) {
	ctx := context.Background()
	db := create(t)
	study, _, err := db.CreateStudy(ctx, "s", Maximize, nil)
	if err != nil {
		t.Fatal(err)
	}
	const trials, workers = 24, 3
	enqueue(t, study, make([]float64, trials)...)
	var mutex sync.Mutex
	var claimed []int
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			own, err := Open(ctx, db.Path())
			if err != nil {
				t.Error(err)
				return
			}
			defer own.Close()
			study, err := own.Study(ctx, "s")
			if err != nil {
				t.Error(err)
				return
			}
			for {
				trial, err := study.Claim(ctx, unit())
				if err != nil {
					t.Error(err)
					return
				}
				if trial == nil {
					return
				}
				mutex.Lock()
				claimed = append(claimed, trial.Number)
				mutex.Unlock()
				if err := study.Finish(ctx, trial.ID, Outcome{State: Complete, Value: float64(trial.Number)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	slices.Sort(claimed)
	for i := range trials {
		if i >= len(claimed) || claimed[i] != i {
			t.Fatalf("claimed %v, want each of 0..%d once", claimed, trials-1)
		}
	}
}

func TestFinish(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name    string
		outcome Outcome
		want    float64
		fails   bool
	}{
		{"finite", Outcome{State: Complete, Value: 0.5}, 0.5, false},
		{"infinite", Outcome{State: Complete, Value: math.Inf(1)}, math.Inf(1), false},
		{"minus infinite", Outcome{State: Complete, Value: math.Inf(-1)}, math.Inf(-1), false},
		{"failed", Outcome{State: Fail, Value: 3}, math.NaN(), false},
		{"NaN is no value", Outcome{State: Complete, Value: math.NaN()}, 0, true},
		{"running does not finish", Outcome{State: Running}, 0, true},
		{"attribute that JSON cannot hold", Outcome{State: Complete, User: map[string]any{"x": math.NaN()}}, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := create(t)
			study, _, err := db.CreateStudy(ctx, "s", Maximize, nil)
			if err != nil {
				t.Fatal(err)
			}
			enqueue(t, study, 0.5)
			trial, err := study.Claim(ctx, unit())
			if err != nil {
				t.Fatal(err)
			}
			err = study.Finish(ctx, trial.ID, c.outcome)
			if (err != nil) != c.fails {
				t.Fatalf("error %v, want one: %t", err, c.fails)
			}
			trials, err := study.Trials(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if c.fails {
				if trials[0].State != Running || !trials[0].Finished.IsZero() {
					t.Errorf("a refused outcome left %+v", trials[0])
				}
				return
			}
			if got := trials[0].Value; got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
				t.Errorf("value %v, want %v", got, c.want)
			}
			if err := study.Finish(ctx, trial.ID, Outcome{State: Fail}); !errors.Is(err, ErrNotRunning) {
				t.Errorf("second finish: %v, want %v", err, ErrNotRunning)
			}
		})
	}
}

func TestClaimRefusesOtherParameters(t *testing.T) {
	ctx := context.Background()
	db := create(t)
	study, _, err := db.CreateStudy(ctx, "s", Maximize, nil)
	if err != nil {
		t.Fatal(err)
	}
	if trial, err := study.Claim(ctx, unit()); trial != nil || err != nil {
		t.Fatalf("an empty queue gave %v, %v", trial, err)
	}
	enqueue(t, study, 0.5)
	for _, ranges := range []map[string]Range{{"mu": {0, 1}}, {"lambda": {0, 1}, "mu": {0, 1}}} {
		if _, err := study.Claim(ctx, ranges); err == nil {
			t.Errorf("claimed under %v", ranges)
		}
	}
	trials, err := study.Trials(ctx)
	if err != nil || trials[0].State != Waiting {
		t.Errorf("a refused claim left %+v, %v", trials[0], err)
	}
}

func TestFailRunning(t *testing.T) {
	ctx := context.Background()
	db := create(t)
	study, _, err := db.CreateStudy(ctx, "s", Maximize, nil)
	if err != nil {
		t.Fatal(err)
	}
	enqueue(t, study, 0, 0.5, 1)
	for range 2 {
		if _, err := study.Claim(ctx, unit()); err != nil {
			t.Fatal(err)
		}
	}
	n, err := study.FailRunning(ctx, map[string]any{"error": "killed"})
	if n != 2 || err != nil {
		t.Fatalf("failed %d, %v; want 2", n, err)
	}
	trials, err := study.Trials(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var states []State
	for _, trial := range trials {
		states = append(states, trial.State)
	}
	if !slices.Equal(states, []State{Fail, Fail, Waiting}) || string(trials[0].User["error"]) != `"killed"` {
		t.Errorf("states %v, attributes %s", states, trials[0].User)
	}
}

func TestUpdate(t *testing.T) {
	ctx := context.Background()
	db := create(t)
	study, _, err := db.CreateStudy(ctx, "s", Maximize, nil)
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	for _, step := range []struct {
		old    string
		value  any
		err    error
		stored string
	}{
		{"", 1, nil, "1"},
		{"1", "two", nil, `"two"`},
		{`"two"`, 3, refused, `"two"`},
		{`"two"`, nil, nil, ""},
		{"", nil, nil, ""},
	} {
		err := study.Update(ctx, "key", func(old json.RawMessage) (any, error) {
			if string(old) != step.old {
				t.Errorf("old %s, want %s", old, step.old)
			}
			return step.value, step.err
		})
		if !errors.Is(err, step.err) {
			t.Errorf("error %v, want %v", err, step.err)
		}
		attributes, err := study.Attributes(ctx)
		if err != nil || string(attributes["key"]) != step.stored {
			t.Errorf("stored %s, %v; want %s", attributes["key"], err, step.stored)
		}
	}
}

func TestLockIsExclusive(t *testing.T) {
	ctx := context.Background()
	db := create(t)
	other, err := Open(ctx, db.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	release, err := db.Lock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Lock(ctx); !errors.Is(err, ErrLocked) {
		t.Errorf("second lock: %v, want %v", err, ErrLocked)
	}
	if _, err := other.Studies(ctx); err != nil {
		t.Errorf("reading under the lock: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	release, err = other.Lock(ctx)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}

func TestSettingsAreDurable(t *testing.T) {
	db := create(t)
	for pragma, want := range map[string]string{"synchronous": "2", "busy_timeout": "30000", "journal_mode": "delete", "foreign_keys": "1"} {
		if got := column(t, db, "PRAGMA "+pragma); !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %v, want %s", pragma, got, want)
		}
	}
}
