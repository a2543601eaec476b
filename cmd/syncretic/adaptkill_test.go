//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// killed is a recipe of two stages that saves after every second step and computes little between.
var killed = strings.Replace(recipe, "  - {name: all, steps: 4, lr: {peak: 1e-3, warmup: 1}}\n", `
  - {name: front-end, steps: 20, train: [feature_extractor., pretrain.], lr: {peak: 1e-3, warmup: 1}}
  - {name: all, steps: 40, optimizer: keep, lr: {peak: 1e-3, warmup: 5, from: last}}
save_every: 2
`, 1)

// child is the command in a process of its own.
type child struct {
	process *os.Process
	stdout  *os.File
	stderr  *os.File
}

// startCommand starts the command with its arguments.
func startCommand(t *testing.T, line ...string) *child {
	t.Helper()
	text, err := json.Marshal(line)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := os.CreateTemp(t.TempDir(), "stdout")
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	p, err := os.StartProcess(self, []string{self}, &os.ProcAttr{
		Env:   append(os.Environ(), childLine+"="+string(text)),
		Files: []*os.File{nil, stdout, stderr},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &child{p, stdout, stderr}
}

// wait returns how the process ended and what it wrote to standard error.
func (c *child) wait(t *testing.T) (syscall.WaitStatus, string) {
	t.Helper()
	state, err := c.process.Wait()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(c.stderr.Name())
	if err != nil {
		t.Fatal(err)
	}
	c.stdout.Close()
	c.stderr.Close()
	return state.Sys().(syscall.WaitStatus), string(text)
}

// signal sends a signal; a process that has ended by itself is no error.
func (c *child) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := c.process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}

// until waits till a pattern names a file that is not among the old ones, or the time is up.
func until(pattern string, old []string, limit time.Duration) {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Microsecond) {
		if fresh(pattern, old) {
			return
		}
	}
}

func glob(pattern string) []string {
	found, _ := filepath.Glob(pattern)
	return found
}

// fresh tells whether a pattern names a file that is not among the old ones.
func fresh(pattern string, old []string) bool {
	return slices.ContainsFunc(glob(pattern), func(path string) bool { return !slices.Contains(old, path) })
}

// A training that is killed again and again, at random moments from its start-up to its last rename and some of them while it
// saves a state, and resumed each time, ends on the bytes of one that nobody disturbed, with each step once in its log.
// SYNCRETIC_KILLS sets how often, 6 times by default and at most 60; only kills that struck count.
func TestAdaptKilled(t *testing.T) {
	kills := 6
	if text := os.Getenv("SYNCRETIC_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("SYNCRETIC_KILLS=%s: want a number", text)
		}
		kills = min(n, 60)
	}
	w := newWorkshop(t)
	w.studio()
	w.write("long.yml", killed)
	whole := startCommand(t, "adapt", "long.yml", "whole", "--quiet")
	began := time.Now()
	if status, stderr := whole.wait(t); status.ExitStatus() != exitDone {
		t.Fatalf("the undisturbed run: %v\n%s", status, stderr)
	}
	lasts := time.Since(began)

	r := rand.New(rand.NewPCG(uint64(kills), 6))
	struck, saving, writing, rounds := 0, 0, 0, 0
	for ; struck < kills; rounds++ {
		out := fmt.Sprint("out-", rounds)
		if rounds%2 == 1 { // the teacher's fit and the targets are started anew, too
			if err := os.RemoveAll("teacher"); err != nil {
				t.Fatal(err)
			}
		}
		before := struck
		for done := false; !done; {
			state, output := out+".run/.state-*", "."+out+".tmp-*" // under construction
			aim := []string{state, state, output}[r.IntN(3)]
			old := append(glob(state), glob(output)...)
			c := startCommand(t, "adapt", "long.yml", out, "--quiet", "--resume")
			switch {
			case struck-before >= 8: // on a machine that has grown slow, some round must end
			case struck%2 == 1: // in the middle of one of the saves that follow, or of the output
				until(aim, old, lasts)
				time.Sleep(time.Duration(r.IntN(500)) * time.Microsecond)
				c.signal(t, syscall.SIGKILL)
			default:
				time.Sleep(time.Duration(r.Int64N(int64(lasts))))
				c.signal(t, syscall.SIGKILL)
			}
			status, stderr := c.wait(t)
			switch {
			case status.Signaled() && status.Signal() == syscall.SIGKILL:
				struck++
				if fresh(state, old) {
					saving++
				}
				if fresh(output, old) {
					writing++
				}
			case status.ExitStatus() == exitDone:
				done = true
			default:
				t.Fatalf("round %d, after %d kills: %v\n%s", rounds, struck-before, status, stderr)
			}
		}
		sameRun(t, "whole", out)
		if struck == before {
			lasts = lasts * 3 / 4 // the machine was slower when it was measured
		}
		if left := glob("." + out + "*"); len(left) > 0 {
			t.Errorf("round %d left %q", rounds, left)
		}
	}
	t.Logf("%d kills in %d rounds: %d while a state was written, %d while the output was", struck, rounds, saving, writing)
	if kills >= 20 && saving == 0 {
		t.Error("no kill struck while a state was written")
	}
}

