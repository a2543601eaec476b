package store

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"syncretic/sweep/search"
)

// counting counts the rows that queries read.
type counting struct {
	conn
	rows map[string]int
}

func (c *counting) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	_, table, _ := strings.Cut(query, " FROM ")
	table, _, _ = strings.Cut(table, " ")
	if n, err := c.count(ctx, query, args); err != nil {
		return nil, err
	} else {
		c.rows[table] += n
	}
	return c.conn.on.QueryContext(ctx, query, args...)
}

func (c *counting) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return c.conn.on.ExecContext(ctx, query, args...)
}

func (c *counting) count(ctx context.Context, query string, args []any) (n int, err error) {
	rows, err := c.conn.on.QueryContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

// Finished trials never change: 2,000 of them with 20 kB of attributes each are read once, while those that run are read again.
func TestFinishedTrialsAreReadOnce(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		ctx := context.Background()
		study := b.study(t)
		const finished = 2000
		long := `"` + strings.Repeat("x", 20_000) + `"`
		err := study.db.write(ctx, change{study: study.id, do: func(ctx context.Context, tx conn) error {
			// Rows in bulk, as 2,000 claims would have left them.
			series := "WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < ?) "
			for _, statement := range []string{
				series + "INSERT INTO trials (number, study_id, state) SELECT n, 1, 'COMPLETE' FROM series",
				"INSERT INTO trial_user_attributes (trial_id, \"key\", value_json) SELECT trial_id, 'scores', ? FROM trials",
				"INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) SELECT trial_id, 'lambda', 0.5, ? FROM trials",
				"INSERT INTO trial_values (trial_id, objective, value, value_type) SELECT trial_id, 0, number, 'FINITE' FROM trials WHERE number < ?",
			} {
				arg := any(finished - 1)
				if strings.Contains(statement, "user_attr") {
					arg = long
				} else if strings.Contains(statement, "params") {
					arg = `{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}`
				} else if strings.Contains(statement, "values") {
					arg = finished
				}
				if b.name == "postgres" {
					statement = strings.NewReplacer("n < ?", "n < CAST(? AS integer)", ", ? FROM", ", CAST(? AS text) FROM", "'COMPLETE'", "CAST('COMPLETE' AS trialstate)",
						"'FINITE'", "CAST('FINITE' AS trialvaluetype)").Replace(statement)
				}
				if _, err := tx.exec(ctx, statement, arg); err != nil {
					return err
				}
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		enqueue(t, study, 0.5, 0.75)
		claim(t, study, ClaimOptions{})
		study = again(t, study)

		read := func(user bool) (map[string]int, []Trial, time.Duration) {
			c := &counting{conn{study.db.sql, &study.db.dialect}, map[string]int{}}
			q := conn{c, &study.db.dialect}
			began := time.Now()
			all, err := study.readTrials(ctx, q, true)
			if err == nil && user {
				err = study.readUser(ctx, q, all)
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(all) != finished+2 || all[7].Number != 7 || all[7].Values[0] != 7 || all[finished].State == search.Complete {
				t.Fatalf("%d trials, the eighth %+v", len(all), all[7])
			}
			return c.rows, all, time.Since(began)
		}
		rows, all, first := read(false)
		if rows["trials"] != finished+2 || rows["trial_user_attributes"] != 0 || all[7].User != nil {
			t.Errorf("the history read %v", rows)
		}
		rows, all, _ = read(true)
		if rows["trials"] != 2 || rows["trial_params"] != 1 || rows["trial_user_attributes"] != finished || string(all[7].User["scores"]) != long {
			t.Errorf("all trials then read %v", rows)
		}
		rows, all, second := read(true)
		if rows["trials"] != 2 || rows["trial_params"] != 1 || rows["trial_user_attributes"] != 0 || string(all[7].User["scores"]) != long {
			t.Errorf("the second time read %v", rows)
		}
		t.Logf("%d trials: first %v, then %v", finished, first, second)

		// One that ends is read once more, and then kept.
		if err := study.Finish(ctx, all[finished].ID, Outcome{State: search.Complete, Values: []float64{1}}); err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{2, 1} {
			c := &counting{conn{study.db.sql, &study.db.dialect}, map[string]int{}}
			all, err := study.readTrials(ctx, conn{c, &study.db.dialect}, true)
			if err != nil || c.rows["trials"] != want || all[finished].Values[0] != 1 {
				t.Errorf("reading %d after the end: %v, %v", i, c.rows, err)
			}
		}
	})
}

// A claim that comes to nothing must not leave what it read of its own in what is kept.
func TestHistoryForgetsWhatWasRolledBack(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		ctx := context.Background()
		study := b.study(t)
		enqueue(t, study, 0.5)
		trial := claim(t, study, ClaimOptions{})
		age(t, study, trial.ID, time.Hour)
		seen := search.State("")
		_, err := study.Claim(ctx, ClaimOptions{Space: unit(), Stale: time.Minute, Propose: func(history []search.Trial) (search.Proposal, error) {
			seen = history[0].State
			return search.Proposal{}, context.Canceled
		}})
		if err == nil || seen != search.Fail {
			t.Fatalf("error %v, the sampler saw %s", err, seen)
		}
		if state := trials(t, study)[0].State; state != search.Running {
			t.Errorf("state %s, want RUNNING", state)
		}
	})
}
