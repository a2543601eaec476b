package sweep

import (
	"context"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"syncretic/checkpoint"
	"syncretic/sweep/search"
)

// statusOf reads a study through a second connection, as another process does.
func statusOf(t *testing.T, path string) Status {
	t.Helper()
	study, err := Load(t.Context(), path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer study.Close()
	st, err := study.Status(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// TestStatus looks at a study in each of its phases.
func TestStatus(t *testing.T) {
	path := filepath.Join(t.TempDir(), "study.sqlite")
	setup := toySetup(0, 0.5, 1)
	setup.Rule.Experts, setup.Multi = map[string]string{"makam": "makam"}, true
	study := openToy(t, path, setup)
	if st := statusOf(t, path); st.Total != 3 || st.Done != 0 || st.References != [2]int{0, 3} || len(st.Running) != 0 || st.Best != nil || st.Test != nil || st.Name != DefaultName || st.Study != path {
		t.Errorf("before anything: %+v", st)
	}
	var during []Status
	run(t, study, func(ctx context.Context, model checkpoint.Source, part float64) (Scores, error) {
		during = append(during, statusOf(t, path))
		return hill(t)(ctx, model, part)
	})
	if len(during) != 5 { // three references, and two trials that are not the base
		t.Fatalf("%d evaluations", len(during))
	}
	for i, want := range []struct {
		number int
		what   string
		done   int
		refs   int
	}{{-1, "base", 0, 0}, {-1, "expert makam", 0, 1}, {-1, "multi", 0, 2}, {1, "0.5", 1, 3}, {2, "1", 2, 3}} {
		st := during[i]
		if st.Done != want.done || st.References[0] != want.refs || len(st.Running) != 1 {
			t.Fatalf("evaluation %d: %+v, want %+v", i, st, want)
		}
		if r := st.Running[0]; r.Number != want.number || r.What != want.what || r.Worker != "here:1" || r.Seconds < 0 || r.Silent < 0 || r.Silent > 60 {
			t.Errorf("evaluation %d: %+v, want %+v", i, r, want)
		}
	}
	var tested Status
	_, err := Test(t.Context(), study, worker(t, nil), func(context.Context, []string, func(string) (checkpoint.Source, error)) (HeldOut, error) {
		tested = statusOf(t, path)
		return heldOut(), nil
	})
	if err != nil || len(tested.Running) != 1 || tested.Running[0].What != "test of the winner" || tested.Test == nil || tested.Test.Scores != nil {
		t.Errorf("during the test: %+v, %v", tested, err)
	}
	st := statusOf(t, path)
	if st.Done != 3 || len(st.Running) != 0 || st.Best == nil || st.Best.Trial != 1 || st.Test == nil || st.Test.Scores == nil ||
		!reflect.DeepEqual(st.States, map[search.State]int{search.Complete: 3}) {
		t.Errorf("at the end: %+v", st)
	}
}

// TestRate: the rate is that of the last trials, and what is left counts from the last one's end.
func TestRate(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var ends []time.Time
	for i := range 30 {
		ends = append(ends, start.Add(time.Duration(i)*time.Minute))
	}
	for _, c := range []struct {
		name    string
		ends    []time.Time
		running int
		done    int
		now     time.Time
		perHour float64
		left    float64
	}{
		{"no trial", nil, 1, 0, start, 0, 0},
		{"one trial", ends[:1], 1, 1, start, 0, 0},
		{"nobody works", ends[:9], 0, 9, start, 0, 0},
		{"a minute each", ends, 1, 30, ends[29], 60, 600},
		{"half a minute later", ends, 1, 30, ends[29].Add(30 * time.Second), 60, 570},
		{"late", ends, 1, 30, ends[29].Add(time.Hour), 60, 0},
		{"all at once", []time.Time{start, start}, 1, 2, start, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := Status{Total: 40, Done: c.done, States: map[search.State]int{search.Running: c.running}}
			st.rate(c.ends, c.now)
			if diff := st.PerHour - c.perHour; diff > 1e-9 || diff < -1e-9 || st.Left-c.left > 1e-6 || st.Left-c.left < -1e-6 {
				t.Errorf("%v an hour, %v s left; want %v and %v", st.PerHour, st.Left, c.perHour, c.left)
			}
		})
	}
}
