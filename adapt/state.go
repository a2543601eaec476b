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

// work is the folder of a run that is not finished: state.safetensors (weights, heads, optimiser moments; the position in
// its metadata, so that one rename moves all) and train.jsonl.
type work struct {
	dir   string
	run   *Run
	key   string       // of the recipe and its inputs
	adam  *optim.AdamW // nil until the first stage begins
	done  int          // steps taken
	saved int          // the step whose state is on disk, 0 for none
	file  *os.File

	skipped int       // of the steps done
	inRow   int       // of them, the last ones without a break
	stopped string    // why the run ended with this state, "" if nothing but an interruption did
	savedAt time.Time // when the state on disk was written or the run began

	release func() error // of the folder's lock
}

func openWork(dir string, r *Run, opts Options) (*work, error) {
	cfg := r.cfg
	cfg.SaveEvery, cfg.SaveMinutes, cfg.MaxSkipped = 0, 0, 0 // of no account to the weights, so a resumed run may change them
	doc, err := cfg.Marshal()
	if err != nil {
		return nil, err
	}
	inputs, err := json.Marshal(r.inputs)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append(doc, inputs...))
	w := &work{dir: dir, run: r, key: hex.EncodeToString(sum[:]), savedAt: r.now()}
	_, err = os.Stat(dir)
	there := err == nil
	if there && !opts.Resume && !opts.Force {
		return nil, fmt.Errorf("%s: an interrupted run (go on with --resume, start over with --force): %w", dir, fs.ErrExist)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	if w.release, err = checkpoint.LockDir(dir); err != nil {
		return nil, err
	}
	if there && opts.Resume {
		err = w.restore()
	} else {
		err = errors.Join(removed(w.statePath()), removed(w.logPath()))
	}
	if err != nil {
		w.close()
		return nil, err
	}
	if err := w.openLog(); err != nil {
		w.close()
		return nil, err
	}
	if w.saved > 0 && opts.Resumed != nil {
		opts.Resumed(w.done, w.stopped)
	}
	w.stopped = ""
	return w, nil
}

// removed deletes a file that may not be there.
func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (w *work) logPath() string   { return filepath.Join(w.dir, "train.jsonl") }
func (w *work) statePath() string { return filepath.Join(w.dir, "state.safetensors") }

// save writes the state, replacing the one before it in a single rename.
func (w *work) save(ctx context.Context) error {
	if w.adam == nil || w.done == 0 || w.saved == w.done {
		return nil // nothing that the disk does not have
	}
	return w.store(ctx)
}

// store writes the state whether or not the disk has it.
func (w *work) store(ctx context.Context) error {
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
	if err := checkpoint.Write(ctx, w.statePath(), src, checkpoint.WriteOptions{Metadata: meta, Force: true}); err != nil {
		return err
	}
	w.saved, w.savedAt = w.done, w.run.now()
	return nil
}

// restore reads the state back into model and optimiser. A folder without a state is a run that had not saved one yet.
func (w *work) restore() error {
	m, err := checkpoint.Open(w.statePath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer m.Close()
	meta := m.Metadata()
	if meta["run"] != w.key {
		return fmt.Errorf("%w: %s belongs to another recipe or base; start over with --force", ErrConfig, w.dir)
	}
	for key, n := range map[string]*int{"done": &w.done, "skipped": &w.skipped, "skipped in a row": &w.inRow} {
		if *n, err = strconv.Atoi(meta[key]); err != nil {
			return fmt.Errorf("%w: %s: metadata %s: %q", checkpoint.ErrInvalid, w.statePath(), key, meta[key])
		}
	}
	w.stopped = meta["stopped"]
	if err := w.run.model.SetWeights(renamed{m, "model "}); err != nil {
		return err
	}
	var states []optim.State
	for key, value := range meta {
		name, ok := strings.CutPrefix(key, "step ")
		if !ok {
			continue
		}
		s := optim.State{Name: name}
		if s.Step, err = strconv.Atoi(value); err != nil {
			return fmt.Errorf("%w: %s: metadata %s: %q", checkpoint.ErrInvalid, w.statePath(), key, value)
		}
		if s.M, err = checkpoint.ReadAll(m, "m "+name); err != nil {
			return err
		}
		if s.V, err = checkpoint.ReadAll(m, "v "+name); err != nil {
			return err
		}
		states = append(states, s)
	}
	w.adam = optim.NewAdamW(w.run.cfg.Optimizer.adamW(), w.run.model.Params())
	w.saved = w.done
	return w.adam.Restore(states)
}

// close releases the folder. Errors of closing are of no account: what matters was written before.
func (w *work) close() {
	if w.file != nil {
		_ = w.file.Close()
	}
	_ = w.release()
}

// remove ends the run's folder, closed first, as some systems want it.
func (w *work) remove() error {
	w.close()
	return os.RemoveAll(w.dir)
}