// sameRun holds two outputs of a recipe to the same bytes, and the log to each step once.
func sameRun(t *testing.T, want, got string) {
	t.Helper()
	list, err := os.ReadDir(want)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range list {
		a, err := os.ReadFile(filepath.Join(want, item.Name()))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(got, item.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if timed := []string{"train.jsonl", "train.tfevents", "summary.html"}; !slices.Contains(timed, item.Name()) && !bytes.Equal(a, b) {
			t.Errorf("%s: %s differs from the undisturbed run's", got, item.Name())
		}
	}
	left, right := steps(t, want), steps(t, got)
	if len(left) != len(right) {
		t.Fatalf("%s: %d steps in the log, want %d", got, len(right), len(left))
	}
	for i := range left {
		if left[i] != right[i] {
			t.Errorf("%s: line %d of the log: %s, want %s", got, i+1, right[i], left[i])
		}
	}
	if _, err := os.Stat(got + ".run"); err == nil {
		t.Errorf("%s.run is left", got)
	}
}

// steps are the lines of a log, without how fast each step was.
func steps(t *testing.T, out string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(out, "train.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range bytes.Lines(data) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		delete(fields, "clips_per_s")
		delete(fields, "wait_s")
		delete(fields, "time")
		line, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	return lines
}

// SIGTERM and an interrupt save the state, so that not even a step is lost, and end the process with exit code 130. A second SIGTERM,
// as from a batch system that signals the shell and its children, hastens nothing.
func TestAdaptSignals(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.write("long.yml", strings.Replace(recipe, "steps: 4", "steps: 20000", 1)+"save_every: 20000\n")
	for name, signals := range map[string][]os.Signal{"interrupted": {os.Interrupt}, "terminated": {syscall.SIGTERM}, "twice": {syscall.SIGTERM, syscall.SIGTERM}} {
		c := startCommand(t, "adapt", "long.yml", name, "--quiet")
		for log := name + ".run/train.jsonl"; ; time.Sleep(time.Millisecond) {
			if data, err := os.ReadFile(log); err == nil && bytes.Count(data, []byte("\n")) > 2 {
				break
			}
		}
		for _, s := range signals {
			c.signal(t, s)
			time.Sleep(2 * time.Millisecond) // two that arrive at once count as one
		}
		status, stderr := c.wait(t)
		if status.ExitStatus() != exitInterrupted || !strings.Contains(stderr, "interrupted: stopped after step") || !strings.Contains(stderr, "--resume goes on from there") {
			t.Errorf("%s: %v\n%s", name, status, stderr)
		}
		data, err := os.ReadFile(name + ".run/train.jsonl")
		if err != nil {
			t.Fatal(err)
		}
		state := fmt.Sprintf("%s.run/state-%09d.safetensors", name, bytes.Count(data, []byte("\n")))
		if _, err := os.Stat(state); err != nil {
			t.Errorf("%s: a state of the last step: %v", name, err)
		}
	}
}
