//go:build unix

package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// states counts a study's trials by state.
func (w workshop) states(path string) map[string]int {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	w.must(err)
	defer db.Close()
	rows, err := db.Query("SELECT state, COUNT(*) FROM trials JOIN studies USING (study_id) WHERE study_name = 'syncretic' GROUP BY state")
	w.must(err)
	defer rows.Close()
	states := map[string]int{}
	for rows.Next() {
		var state string
		var n int
		w.must(rows.Scan(&state, &n))
		states[state] = n
	}
	w.must(rows.Err())
	return states
}

// TestSweepWork: a worker needs the study alone, from whatever folder it is started in.
func TestSweepWork(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	created := w.result("sweep run sweep.yml --create")
	if created["trials"] != 2.0 || len(w.states("out/study.db")) != 0 {
		t.Errorf("created %v with trials %v", created, w.states("out/study.db"))
	}
	w.write("named.yml", sweepConfig+"\nname: two of them\n")
	if text := w.succeed("sweep run named.yml --create --quiet").stdout; !strings.HasSuffix(text, "\nsyncretic sweep work out/study.db --name 'two of them'\n") {
		t.Errorf("a named study is worked on by %q", text)
	}
	w.refuse([]refusal{{"one of two studies", "sweep status out/study.db --name one", exitInput, `no study named "one", it has ["syncretic" "two of them"]`, "--name"}})
	here, err := os.Getwd()
	w.must(err)
	study := filepath.Join(here, "out", "study.db")
	w.must(os.MkdirAll("elsewhere", 0o777))
	t.Chdir("elsewhere")
	if got := w.result("sweep work " + study + " --trials 1"); got["scores"] != nil || w.scored(study) != 1 {
		t.Errorf("one trial: %v, %d scored", got, w.scored(study))
	}
	if got := w.result("sweep work ../out/study.db"); got["scores"] == nil || w.scored(study) != 2 {
		t.Errorf("the rest: %v, %d scored", got, w.scored(study))
	}
	t.Chdir(here)
	w.refuse([]refusal{
		{"no study", "sweep work nowhere.db", exitInput, "nowhere.db: no such file or directory", "spelling"},
		{"no such study", "sweep work out/study.db --name other", exitInput, `no study named "other"`, "--name"},
		{"a folder without the inputs", "sweep work out/study.db --directory elsewhere", exitInput, "base: no such file or directory", "spelling"},
		{"no folder", "sweep work out/study.db --directory nowhere", exitInput, "nowhere: no such file or directory", "spelling"},
		{"fewer than no trials", "sweep work out/study.db --trials -1", exitUsage, "--trials -1", "sweep work --help"},
	})
	w.must(os.RemoveAll("base"))
	w.model("base", narrow, 99)
	w.must(os.Remove("tau.safetensors"))
	w.succeed("vector base tuned tau.safetensors --quiet")
	w.refuse([]refusal{{"other inputs", "sweep work out/study.db", exitUsage, "base is not the study's", "name another study"}})
}

// TestSweepSignals: SIGTERM, as a cluster sends it, puts the trial in hand back within seconds; another worker scores it.
func TestSweepSignals(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.write("sweep.yml", strings.NewReplacer("[0.2, 0.5]", "[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]", "window: 0", "window: 0\n  head: {kind: mlp, epochs: 2000, stop: 2000, patience: 2000}").Replace(sweepConfig))
	w.succeed("sweep run sweep.yml --create --quiet")
	c := startCommand(t, "sweep", "work", "out/study.db", "--quiet")
	for w.states("out/study.db")["RUNNING"] == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	sent := time.Now()
	c.signal(t, syscall.SIGTERM)
	status, stderr := c.wait(t)
	t.Logf("ended %v after SIGTERM", time.Since(sent).Round(time.Millisecond))
	if status.ExitStatus() != exitInterrupted || !strings.Contains(stderr, "interrupted") || !strings.Contains(stderr, "goes on where it stopped") {
		t.Errorf("%v\n%s", status, stderr)
	}
	if states := w.states("out/study.db"); states["RUNNING"] != 0 || states["WAITING"] != 1 || states["FAIL"] != 1 {
		t.Errorf("states %v, want one trial put back", states)
	}

	// A worker that is killed says nothing: its heartbeat does not come.
	c = startCommand(t, "sweep", "work", "out/study.db", "--quiet", "--stale", "1s")
	for w.states("out/study.db")["RUNNING"] == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	c.signal(t, syscall.SIGKILL)
	c.wait(t)
	w.succeed("sweep work out/study.db --quiet --stale 1s")
	if states := w.states("out/study.db"); states["COMPLETE"] != 6 || states["RUNNING"]+states["WAITING"] != 0 {
		t.Errorf("states %v, want six trials done", states)
	}
}

// TestSweepWorkers: two processes share a study; one is killed, and the other does what is left, once, and the test.
func TestSweepWorkers(t *testing.T) {
	w := newWorkshop(t)
	w.gallery()
	w.write("sweep.yml", strings.NewReplacer("[0.2, 0.5]", "[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]", "window: 0", "window: 0\n  head: {kind: mlp, epochs: 300, stop: 300, patience: 300}").Replace(sweepConfig))
	w.succeed("sweep run sweep.yml --create --quiet")
	killed := startCommand(t, "sweep", "work", "out/study.db", "--quiet", "--stale", "1s")
	stays := startCommand(t, "sweep", "work", "out/study.db", "--quiet", "--stale", "1s")
	for deadline := time.Now().Add(time.Minute); w.states("out/study.db")["RUNNING"] < 2; {
		if time.Now().After(deadline) {
			t.Fatalf("no two trials run at once: %v", w.states("out/study.db"))
		}
		time.Sleep(5 * time.Millisecond)
	}
	killed.signal(t, syscall.SIGKILL)
	killed.wait(t)
	if status, stderr := stays.wait(t); status.ExitStatus() != exitDone {
		t.Fatalf("%v\n%s", status, stderr)
	}
	if states := w.states("out/study.db"); states["COMPLETE"] != 6 || states["FAIL"] > 1 || states["RUNNING"]+states["WAITING"] != 0 {
		t.Errorf("states %v, want six trials done", states)
	}
	points := map[string]bool{}
	for _, trial := range w.sweepTrials() {
		if trial.State == "COMPLETE" {
			points[strconv.FormatFloat(trial.Params["lambda"], 'g', -1, 64)] = true
		}
	}
	if status := w.result("sweep status out/study.db"); len(points) != 6 || status["test"].(map[string]any)["attempts"] != 1.0 {
		t.Errorf("points %v, status %v", points, status)
	}
}
