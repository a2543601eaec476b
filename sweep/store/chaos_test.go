//go:build unix

package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncretic/sweep/search"
)

// Sixteen worker processes that are killed at random moments, and replaced, lose no trial and finish none twice: every point is
// COMPLETE exactly once, and numbers are unique and gapless. SYNCRETIC_KILLS asks for the full form of 2,000 trials and at least 200
// kills that struck. Where SYNCRETIC_POSTGRES_RESTART is a command that kills the server and starts it again, that happens ten times,
// or twice in the short form.
func TestWorkersKilled(t *testing.T) {
	const workers = 16
	points, kills, restarts := 150, 15, 2
	if text := os.Getenv("SYNCRETIC_KILLS"); text != "" {
		if _, err := strconv.Atoi(text); err != nil {
			t.Fatalf("SYNCRETIC_KILLS=%s: want a number", text)
		}
		points, kills, restarts = 2000, 200, 10
	}
	eachBackend(t, func(t *testing.T, b backend) {
		restart := os.Getenv("SYNCRETIC_POSTGRES_RESTART")
		if b.name != "postgres" {
			restart = ""
		}
		const pause = 70 * time.Millisecond // between kills, on average
		where := b.fresh(t)
		db := made(t, where)
		study := newStudy(t, db)
		log := filepath.Join(t.TempDir(), "finished")
		// The trials last for half as long again as the kills.
		lasts := time.Duration(workers * kills * int(pause) / points * 3 / 2)
		j := job{Where: where, Points: points, Lasts: lasts, Stale: 1500 * time.Millisecond, Log: log}
		r := rand.New(rand.NewPCG(uint64(points), 8))
		began := time.Now()
		alive := make([]*os.Process, workers)
		for i := range alive {
			j.Seed++
			alive[i] = startWorker(t, j)
		}
		struck, restarted := 0, 0
		for struck < kills {
			time.Sleep(pause*6/7 + time.Duration(r.Int64N(int64(pause*2/7))))
			if restart != "" && restarted < restarts && struck >= kills*(2*restarted+1)/(2*restarts) {
				run(t, restart)
				restarted++
			}
			i := r.IntN(workers)
			if alive[i] == nil {
				break
			}
			if err := alive[i].Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
			status := wait(t, alive[i])
			switch {
			case status.Signaled() && status.Signal() == syscall.SIGKILL:
				struck++
				j.Seed++
				alive[i] = startWorker(t, j)
			case status.ExitStatus() == 0: // every point is done
				alive[i] = nil
			default:
				t.Fatalf("a worker ended with %v", status)
			}
		}
		for _, p := range alive {
			if p == nil {
				continue
			}
			if status := wait(t, p); status.ExitStatus() != 0 {
				t.Errorf("a worker ended with %v", status)
			}
		}
		took := time.Since(began)
		if struck < kills || restart != "" && restarted < restarts {
			t.Errorf("%d kills struck and %d restarts, want %d and %d", struck, restarted, kills, restarts)
		}
		failed := checkChaos(t, study, j)
		t.Logf("%d trials in %.1f s: %d kills, %d restarts of the server, %d trials put back", points, took.Seconds(), struck, restarted, failed)
	})
}

// checkChaos reads what is left, and returns how many trials failed.
func checkChaos(t *testing.T, study *Study, j job) (failed int) {
	t.Helper()
	completed := make([]int, j.Points)
	complete := map[string]bool{}
	for i, trial := range trials(t, study) {
		if trial.Number != i {
			t.Fatalf("number %d stands at place %d", trial.Number, i)
		}
		switch trial.State {
		case search.Complete:
			complete[fmt.Sprint(trial.Number)] = true
			completed[int(trial.Point["i"])]++
			if trial.Values[0] != trial.Point["i"] || string(trial.User["scores"]) != `"some"` {
				t.Errorf("trial %d of point %v: values %v, attributes %s", i, trial.Point, trial.Values, trial.User)
			}
		case search.Fail:
			failed++
		default:
			t.Errorf("trial %d is %s", i, trial.State)
		}
	}
	for i, n := range completed {
		if n != 1 {
			t.Errorf("point %d is complete %d times", i, n)
		}
	}
	data, err := os.ReadFile(j.Log)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(data)) {
		if !complete[line] {
			t.Errorf("a worker finished trial %s, which is not COMPLETE, or finished twice", line)
		}
		delete(complete, line)
	}
	if stored := column(t, study.db, "SELECT count(*) FROM trial_values"); stored[0] != fmt.Sprint(j.Points) {
		t.Errorf("%s values stored, want %d", stored[0], j.Points)
	}
	return failed
}

func startWorker(t *testing.T, j job) *os.Process {
	t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, []string{os.Args[0]}, workerJob+"="+string(text))
}

// start starts a program whose errors are shown.
func start(t *testing.T, line []string, env ...string) *os.Process {
	t.Helper()
	p, err := os.StartProcess(line[0], line, &os.ProcAttr{Env: append(os.Environ(), env...), Files: []*os.File{nil, os.Stderr, os.Stderr}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wait(t *testing.T, p *os.Process) syscall.WaitStatus {
	t.Helper()
	state, err := p.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return state.Sys().(syscall.WaitStatus)
}

// run runs a shell command.
func run(t *testing.T, command string) {
	t.Helper()
	if status := wait(t, start(t, []string{"/bin/sh", "-c", command})); status.ExitStatus() != 0 {
		t.Fatalf("%s: %v", command, status)
	}
}
