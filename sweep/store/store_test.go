package store

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"syncretic/sweep/search"
)

func TestCreateKeepsWhatIsThere(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		ctx := context.Background()
		where := b.fresh(t)
		db, err := Create(ctx, where)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		first, created, err := db.CreateStudy(ctx, "s", []search.Direction{search.Maximize}, map[string]any{"a": 1})
		if err != nil || !created {
			t.Fatal(created, err)
		}
		enqueue(t, first, 0.5)
		again, err := Create(ctx, where)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		second, created, err := again.CreateStudy(ctx, "s", []search.Direction{search.Minimize, search.Minimize}, map[string]any{"a": 2})
		if err != nil || created || !slices.Equal(second.Directions(), []search.Direction{search.Maximize}) {
			t.Fatal(created, err, second.Directions())
		}
		attributes, err := second.Attributes(ctx)
		if err != nil || string(attributes["a"]) != "1" {
			t.Errorf("attributes %s, %v: want the first study's", attributes, err)
		}
		if all := trials(t, second); len(all) != 1 || all[0].State != search.Waiting || all[0].Point["lambda"] != 0.5 {
			t.Errorf("trials %+v", all)
		}
		names, err := again.Studies(ctx)
		if err != nil || !slices.Equal(names, []string{"s"}) {
			t.Errorf("studies %q, %v", names, err)
		}
		if _, err := again.Study(ctx, "none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("missing study: %v", err)
		}
		if _, _, err := again.CreateStudy(ctx, "t", nil, nil); err == nil {
			t.Error("a study without a direction was made")
		}
	})
}

// Two processes may make the same tables at the same time.
func TestCreateAtOnce(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		where := b.fresh(t)
		errs := make(chan error)
		const processes = 4
		for range processes {
			go func() {
				db, err := Create(context.Background(), where)
				if err == nil {
					_, _, err = db.CreateStudy(context.Background(), "s", []search.Direction{search.Maximize}, nil)
					db.Close()
				}
				errs <- err
			}()
		}
		for range processes {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestUpdate(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		ctx := context.Background()
		study := b.study(t)
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
	})
}

// Counters that several processes raise lose nothing.
func TestUpdateIsAtomic(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		study := b.study(t)
		const processes, rounds = 3, 8
		errs := make(chan error)
		for range processes {
			other := again(t, study)
			go func() {
				var err error
				for range rounds {
					err = errors.Join(err, other.Update(context.Background(), "n", func(old json.RawMessage) (any, error) {
						n := 0
						if old != nil {
							if err := json.Unmarshal(old, &n); err != nil {
								return nil, err
							}
						}
						return n + 1, nil
					}))
				}
				errs <- err
			}()
		}
		for range processes {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		attributes, err := study.Attributes(context.Background())
		if err != nil || string(attributes["n"]) != "24" {
			t.Errorf("counted %s, %v; want 24", attributes["n"], err)
		}
	})
}

func TestStudyAttributes(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		ctx := context.Background()
		study := b.study(t)
		if err := study.SetAttributes(ctx, map[string]any{"a": 1, "b": 2}, map[string]any{"c": []int{3}}); err != nil {
			t.Fatal(err)
		}
		if err := study.SetAttributes(ctx, map[string]any{"b": "é\u2028\""}, nil); err != nil {
			t.Fatal(err)
		}
		user, err := study.Attributes(ctx)
		if err != nil || len(user) != 2 || string(user["a"]) != "1" {
			t.Errorf("user %s, %v", user, err)
		}
		var text string
		if err := json.Unmarshal(user["b"], &text); err != nil || text != "é\u2028\"" {
			t.Errorf("text %q, %v", text, err)
		}
		system, err := study.SystemAttributes(ctx)
		if err != nil || string(system["c"]) != "[3]" {
			t.Errorf("system %s, %v", system, err)
		}
	})
}

func TestSettingsAreDurable(t *testing.T) {
	db := backends(t)[0].make(t)
	for pragma, want := range map[string]string{"synchronous": "2", "busy_timeout": "2000", "journal_mode": "delete", "foreign_keys": "1"} {
		if got := column(t, db, "PRAGMA "+pragma); !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %v, want %s", pragma, got, want)
		}
	}
}
