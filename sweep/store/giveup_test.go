package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"syncretic/sweep/search"
)

func TestSearchTrials(t *testing.T) {
	type row struct {
		state   search.State
		x       float64
		putBack string
	}
	fail := func(x float64) row { return row{state: search.Fail, x: x} }
	for _, c := range []struct {
		name  string
		limit int
		rows  []row
		want  string
	}{
		{"nothing", 1, nil, "[]"},
		{"nothing failed", 1, []row{{state: search.Complete}, {state: search.Running, x: 1}}, "[COMPLETE RUNNING]"},
		{"failed as often as it may", 2, []row{fail(0.5), fail(0.5), fail(1)}, "[FAIL FAIL FAIL]"},
		{"failed once more", 2, []row{fail(0.5), fail(1), fail(0.5), fail(0.5)}, "[FAIL FAIL FAIL PRUNED]"},
		{"without a limit", -1, []row{fail(0.5), fail(0.5), fail(0.5)}, "[FAIL FAIL FAIL]"},
		{"somebody has it", 1, []row{fail(0.5), fail(0.5), {state: search.Waiting, x: 0.5}}, "[FAIL FAIL WAITING]"},
		{"done after all", 1, []row{fail(0.5), fail(0.5), {state: search.Complete, x: 0.5}}, "[FAIL FAIL COMPLETE]"},
		{"put back is not failed", 1, []row{fail(0.5), {search.Fail, 0.5, "[0]"}, {search.Fail, 0.5, "[0,1]"}, {search.Fail, 1, "text"}}, "[FAIL FAIL FAIL FAIL]"},
		{"put back, then failed", 1, []row{fail(0.5), {search.Fail, 0.5, "[0]"}, {search.Fail, 0.5, "[0]"}}, "[FAIL FAIL PRUNED]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			trials := make([]Trial, len(c.rows))
			for i, r := range c.rows {
				trials[i] = Trial{Trial: search.Trial{Number: i, State: r.state, Point: search.Point{"x": r.x}}}
				if r.putBack != "" {
					trials[i].System = map[string]json.RawMessage{attrPutBack: json.RawMessage(r.putBack)}
				}
			}
			states := []search.State{}
			for _, s := range SearchTrials(trials, c.limit) {
				states = append(states, s.State)
			}
			if got := fmt.Sprint(states); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestClaimGivesUp: a point that kills its workers is not proposed for ever, and the sampler's other points are.
func TestClaimGivesUp(t *testing.T) {
	eachBackend(t, func(t *testing.T, b backend) {
		ctx := context.Background()
		study := b.study(t)
		space := search.Space{{Name: "x", Low: 0, High: 1, Grid: []float64{0, 1}}}
		sampler, err := search.New(search.Config{Kind: search.Grid, Space: space, Directions: []search.Direction{search.Maximize}})
		if err != nil {
			t.Fatal(err)
		}
		options := ClaimOptions{Space: space, Propose: sampler.Ask, Worker: "w", Stale: 10 * time.Millisecond, MaxRetries: 2, GiveUp: 2}
		var points []float64
		for range 8 {
			turn, err := study.Claim(ctx, options)
			if err != nil {
				t.Fatal(err)
			}
			if turn.Trial == nil {
				if !turn.Done {
					t.Error("nothing is left, and the study is not done")
				}
				break
			}
			points = append(points, turn.Trial.Point["x"])
			if turn.Trial.Point["x"] == 0 {
				exec(t, study.db, "UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00' WHERE trial_id = ?", turn.Trial.ID)
				continue
			}
			if err := study.Finish(ctx, turn.Trial.ID, Outcome{State: search.Complete, Values: []float64{1}}); err != nil {
				t.Fatal(err)
			}
		}
		if want := []float64{0, 0, 0, 1}; !slices.Equal(points, want) {
			t.Errorf("claimed %v, want %v", points, want)
		}
		options.GiveUp, options.MaxRetries = 3, 3
		if turn, err := study.Claim(ctx, options); err != nil || turn.Trial == nil || turn.Trial.Point["x"] != 0 {
			t.Errorf("with a larger limit: %+v, %v", turn, err)
		}
	})
}
