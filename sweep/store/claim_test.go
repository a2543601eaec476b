package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"syncretic/sweep/search"
)

// TestClaimsAreAtomic lets several databases, as several processes would, empty one queue and then go on with proposals.
func TestClaimsAreAtomic(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		ctx := context.Background()
		study := b.study(t)
		const waiting, all, workers = 12, 24, 3
		enqueue(t, study, make([]float64, waiting)...)
		var mutex sync.Mutex
		var claimed []int
		var group sync.WaitGroup
		for range workers {
			own := again(t, study)
			group.Go(func() {
				for {
					turn, err := own.Claim(ctx, ClaimOptions{Space: unit(), Propose: func(history []search.Trial) (search.Proposal, error) {
						if len(history) >= all {
							return search.Proposal{Done: true}, nil
						}
						return search.Proposal{Point: search.Point{"lambda": float64(len(history)) / all}}, nil
					}})
					if err != nil {
						t.Error(err)
						return
					}
					if turn.Done {
						return
					}
					if turn.Trial == nil { // others run
						time.Sleep(time.Millisecond)
						continue
					}
					mutex.Lock()
					claimed = append(claimed, turn.Trial.Number)
					mutex.Unlock()
					if err := own.Finish(ctx, turn.Trial.ID, Outcome{State: search.Complete, Values: []float64{1}}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		slices.Sort(claimed)
		for i := range all {
			if len(claimed) != all || claimed[i] != i {
				t.Fatalf("claimed %v, want each of 0..%d once", claimed, all-1)
			}
		}
	})
}

func TestClaimTakesTheProposal(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		ctx := context.Background()
		study := b.study(t)
		space := pairSpace()
		point := search.Point{"method": 0, "steps": 7, "layers": 6, "scale": 0.5, "gamma": 0.1} // density exists for ties alone
		propose := func(history []search.Trial) (search.Proposal, error) {
			if len(history) > 0 {
				return search.Proposal{}, nil
			}
			return search.Proposal{Point: point, Tags: map[string]string{"rung": "1"}}, nil
		}
		options := ClaimOptions{Space: space, Propose: propose, Worker: "host:1", User: map[string]any{"version": "v1"}, System: map[string]any{"x": 1}}
		got := claim(t, study, options)
		read := trials(t, study)[0]
		if read.Started.IsZero() || !read.Started.Equal(got.Started) || read.State != search.Running {
			t.Errorf("started %v, read %v", got.Started, read.Started)
		}
		for name, trial := range map[string]Trial{"claimed": *got, "read": read} {
			if !reflect.DeepEqual(trial.Point, point) || len(trial.Params) != 5 || trial.Tags["rung"] != "1" ||
				string(trial.User["version"]) != `"v1"` || string(trial.User[AttrWorker]) != `"host:1"` || string(trial.System["x"]) != "1" {
				t.Errorf("%s %+v", name, trial)
			}
		}
		turn, err := study.Claim(ctx, options)
		if err != nil || turn.Trial != nil || turn.Done {
			t.Errorf("where the sampler waits: %+v, %v", turn, err)
		}
		options.Propose = func([]search.Trial) (search.Proposal, error) { return search.Proposal{Done: true}, nil }
		if turn, err := study.Claim(ctx, options); err != nil || turn.Trial != nil || turn.Done {
			t.Errorf("where a trial still runs: %+v, %v", turn, err)
		}
		if err := study.Finish(ctx, got.ID, Outcome{State: search.Complete, Values: []float64{1}}); err != nil {
			t.Fatal(err)
		}
		if turn, err := study.Claim(ctx, options); err != nil || turn.Trial != nil || !turn.Done {
			t.Errorf("at the end: %+v, %v", turn, err)
		}
		failed := errors.New("no more points")
		options.Propose = func([]search.Trial) (search.Proposal, error) { return search.Proposal{}, failed }
		if _, err := study.Claim(ctx, options); !errors.Is(err, failed) {
			t.Errorf("error %v, want the sampler's", err)
		}
		options.Propose = func([]search.Trial) (search.Proposal, error) {
			return search.Proposal{Point: search.Point{"other": 1}}, nil
		}
		if _, err := study.Claim(ctx, options); err == nil || len(trials(t, study)) != 1 {
			t.Errorf("a point of another space: %v", err)
		}
	})
}

// What a person enqueued may lie outside of what is searched, but not elsewhere.
func TestClaimOfWhatWasEnqueued(t *testing.T) {
	space := search.Space{
		{Name: "method", Choices: []string{"sum", "ties"}}, {Name: "n", Low: 1, High: 4, Integer: true}, {Name: "x", Low: 0, High: 1, Step: 0.25},
		{Name: "g", Low: 0.1, High: 1, Log: true},
	}
	cases := map[string]struct {
		fixed string
		bad   string
		param search.Param
	}{
		"inside":             {`{"method": "ties", "n": 2, "x": 0.5, "g": 0.5}`, "", search.Param{Name: "x", High: 1, Step: 0.25}},
		"above":              {`{"method": "ties", "n": 2, "x": 1.5, "g": 0.5}`, "", search.Param{Name: "x", High: 1.5, Step: 0.25}},
		"below, off steps":   {`{"method": "ties", "n": 2, "x": -0.1, "g": 0.5}`, "", search.Param{Name: "x", Low: -0.1, High: 1}},
		"between steps":      {`{"method": "ties", "n": 2, "x": 0.3, "g": 0.5}`, "", search.Param{Name: "x", High: 1}},
		"no integer":         {`{"method": "ties", "n": 2.5, "x": 0, "g": 0.5}`, `parameter "n": 2.5 is not an integer`, search.Param{}},
		"no logarithm":       {`{"method": "ties", "n": 2, "x": 0, "g": 0}`, `parameter "g": 0 has no logarithm`, search.Param{}},
		"unknown choice":     {`{"method": "dare", "n": 2, "x": 0, "g": 0.5}`, `no parameter "method"`, search.Param{}},
		"choice by index":    {`{"method": 1, "n": 2, "x": 0, "g": 0.5}`, `no parameter "method"`, search.Param{}},
		"one is missing":     {`{"method": "ties", "n": 2, "x": 0}`, `no parameter "g"`, search.Param{}},
		"one too many":       {`{"method": "ties", "n": 2, "x": 0, "g": 0.5, "y": 1}`, "5 parameters, of which the space has 4", search.Param{}},
		"null":               {`{"method": "ties", "n": null, "x": 0, "g": 0.5}`, `no parameter "n"`, search.Param{}},
		"not an object":      {`[1, 2]`, `no parameter "method"`, search.Param{}},
		"not JSON":           {`{`, `no parameter "method"`, search.Param{}},
		"beyond any integer": {`{"method": "ties", "n": 1e999, "x": 0, "g": 0.5}`, `no parameter "n"`, search.Param{}},
	}
	eachBackend(t, func(t *testing.T, b backend) {
		db := b.make(t)
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				study := namedStudy(t, db, name)
				enqueue(t, study, 0)
				exec(t, study.db, `UPDATE trial_system_attributes SET value_json = ? WHERE "key" = 'fixed_params'`, c.fixed)
				turn, err := study.Claim(context.Background(), ClaimOptions{Space: space})
				if err != nil {
					t.Fatal(err)
				}
				stored := trials(t, study)[0]
				if c.bad != "" {
					if turn.Trial != nil || !turn.Done || stored.State != search.Fail || !strings.Contains(string(stored.User[AttrError]), strings.ReplaceAll(c.bad, `"`, `\"`)) {
						t.Errorf("claimed %+v of %+v", turn, stored)
					}
					return
				}
				if p, _ := stored.Params.Param("x"); turn.Trial == nil || !reflect.DeepEqual(p, c.param) || stored.Point["method"] != 1 {
					t.Errorf("claimed %+v of %+v", turn, stored)
				}
			})
		}
	})
}

