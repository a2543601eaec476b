package adapt

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"syncretic/checkpoint"
)

// openLog keeps the records of the steps that the state knows and drops later ones, which will be made again.
func (w *work) openLog() error {
	old, err := os.ReadFile(w.logPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var kept bytes.Buffer
	w.run.unread = nil
	for line := range bytes.Lines(old) {
		var at struct{ Step int }
		if json.Unmarshal(line, &at) == nil && at.Step <= w.done && bytes.HasSuffix(line, []byte("\n")) {
			kept.Write(line)
			w.run.recall(line)
		}
	}
	if err := checkpoint.WriteFile(w.logPath(), kept.Bytes(), true); err != nil {
		return err
	}
	w.file, err = os.OpenFile(w.logPath(), os.O_WRONLY|os.O_APPEND, 0o666)
	return err
}

func (w *work) log(r Record) error {
	if w.follower {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err = w.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return w.seen.putStep(r)
}
