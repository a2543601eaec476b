package main

import (
	"os"
	"runtime/debug"
)

// leanHeap lets the collector run after a tenth of what is in use has been allocated, rather than as much again: an encoder's memory is
// a few hundred large arrays without pointers, which take next to nothing to collect. GOGC in the environment has precedence.
func leanHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(10)
	}
}
