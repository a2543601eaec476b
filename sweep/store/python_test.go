//go:build unix

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"syncretic/sweep/search"
)

// pythons are the interpreters that SYNCRETIC_PYTHON lists (as PATH does), each with optuna, optuna-dashboard and psycopg2. Where it is
// not set, TestOptuna checks that the script is there, and Optuna's side is what the goldens hold.
func pythons() []string { return filepath.SplitList(os.Getenv("SYNCRETIC_PYTHON")) }

// peer runs testdata/peer.py and decodes what it prints.
func peer(t *testing.T, python string, into any, args ...string) {
	t.Helper()
	finishPeer(t, startPeer(t, python, args...), into)
}

type peerProcess struct {
	process *os.Process
	out     *os.File
	args    []string
}

func startPeer(t *testing.T, python string, args ...string) peerProcess {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	p, err := os.StartProcess(python, append([]string{python, "testdata/peer.py"}, args...),
		&os.ProcAttr{Env: os.Environ(), Files: []*os.File{nil, out, os.Stderr}})
	if err != nil {
		t.Fatal(err)
	}
	return peerProcess{p, out, args}
}

func finishPeer(t *testing.T, p peerProcess, into any) {
	t.Helper()
	if status := wait(t, p.process); status.ExitStatus() != 0 {
		t.Fatalf("peer.py %q: %v", p.args, status)
	}
	p.out.Close()
	if into == nil {
		return
	}
	data, err := os.ReadFile(p.out.Name())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
}

// loaded is what Optuna reads of a study.
type loaded struct {
	Directions []string
	User       map[string]any
	Trials     []struct {
		Number        int
		State         string
		Params        map[string]any
		Distributions map[string]string
		Values        []any
		Steps         map[string]any
		User          map[string]any
		Constraints   []float64
		Fixed         map[string]any
		FailedTrial   *int `json:"failed_trial"`
		Duration      *float64
	}
}

func TestOptuna(t *testing.T) {
	if _, err := os.Stat("testdata/peer.py"); err != nil {
		t.Fatal(err)
	}
	for _, python := range pythons() {
		eachBackend(t, func(t *testing.T, b backend) {
			where := b.fresh(t)
			url := "sqlite:///" + filepath.Join(t.TempDir(), "study.sqlite")
			if b.name == "postgres" {
				url = strings.Replace(where, "postgres://", "postgresql+psycopg2://", 1)
			}
			db := made(t, url) // in SQLAlchemy's spelling
			t.Run("load", func(t *testing.T) { optunaLoads(t, db, python, url) })
			t.Run("dashboard", func(t *testing.T) { optunaServes(t, python, url) })
			t.Run("mixed", func(t *testing.T) { optunaWorks(t, db, python, url) })
			t.Run("heartbeats", func(t *testing.T) { optunaBeats(t, db, python, url) })
		})
	}
}

// Optuna reads every kind of parameter, value and attribute that Go wrote.
func optunaLoads(t *testing.T, db *DB, python, url string) {
	live(t, db)
	var first, pair, steps loaded
	peer(t, python, &first, "load", url, "syncretic")
	peer(t, python, &pair, "load", url, "pair")
	peer(t, python, &steps, "load", url, "steps")
	if !reflect.DeepEqual(first.User, map[string]any{"seed": 7.0}) || len(first.Trials) != 3 {
		t.Fatalf("study %+v", first)
	}
	for i, want := range []string{"COMPLETE", "FAIL", "WAITING"} {
		if got := first.Trials[i]; got.Number != i || got.State != want || (got.Duration == nil) != (i == 2) || got.Duration != nil && *got.Duration > 600 {
			t.Errorf("trial %d: %+v, want %s", i, got, want)
		}
	}
	got := pair.Trials[0]
	params := map[string]any{"method": "ties", "density": 0.5, "steps": 10.0, "layers": 3.0, "scale": 0.25, "gamma": 0.01}
	if !reflect.DeepEqual(got.Params, params) || !reflect.DeepEqual(got.Fixed, params) || !slices.Equal(got.Values, []any{"inf", "-inf"}) ||
		!slices.Equal(got.Constraints, []float64{-0.5, 0.25}) || !slices.Equal(pair.Directions, []string{"MAXIMIZE", "MINIMIZE"}) {
		t.Errorf("trial %+v", got)
	}
	for name, want := range map[string]string{
		"method":  `{"name": "CategoricalDistribution", "attributes": {"choices": ["task_arithmetic", "ties"]}}`,
		"density": `{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.1, "high": 0.9, "log": false}}`,
		"steps":   `{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 1000}}`,
		"layers":  `{"name": "IntDistribution", "attributes": {"log": false, "step": 3, "low": 0, "high": 12}}`,
		"gamma":   `{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1.0, "log": true}}`,
	} {
		if got.Distributions[name] != want {
			t.Errorf("%s is %s, want %s", name, got.Distributions[name], want)
		}
	}
	if got := steps.Trials[0].Steps; !reflect.DeepEqual(got, map[string]any{"0": 0.5, "1": "inf", "2": "-inf", "3": "nan"}) {
		t.Errorf("steps %v", got)
	}
}