func TestFinish(t *testing.T) {
	cases := map[string]struct {
		outcome Outcome
		refused string
	}{
		"complete":                        {Outcome{State: search.Complete, Values: []float64{0.5}, Constraints: []float64{-1, 2}}, ""},
		"pruned":                          {Outcome{State: search.Pruned}, ""},
		"failed":                          {Outcome{State: search.Fail}, ""},
		"failed with a value":             {Outcome{State: search.Fail, Values: []float64{3}}, "no values"},
		"NaN is no value":                 {Outcome{State: search.Complete, Values: []float64{nan()}}, "NaN"},
		"no value":                        {Outcome{State: search.Complete}, "0 values, the study has 1"},
		"two values":                      {Outcome{State: search.Complete, Values: []float64{1, 2}}, "2 values, the study has 1"},
		"running does not finish":         {Outcome{State: search.Running}, "does not finish"},
		"attribute that JSON cannot hold": {Outcome{State: search.Fail, User: map[string]any{"x": nan()}}, "x"},
	}
	eachBackend(t, func(t *testing.T, b backend) {
		db := b.make(t)
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				ctx := context.Background()
				study := namedStudy(t, db, name)
				enqueue(t, study, 0.5)
				trial := claim(t, study, ClaimOptions{})
				err := study.Finish(ctx, trial.ID, c.outcome)
				stored := trials(t, study)[0]
				if c.refused != "" {
					if err == nil || !strings.Contains(err.Error(), c.refused) || stored.State != search.Running || !stored.Finished.IsZero() {
						t.Errorf("error %v, left %+v", err, stored)
					}
					return
				}
				if err != nil || stored.State != c.outcome.State || !slices.Equal(stored.Values, c.outcome.Values) ||
					!slices.Equal(stored.Constraints, c.outcome.Constraints) || stored.Finished.Before(stored.Started) {
					t.Errorf("error %v, stored %+v", err, stored)
				}
				for what, err := range map[string]error{
					"finish":    study.Finish(ctx, trial.ID, Outcome{State: search.Fail}),
					"heartbeat": study.Heartbeat(ctx, trial.ID),
					"report":    study.Report(ctx, trial.ID, 1, 2),
					"put back":  study.PutBack(ctx, trial.ID, "late"),
				} {
					if !errors.Is(err, ErrNotRunning) {
						t.Errorf("%s after the end: %v, want %v", what, err, ErrNotRunning)
					}
				}
				if len(trials(t, study)) != 1 {
					t.Error("a refused call left a trial")
				}
			})
		}
	})
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}

