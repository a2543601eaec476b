package main

import (
	"runtime"
	"testing"
)

// restoreThreads undoes what --threads sets for the process, when the test ends.
func restoreThreads(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

func TestThreads(t *testing.T) {
	restoreThreads(t)
	w := newWorkshop(t)
	w.succeed("version --threads 3")
	if got := runtime.GOMAXPROCS(0); got != 3 {
		t.Errorf("--threads 3: %d cores in use", got)
	}
	w.succeed("version --threads 0")
	if got := runtime.GOMAXPROCS(0); got != 3 {
		t.Errorf("--threads 0 changed the number of cores to %d", got)
	}
	w.refuse([]refusal{
		{"negative", "version --threads -1", exitUsage, "--threads -1: want 1 or more", "version --help"},
		{"text", "version --threads all", exitUsage, `invalid argument "all" for "--threads" flag: want a whole number`, "version --help"},
		{"missing", "version --threads", exitUsage, "invalid argument", "version --help"}, // takes --json for its value
	})
}
