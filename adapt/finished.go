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

// tidy ends a run whose output is complete: what is left of its folder goes, and the last record is reported.
func (r *Run) tidy(out string, opts Options) error {
	dir := out + ".run"
	release, err := checkpoint.LockDir(dir)
	if err == nil {
		err = errors.Join(release(), os.RemoveAll(dir))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return reportLast(filepath.Join(out, "train.jsonl"), opts)
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