// A trial whose heartbeat stops becomes FAIL and waits again, as often as retries allow; its worker learns it.
func TestStaleTrialsAreRetried(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		ctx := context.Background()
		study := b.study(t)
		enqueue(t, study, 0.5)
		options := ClaimOptions{Space: unit(), Stale: time.Minute, MaxRetries: 2, Worker: "w", User: map[string]any{"version": "v1"}}
		for round := range 3 {
			trial := claim(t, study, options)
			if trial.Number != round || trial.Point["lambda"] != 0.5 {
				t.Fatalf("round %d: claimed %+v", round, trial)
			}
			if err := study.Heartbeat(ctx, trial.ID); err != nil {
				t.Fatal(err)
			}
			if turn, err := study.Claim(ctx, options); err != nil || turn.Trial != nil || turn.Done || turn.Stale != nil {
				t.Fatalf("round %d: beside a living worker: %+v, %v", round, turn, err)
			}
			age(t, study, trial.ID, 2*time.Minute)
			ages, err := study.Running(ctx)
			if err != nil || ages[trial.ID] < 119*time.Second || ages[trial.ID] > 140*time.Second {
				t.Errorf("ages %v, %v; want 2 minutes", ages, err)
			}
		}
		last := trials(t, study)[2]
		turn, err := study.Claim(ctx, options) // the third time it is given up
		if err != nil || turn.Trial != nil || !turn.Done || !slices.Equal(turn.Stale, []int{2}) {
			t.Errorf("after the retries: %+v, %v", turn, err)
		}
		if err := study.Heartbeat(ctx, last.ID); !errors.Is(err, ErrNotRunning) {
			t.Errorf("heartbeat of a trial taken away: %v", err)
		}
		if err := study.Finish(ctx, last.ID, Outcome{State: search.Complete, Values: []float64{1}}); !errors.Is(err, ErrNotRunning) {
			t.Errorf("finish of a trial taken away: %v", err)
		}
		all := trials(t, study)
		for i, trial := range all {
			history := []string{"", "[0]", "[0,1]"}[i]
			if trial.State != search.Fail || string(trial.System[attrRetries]) != history || !strings.Contains(string(trial.User[AttrError]), "no heartbeat for 12") {
				t.Errorf("trial %d: %s, history %s, error %s", i, trial.State, trial.System[attrRetries], trial.User[AttrError])
			}
			if i > 0 && string(trial.System[attrFailed]) != "0" || string(trial.User["version"]) != `"v1"` {
				t.Errorf("trial %d: failed_trial %s, user %s", i, trial.System[attrFailed], trial.User)
			}
		}
		if len(all) != 3 {
			t.Errorf("%d trials, want 3", len(all))
		}
	})
}

