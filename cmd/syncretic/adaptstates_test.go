package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The states of a run that stopped: one is chosen, one is spoilt, all are; each with its exit code and what to do.
func TestAdaptStates(t *testing.T) {
	w := newWorkshop(t)
	w.studio()
	w.write("wild.yml", strings.Replace(recipe, "peak: 1e-3", "peak: 1e30", 1)+"max_skipped: 0\nsave_every: 1\n")
	o := w.syncretic("adapt wild.yml out --quiet") // its second step diverges, after a first state
	if o.code != exitFailed {
		t.Fatalf("exit code %d, want %d\n%s", o.code, exitFailed, o.stderr)
	}
	o.complains(t, "stopped after step 1, its state is in out.run", "go on with --resume under a larger max_skipped, or from an earlier state with --resume-from STEP")
	w.refuse([]refusal{
		{"a state that is not there", "adapt wild.yml out --resume-from 7", exitUsage, "out.run: no state of step 7 to go on from (--resume-from); there are those of steps 1", ""},
		{"no number", "adapt wild.yml out --resume-from -1", exitUsage, "--resume-from -1: want the step of a state", ""},
	})
	w.write("wild.yml", strings.Replace(w.read("wild.yml"), "max_skipped: 0", "max_skipped: 9", 1))
	if o := w.syncretic("adapt wild.yml out --resume-from 1"); o.code != exitDone || !strings.Contains(o.stderr, "going on after step 1, where the run stopped: ") {
		t.Errorf("exit code %d, standard error %q", o.code, o.stderr)
	}

	// A completed output is nothing to refuse on --resume, and stays as it is.
	before := w.contents()
	if got := w.result("adapt wild.yml out --resume"); got["steps"] != 4.0 || got["output"] != "out" {
		t.Errorf("resumed once more: %v", got)
	}
	w.unchanged(before)
	w.refuse([]refusal{{"without --resume", "adapt wild.yml out", exitExists, "out: ", "--force replaces it"}})

	w.write("wild.yml", strings.Replace(w.read("wild.yml"), "max_skipped: 9", "max_skipped: 0", 1))
	if o := w.syncretic("adapt wild.yml other --quiet"); o.code != exitFailed {
		t.Fatalf("exit code %d\n%s", o.code, o.stderr)
	}
	states, err := filepath.Glob("other.run/state-*")
	if err != nil || !slices.Equal(states, []string{"other.run/state-000000001.safetensors"}) {
		t.Fatalf("states %q, %v", states, err)
	}
	if err := os.Truncate(states[0], 500); err != nil {
		t.Fatal(err)
	}
	w.refuse([]refusal{{"no state can be read", "adapt wild.yml other --resume", exitInput, "other.run: no state can be read: other.run/state-000000001.safetensors: truncated", "--force starts over"}})
}
