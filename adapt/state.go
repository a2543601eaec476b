package adapt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"syncretic/adapt/optim"
	"syncretic/checkpoint"
)

// workSuffix makes an output's name that of the folder in which it is worked on.
const workSuffix = ".run"

// work is the folder of a run that is not finished: train.jsonl and the last states, each one file. A state holds all that the
// run goes on from: weights, heads and moments as tensors; the moments' step counts, the run's position and what it skipped
// in its metadata. Sampler and random state are in it as the position alone, since every draw is a pure function of (seed, stage,
// step); so is the learning rate.
type work struct {
	dir   string
	run   *Run
	key   string       // of the recipe and its inputs
	adam  *optim.AdamW // nil until the first stage begins
	done  int          // steps taken
	saved int          // the step of the newest state on disk, 0 for none
	file  *os.File

	skipped int       // of the steps done
	inRow   int       // of them, the last ones without a break
	stopped string    // why the run ended with this state, "" if nothing but an interruption did
	savedAt time.Time // when the state on disk was written or the run began

	release func() error // of the folder's lock
	seen    *watcher

	follower bool // in a process of a group that does not write: nothing is on its disk
}

// key tells recipes with their inputs apart that end in other weights.
func (r *Run) key() (string, error) {
	cfg := r.cfg
	cfg.SaveEvery, cfg.SaveMinutes, cfg.MaxSkipped, cfg.Keep, cfg.Heldout = 0, 0, 0, 0, HeldoutConfig{} // of no account to the weights, so a resumed run may change them
	doc, err := cfg.Marshal()
	if err != nil {
		return "", err
	}
	inputs, err := json.Marshal(r.inputs)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(doc, inputs...))
	return hex.EncodeToString(sum[:]), nil
}