// age makes a heartbeat older.
func age(t *testing.T, s *Study, id int64, by time.Duration) {
	t.Helper()
	older := fmt.Sprintf("heartbeat - interval '%d seconds'", int(by.Seconds()))
	if s.db.dialect.lock == "" {
		older = fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%f000', heartbeat, '-%d seconds')", int(by.Seconds()))
	}
	s.db.dialect.uptime = "" // the server may be younger
	exec(t, s.db, "UPDATE trial_heartbeats SET heartbeat = "+older+" WHERE trial_id = ?", id)
}

// A server that was away could not take heartbeats: their owners have time to give one.
func TestNobodyIsStaleAfterARestart(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		study := b.study(t)
		enqueue(t, study, 0.5)
		trial := claim(t, study, ClaimOptions{})
		age(t, study, trial.ID, time.Hour)
		options := ClaimOptions{Space: unit(), Stale: time.Minute}
		study.db.dialect.uptime = "SELECT 59.5"
		if turn, err := study.Claim(context.Background(), options); err != nil || turn.Trial != nil || turn.Done || turn.Stale != nil {
			t.Errorf("just after the start: %+v, %v", turn, err)
		}
		study.db.dialect.uptime = "SELECT 60.5"
		if turn, err := study.Claim(context.Background(), options); err != nil || !slices.Equal(turn.Stale, []int{0}) {
			t.Errorf("a minute after: %+v, %v", turn, err)
		}
	})
}

// Trials that Python runs without heartbeats are left alone.
func TestTrialsWithoutHeartbeatAreLeftAlone(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		study := b.study(t)
		enqueue(t, study, 0.5)
		trial := claim(t, study, ClaimOptions{})
		exec(t, study.db, "DELETE FROM trial_heartbeats")
		turn, err := study.Claim(context.Background(), ClaimOptions{Space: unit(), Stale: time.Nanosecond})
		if err != nil || turn.Stale != nil || turn.Trial != nil || !turn.Done {
			t.Errorf("claimed %+v, %v", turn, err)
		}
		ages, err := study.Running(context.Background())
		if err != nil || ages[trial.ID] != -1 {
			t.Errorf("ages %v, %v", ages, err)
		}
	})
}

// A trial that is put back waits again at once, with what belongs to it, and no retry is counted.
func TestPutBack(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		ctx := context.Background()
		study := b.study(t)
		propose := func(history []search.Trial) (search.Proposal, error) {
			return search.Proposal{Point: search.Point{"lambda": 0.25}, Tags: map[string]string{"rung": "2"}, Done: true}, nil
		}
		options := ClaimOptions{Space: unit(), Propose: propose, Worker: "first", User: map[string]any{"version": "v1"}, Stale: time.Minute, MaxRetries: 1}
		trial := claim(t, study, options)
		if err := study.Report(ctx, trial.ID, 1, 0.5); err != nil {
			t.Fatal(err)
		}
		if err := study.PutBack(ctx, trial.ID, "terminated"); err != nil {
			t.Fatal(err)
		}
		all := trials(t, study)
		if len(all) != 2 || all[0].State != search.Fail || string(all[0].User[AttrError]) != `"terminated"` {
			t.Fatalf("trials %+v", all)
		}
		next := all[1]
		if next.State != search.Waiting || next.Point["lambda"] != 0.25 || next.Tags["rung"] != "2" || next.Steps != nil || len(next.Params) != 1 ||
			string(next.User["version"]) != `"v1"` || next.User[AttrError] != nil || next.User[AttrWorker] != nil || next.System[attrClaim] != nil ||
			string(next.System[attrRetries]) != "[]" || string(next.System[attrPutBack]) != "[0]" || string(next.System[attrFailed]) != "0" {
			t.Errorf("put back as %+v", next)
		}
		// It may be put back for ever, and then be retried once.
		for range 3 {
			if err := study.PutBack(ctx, claim(t, study, options).ID, "terminated"); err != nil {
				t.Fatal(err)
			}
		}
		age(t, study, claim(t, study, options).ID, time.Hour)
		last := claim(t, study, options)
		if string(last.System[attrRetries]) != "[4]" || string(last.System[attrPutBack]) != "[0,1,2,3]" || string(last.System[attrFailed]) != "0" {
			t.Errorf("retried as %+v", last)
		}
	})
}
