package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// slack is what may be allocated between two runs of the collector, at least.
const slack = 64 << 20

// leanHeap makes the collector run when slack or a tenth of what is in use has been allocated, rather than as much again as is in
// use: an encoder's memory is a few hundred large arrays without pointers, which take next to nothing to collect. It is called with
// the encoder loaded. GOGC in the environment has precedence.
func leanHeap() {
	if os.Getenv("GOGC") != "" {
		return
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	debug.SetGCPercent(min(100, max(10, int(100*slack/max(1, m.HeapAlloc)))))
}