func openWork(dir string, r *Run, opts Options) (*work, error) {
	key, err := r.key()
	if err != nil {
		return nil, err
	}
	w := &work{dir: dir, run: r, key: key, savedAt: r.now()}
	there, err := opts.mayWork(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	if w.release, err = checkpoint.LockDir(dir); err != nil {
		return nil, err
	}
	if err := w.begin(opts); err != nil {
		w.close()
		if !there {
			_ = os.Remove(dir) // as it was
		}
		return nil, err
	}
	if w.saved > 0 && opts.Resumed != nil {
		opts.Resumed(w.done, w.stopped)
	}
	w.stopped = ""
	return w, nil
}

// mayWork refuses a folder that an interrupted run left, unless the options say what becomes of it.
func (o Options) mayWork(dir string) (there bool, err error) {
	_, err = os.Stat(dir)
	if there = err == nil; there && !o.Resume && o.ResumeFrom == 0 && !o.Force {
		return there, fmt.Errorf("%s: an interrupted run (go on with --resume, start over with --force): %w", dir, fs.ErrExist)
	}
	return there, nil
}

// Check gives the error that Train would give over what an interrupted run of out left, before a recipe is opened, which may take hours.
func (o Options) Check(out string) error {
	_, err := o.mayWork(filepath.Clean(out) + workSuffix)
	return err
}

// begin takes up or forgets what stands in the folder, and opens the log.
func (w *work) begin(opts Options) error {
	if err := w.sweep(); err != nil {
		return err
	}
	var err error
	if opts.Resume || opts.ResumeFrom != 0 {
		err = w.resume(opts.ResumeFrom, opts.Warn)
	} else {
		err = w.forget()
	}
	if err == nil {
		err = w.checkRoom(opts.Warn)
	}
	if err != nil {
		return err
	}
	return w.openLog()
}

// removed deletes a file that may not be there.
func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (w *work) logPath() string { return filepath.Join(w.dir, "train.jsonl") }

// save writes the state, and then removes those that are not kept any more.
func (w *work) save(ctx context.Context) error {
	if w.adam == nil || w.done == 0 || w.saved == w.done {
		return nil // nothing that the disk does not have
	}
	return w.store(ctx)
}

// store writes the state whether or not the disk has it.
func (w *work) store(ctx context.Context) error {
	if w.follower {
		w.saved, w.savedAt = w.done, w.run.now()
		return nil
	}
	meta := map[string]string{"run": w.key, "done": strconv.Itoa(w.done), "skipped": strconv.Itoa(w.skipped), "skipped in a row": strconv.Itoa(w.inRow)}
	if w.stopped != "" {
		meta["stopped"] = w.stopped
	}
	var moments []checkpoint.Tensor
	for _, s := range w.adam.State() {
		meta["step "+s.Name] = strconv.Itoa(s.Step)
		moments = append(moments, checkpoint.Tensor{Name: "m " + s.Name, Shape: []int{len(s.M)}, Data: s.M},
			checkpoint.Tensor{Name: "v " + s.Name, Shape: []int{len(s.V)}, Data: s.V})
	}
	adam, err := checkpoint.NewMemory(moments...)
	if err != nil {
		return err
	}
	src, err := checkpoint.Union(checkpoint.Prefix(w.run.model, "model "), adam)
	if err != nil {
		return err
	}
	if meta["sha256"], err = checkpoint.Hash(src); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil { // the log is never behind a state, also after a power cut
		return err
	}
	if err := w.run.disk.write(ctx, w.statePath(w.done), src, checkpoint.WriteOptions{Metadata: meta, Force: true}); err != nil {
		return w.noRoom(err)
	}
	w.saved, w.savedAt = w.done, w.run.now()
	return w.prune()
}

// restore reads a state back into model and optimiser. Its digest is checked first: a disk may return other bytes than it was
// given without an error.
func (w *work) restore(step int) error {
	path := w.statePath(step)
	m, err := checkpoint.Open(path)
	if err != nil {
		return err
	}
	defer m.Close()
	meta := m.Metadata()
	if meta["run"] != w.key {
		return w.foreign()
	}
	digest, err := checkpoint.Hash(m)
	if err != nil {
		return err
	}
	if digest != meta["sha256"] {
		return fmt.Errorf("%w: %s: its tensors are not those that were written: sha-256 %s, want %s", checkpoint.ErrInvalid, path, digest, meta["sha256"])
	}
	at := map[string]int{"done": 0, "skipped": 0, "skipped in a row": 0}
	for key := range at {
		if at[key], err = strconv.Atoi(meta[key]); err != nil {
			return fmt.Errorf("%w: %s: metadata %s: %q", checkpoint.ErrInvalid, path, key, meta[key])
		}
	}
	if at["done"] != step {
		return fmt.Errorf("%w: %s: it is the state after step %d", checkpoint.ErrInvalid, path, at["done"])
	}
	states, err := momentsIn(m)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	adam := optim.NewAdamW(w.run.cfg.Optimizer.adamW(), w.run.model.Params())
	if err := adam.Restore(states); err != nil {
		return fmt.Errorf("%w: %s: %w", checkpoint.ErrInvalid, path, err)
	}
	if err := w.run.model.SetWeights(renamed{m, "model "}); err != nil {
		return err
	}
	w.adam, w.done, w.skipped, w.inRow, w.stopped = adam, step, at["skipped"], at["skipped in a row"], meta["stopped"]
	w.saved = step
	return nil
}

// foreign is the error of a folder that another recipe works in.
func (w *work) foreign() error {
	return fmt.Errorf("%w: %s belongs to another recipe or base; start over with --force", ErrConfig, w.dir)
}

// momentsIn reads what a state holds of the optimiser.
func momentsIn(m *checkpoint.Model) ([]optim.State, error) {
	var states []optim.State
	for key, value := range m.Metadata() {
		name, ok := strings.CutPrefix(key, "step ")
		if !ok {
			continue
		}
		s := optim.State{Name: name}
		var err error
		if s.Step, err = strconv.Atoi(value); err != nil {
			return nil, fmt.Errorf("%w: metadata %s: %q", checkpoint.ErrInvalid, key, value)
		}
		if s.M, err = checkpoint.ReadAll(m, "m "+name); err != nil {
			return nil, err
		}
		if s.V, err = checkpoint.ReadAll(m, "v "+name); err != nil {
			return nil, err
		}
		states = append(states, s)
	}
	return states, nil
}

// close releases the folder. Errors of closing are of no account: what matters was written before.
func (w *work) close() {
	w.seen.close()
	if w.file != nil {
		_ = w.file.Close()
	}
	if w.release != nil {
		_ = w.release()
	}
}

// removeUnsaved ends the folder of a run that has no state in it.
func (w *work) removeUnsaved() error {
	if w.saved > 0 {
		return nil
	}
	return w.remove()
}

// remove ends the run's folder, closed first, as some systems want it.
func (w *work) remove() error {
	if w.follower {
		return nil
	}
	w.close()
	return os.RemoveAll(w.dir)
}
