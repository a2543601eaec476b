package adapt

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// held is what a process holds on to.
type held struct{ heap, goroutines, files int }

// holds measures after the garbage is gone: what pools keep goes with the second collection.
func holds() held {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/dev/fd") // none where the system has no such folder
	return held{int(m.HeapAlloc), runtime.NumGoroutine(), len(files)}
}

// A thousand steps, with states saved on the way and in more than one stage, hold no more than a hundred do. A leak of one
// crop a step would be ten times the bound.
func TestTrainingHoldsNoMore(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cfg.Batch = Batch{Clips: 1, Seconds: 0.1, Accumulate: 1}
	cfg.SaveEvery = 50
	cfg.Stages[0].Steps, cfg.Stages[1].Steps = 500, 501
	cfg.Stages[0].Train = nil
	var first, last held
	if err := open(t, cfg).Train(t.Context(), filepath.Join(dir, "out"), Options{Report: func(r Record) {
		switch r.Step {
		case 100:
			first = holds()
		case 1000:
			last = holds()
		}
	}}); err != nil {
		t.Fatal(err)
	}
	crop := 4 * samplesOf(cfg.Batch.Seconds)
	grown := last.heap - first.heap
	t.Logf("step 100: %+v; step 1000: %+v; %d bytes a step, a crop has %d", first, last, grown/900, crop)
	if bound := 900 * crop / 10; grown > bound {
		t.Errorf("the live heap grew by %d bytes from step 100 to 1000, want at most %d", grown, bound)
	}
	const passing = 16 // workers and files of the moment
	if last.goroutines > first.goroutines+passing || last.files > first.files+passing {
		t.Errorf("goroutines and open files: %d and %d at step 100, %d and %d at step 1000", first.goroutines, first.files, last.goroutines, last.files)
	}
}
