package adapt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"syncretic/checkpoint"
)

// finished reports whether out is the complete output of this very run: one that was killed after its last rename, or is
// resumed once more.
func (r *Run) finished(out string) (bool, error) {
	doc, err := os.ReadFile(filepath.Join(out, "adapt.json"))
	if err != nil {
		return false, nil // something else, which is not for this run to judge
	}
	var stored struct{ Run string }
	if json.Unmarshal(doc, &stored) != nil {
		return false, nil
	}
	key, err := r.key()
	return err == nil && stored.Run == key, err
}

// tidy ends a run whose output is complete: what is left of its folder goes, and the last record is reported. A folder with
// states of another recipe, which was to replace the output, is an error.
func (r *Run) tidy(out string, opts Options) error {
	w := &work{dir: out + workSuffix, run: r}
	release, err := checkpoint.LockDir(w.dir)
	if err == nil {
		err = errors.Join(w.own(), release())
	}
	if err == nil {
		err = os.RemoveAll(w.dir)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return reportLast(filepath.Join(out, "train.jsonl"), opts)
}

// own reports states of another run as an error. One that cannot be read is nobody's.
func (w *work) own() error {
	steps, err := w.states()
	if err != nil {
		return err
	}
	key, err := w.run.key()
	if err != nil {
		return err
	}
	for _, step := range steps {
		m, err := checkpoint.Open(w.statePath(step))
		if err != nil {
			continue
		}
		other := m.Metadata()["run"] != key
		if err := m.Close(); err != nil {
			return err
		}
		if other {
			return w.foreign()
		}
	}
	return nil
}

// reportLast reports the last record of a log, for a run that has no step left to take.
func reportLast(path string, opts Options) error {
	log, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	var r Record
	if err := json.Unmarshal(lines[len(lines)-1], &r); err != nil {
		return fmt.Errorf("%w: %s: the last line is no record: %w", checkpoint.ErrInvalid, path, err)
	}
	if opts.Report != nil {
		opts.Report(r)
	}
	return nil
}
