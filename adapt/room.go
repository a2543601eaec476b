package adapt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"syncretic/checkpoint"
)

// disk is how a run's folder is written, and what is known of the room there; tests put others in its place.
type disk struct {
	write func(ctx context.Context, path string, src checkpoint.Source, opts checkpoint.WriteOptions) error
	free  func(dir string) (bytes int64, ok bool)
}

// stateBytes is the size of the largest state that the recipe makes: weights, and two moments of each parameter that is
// trained.
func (r *Run) stateBytes() int64 {
	weights, moments, most := 0, map[string]int{}, 0
	for _, p := range r.model.Params() {
		weights += p.Value.Size()
	}
	for _, s := range r.cfg.Stages {
		if s.Optimizer != "keep" {
			clear(moments)
		}
		sum := 0
		for _, p := range r.model.Params() {
			if s.selects(p.Name) {
				moments[p.Name] = p.Value.Size()
			}
			sum += moments[p.Name]
		}
		most = max(most, sum)
	}
	return 4 * (int64(weights) + 2*int64(most))
}

// checkRoom says so where the folder's file system has no room for what the run will write: the states that are kept, one more
// while it is written, and the model. A run is not refused, as room may be made while it trains.
func (w *work) checkRoom(warn func(string)) error {
	free, ok := w.run.disk.free(w.dir)
	if !ok || warn == nil {
		return nil
	}
	var held int64
	steps, err := w.states()
	if err != nil {
		return err
	}
	for _, step := range steps {
		info, err := os.Stat(w.statePath(step))
		if err != nil {
			return err
		}
		held += info.Size()
	}
	state, model := w.run.stateBytes(), int64(0)
	for _, info := range w.run.model.Tensors() {
		model += info.Bytes()
	}
	states := int64(w.run.cfg.Keep + len(w.run.cfg.Stages)) // with those at the ends of all stages but the last, and the one being written
	if need := states*state + model - held; free < need {
		warn(fmt.Sprintf("%s: the run needs up to %s more (%d states of %s and a model of %s), and %s are free there",
			w.dir, size10(need), states, size10(state), size10(model), size10(free)))
	}
	return nil
}

// noRoom explains the error of a state that did not fit; any other it returns as it is.
func (w *work) noRoom(err error) error {
	var full syscall.Errno
	if !errors.As(err, &full) || full != syscall.ENOSPC && full != syscall.EDQUOT {
		return err
	}
	free := ""
	if n, ok := w.run.disk.free(w.dir); ok {
		free = fmt.Sprintf(" and %s are free", size10(n))
	}
	older := ""
	if w.saved > 0 {
		older = fmt.Sprintf("; that of step %d is as it was", w.saved)
	}
	return fmt.Errorf("%s: no room for the state after step %d, which needs %s%s%s: %w", w.dir, w.done, size10(w.run.stateBytes()), free, older, full)
}

// size10 is a number of bytes as people read it.
func size10(n int64) string {
	for _, unit := range []struct {
		name  string
		bytes int64
	}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if n >= unit.bytes {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.bytes), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
