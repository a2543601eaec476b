package adapt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ErrStates marks a run's folder in which states stand, none of which can be read.
var ErrStates = errors.New("no state can be read")

// A state is named by its step, so that a new one never takes the place of an older one. Each is complete: from any of them
// the run goes on to the same bytes.
const (
	stateName   = "state-%09d.safetensors"
	statePrefix = "state-"
	stateSuffix = ".safetensors"
	setAside    = ".unreadable"
)

func (w *work) statePath(step int) string { return filepath.Join(w.dir, fmt.Sprintf(stateName, step)) }

// states lists the steps of the states on disk, the oldest first.
func (w *work) states() ([]int, error) {
	list, err := os.ReadDir(w.dir)
	if err != nil {
		return nil, err
	}
	var steps []int
	for _, item := range list {
		text, ok := strings.CutPrefix(item.Name(), statePrefix)
		text, is := strings.CutSuffix(text, stateSuffix)
		step, err := strconv.Atoi(text)
		if ok && is && err == nil && item.Name() == fmt.Sprintf(stateName, step) {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps, nil
}

// sweep removes what a killed writer left: the folder's lock is held, so no writer of these lives.
func (w *work) sweep() error {
	list, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, item := range list {
		if strings.HasPrefix(item.Name(), ".") && strings.Contains(item.Name(), ".tmp-") {
			errs = append(errs, os.RemoveAll(filepath.Join(w.dir, item.Name())))
		}
	}
	return errors.Join(errs...)
}

// forget removes the states and the log of a run that is started over.
func (w *work) forget() error {
	list, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	errs := []error{removed(w.logPath())}
	for _, item := range list {
		if strings.HasPrefix(item.Name(), statePrefix) {
			errs = append(errs, os.Remove(filepath.Join(w.dir, item.Name())))
		}
	}
	return errors.Join(errs...)
}

// prune removes the states that are not kept: all but the last Config.Keep and those at a stage's end, and any that lies ahead
// of the run, which has then gone back. It is called once the state of the present step is durable.
func (w *work) prune() error {
	steps, err := w.states()
	if err != nil {
		return err
	}
	ends := w.run.cfg.stageEnds()
	var errs []error
	behind := 0 // states behind the run that are as young as the one at hand or younger
	for _, step := range slices.Backward(steps) {
		if step <= w.done {
			behind++
		}
		if step > w.done || behind > w.run.cfg.Keep && !slices.Contains(ends, step) {
			errs = append(errs, os.Remove(w.statePath(step)))
		}
	}
	return errors.Join(errs...)
}

// stageEnds lists the number of steps that are done when each stage ends.
func (c Config) stageEnds() []int {
	var ends []int
	total := 0
	for _, s := range c.Stages {
		total += s.Steps
		ends = append(ends, total)
	}
	return ends
}

// resume takes up the newest state that can be read, or the one that from names. A folder without states is a run that had
// not saved one yet. States that cannot be read are set aside under another name, once an older one has been.
func (w *work) resume(from int, warn func(string)) error {
	steps, err := w.states()
	if err != nil {
		return err
	}
	if from != 0 {
		return w.goBack(from, steps)
	}
	var bad []error
	for i, step := range slices.Backward(steps) {
		err := w.restore(step)
		if errors.Is(err, ErrConfig) {
			return err
		}
		if err != nil {
			bad = append(bad, err)
			continue
		}
		for _, later := range steps[i+1:] {
			if err := os.Rename(w.statePath(later), w.statePath(later)+setAside); err != nil {
				return err
			}
		}
		if len(bad) > 0 && warn != nil {
			warn(fmt.Sprintf("going on from the state after step %d, since a later one cannot be read (set aside as *%s): %v", step, setAside, errors.Join(bad...)))
		}
		return nil
	}
	if len(bad) > 0 {
		return fmt.Errorf("%s: %w: %w", w.dir, ErrStates, errors.Join(bad...))
	}
	return nil
}

// goBack takes up the state of a step and removes those after it.
func (w *work) goBack(from int, steps []int) error {
	if !slices.Contains(steps, from) {
		there := "there is none"
		if len(steps) > 0 {
			there = "there are those of steps " + strings.Trim(fmt.Sprint(steps), "[]")
		}
		return fmt.Errorf("%w: %s: no state of step %d to go on from (--resume-from); %s", ErrConfig, w.dir, from, there)
	}
	if err := w.restore(from); err != nil {
		return err
	}
	return w.prune()
}