func optunaServes(t *testing.T, python, url string) {
	var got struct {
		Studies, States, Params []string
		Page                    bool
	}
	peer(t, python, &got, "dashboard", url, "pair")
	if !slices.Equal(got.Studies, []string{"pair", "steps", "syncretic"}) || len(got.States) != 1 || !strings.EqualFold(got.States[0], "complete") ||
		!slices.Equal(got.Params, []string{"density", "gamma", "layers", "method", "scale", "steps"}) || !got.Page {
		t.Errorf("the dashboard serves %+v", got)
	}
}

// mixedSpace is what peer.py's objective suggests.
func mixedSpace() search.Space {
	return search.Space{pairSpace()[0], {Name: "scale", Low: 0, High: 1}, {Name: "steps", Low: 1, High: 1000, Integer: true, Log: true}, pairSpace()[1]}
}

// Three workers of either kind on one study give unique, gapless numbers, and each reads the other's trials.
func optunaWorks(t *testing.T, db *DB, python, url string) {
	ctx := context.Background()
	const workers, each = 3, 8
	study, _, err := db.CreateStudy(ctx, "mixed", []search.Direction{search.Maximize}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var running []peerProcess
	for range workers {
		running = append(running, startPeer(t, python, "work", url, "mixed", fmt.Sprint(each)))
	}
	errs := make(chan error)
	for w := range workers {
		go func() { errs <- workBeside(db, w, each) }()
	}
	for range workers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	for _, p := range running {
		finishPeer(t, p, nil)
	}
	by := map[string]int{}
	for i, trial := range trials(t, study) {
		if trial.Number != i || trial.State != search.Complete || !mixedSpace().Contains(trial.Point) || len(trial.Values) != 1 || len(trial.Steps) != 1 ||
			trial.Finished.Before(trial.Started) || time.Since(trial.Started) > 20*time.Minute {
			t.Errorf("trial %d of %+v", i, trial)
		}
		by[string(trial.User[AttrWorker])]++
	}
	if want := map[string]int{`"go"`: workers * each, `"python"`: workers * each}; !reflect.DeepEqual(by, want) {
		t.Errorf("trials by worker %v, want %v", by, want)
	}
	var seen loaded
	peer(t, python, &seen, "load", url, "mixed")
	if len(seen.Trials) != 2*workers*each {
		t.Errorf("optuna reads %d trials", len(seen.Trials))
	}
}

// workBeside runs trials in Go.
func workBeside(db *DB, worker, n int) error {
	ctx := context.Background()
	study, err := db.Study(ctx, "mixed")
	if err != nil {
		return err
	}
	for i := range n {
		turn, err := study.Claim(ctx, ClaimOptions{Space: mixedSpace(), Worker: "go", Stale: time.Minute,
			Propose: func(history []search.Trial) (search.Proposal, error) {
				point := search.Point{"method": float64(i % 2), "scale": float64(worker) / 3, "steps": float64(1 + i)}
				if i%2 == 1 {
					point["density"] = 0.5
				}
				return search.Proposal{Point: point}, nil
			}})
		if err != nil || turn.Trial == nil {
			return errors.Join(err, fmt.Errorf("claimed %+v", turn))
		}
		if err := study.Report(ctx, turn.Trial.ID, 1, 0.5); err != nil {
			return err
		}
		outcome := Outcome{State: search.Complete, Values: []float64{float64(i)}, Constraints: []float64{-1}}
		if err := study.Finish(ctx, turn.Trial.ID, outcome); err != nil {
			return err
		}
	}
	return nil
}

// A dead Python worker's trial is put back by Go, and the reverse: heartbeats are the same.
func optunaBeats(t *testing.T, db *DB, python, url string) {
	ctx := context.Background()
	study, _, err := db.CreateStudy(ctx, "beats", []search.Direction{search.Maximize}, nil)
	if err != nil {
		t.Fatal(err)
	}
	options := ClaimOptions{Space: mixedSpace(), Stale: time.Minute, MaxRetries: 3, Worker: "go"}
	peer(t, python, nil, "ask", url, "beats")
	first := trials(t, study)[0]
	ages, err := study.Running(ctx)
	if err != nil || ages[first.ID] < 0 || ages[first.ID] > time.Minute {
		t.Fatalf("heartbeats %v, %v", ages, err)
	}
	if turn, err := study.Claim(ctx, options); err != nil || turn.Trial != nil || turn.Done {
		t.Fatalf("beside a living Python worker: %+v, %v", turn, err)
	}
	age(t, study, first.ID, 2*time.Minute)
	second := claim(t, study, options)
	if second.Number != 1 || !reflect.DeepEqual(second.Point, first.Point) || string(second.System[attrRetries]) != "[0]" {
		t.Errorf("put back as %+v, was %+v", second, first)
	}
	peer(t, python, nil, "stale", url, "beats")
	if err := study.Heartbeat(ctx, second.ID); err != nil {
		t.Errorf("Python took a living trial: %v", err)
	}
	age(t, study, second.ID, 2*time.Minute)
	peer(t, python, nil, "stale", url, "beats")
	if err := study.Heartbeat(ctx, second.ID); !errors.Is(err, ErrNotRunning) {
		t.Errorf("Python left a dead trial: %v", err)
	}
	third := claim(t, study, options)
	if third.Number != 2 || !reflect.DeepEqual(third.Point, first.Point) || strings.Join(strings.Fields(string(third.System[attrRetries])), "") != "[0,1]" {
		t.Errorf("put back by Python as %+v", third)
	}
}
