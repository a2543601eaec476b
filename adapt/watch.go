package adapt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"syncretic/adapt/summary"
	"syncretic/adapt/tensorboard"
	"syncretic/checkpoint"
)

// watcher writes what is to be seen of a run while it goes on, beside its state: heldout.jsonl, and an event file for
// TensorBoard that says what the two logs say. Both logs are kept as far as the state knows their steps; the event file, to
// which nothing but more can be added, is written anew from them when a run is taken up again.
type watcher struct {
	heldout *os.File
	events  *os.File
	board   *tensorboard.Writer
	base    map[string]HeldoutRecord // by corpus: the record of step 0
	at      map[string]int           // by corpus: the last step measured, plus one
	pace    pace
}

const (
	heldoutLog = "heldout.jsonl"
	provenance = "adapt.json"
	eventFiles = "events.out.tfevents." // while the run goes on, with the time
	eventFile  = "train.tfevents"       // of the output
)

// watch opens the logs beside the state that the run goes on from.
func (w *work) watch(opts Options) error {
	s := &watcher{base: map[string]HeldoutRecord{}, at: map[string]int{}, pace: pace{began: time.Now()}}
	w.seen = s
	doc, err := w.provenance(opts.Version)
	if err != nil {
		return err
	}
	if err := checkpoint.WriteFile(filepath.Join(w.dir, provenance), doc, true); err != nil {
		return err
	}
	held, err := w.keepHeldout()
	if err != nil {
		return err
	}
	if s.heldout, err = os.OpenFile(filepath.Join(w.dir, heldoutLog), os.O_WRONLY|os.O_APPEND, 0o666); err != nil {
		return err
	}
	return w.openEvents(held)
}

// keepHeldout keeps the records of the steps that the state knows, but for those of a corpus of which other crops are measured by
// now, and drops the rest.
func (w *work) keepHeldout() ([]HeldoutRecord, error) {
	path := filepath.Join(w.dir, heldoutLog)
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if w.saved == 0 {
		old = nil // the run begins
	}
	sets := map[string]string{}
	for _, c := range w.run.Heldout() {
		sets[c.Name] = c.Set
	}
	var kept bytes.Buffer
	var records []HeldoutRecord
	for line := range bytes.Lines(old) {
		var r HeldoutRecord
		if json.Unmarshal(line, &r) != nil || r.Step > w.done || !bytes.HasSuffix(line, []byte("\n")) {
			continue
		}
		if set := sets[r.Corpus]; set != "" && set != r.Set {
			continue
		}
		kept.Write(line)
		w.seen.note(r)
		records = append(records, r)
	}
	return records, checkpoint.WriteFile(path, kept.Bytes(), true)
}

func (s *watcher) note(r HeldoutRecord) {
	s.at[r.Corpus] = r.Step + 1
	if r.Step == 0 && r.Reason == "" {
		s.base[r.Corpus] = r
	}
}

// openEvents begins an event file with what the logs hold and then empties those of earlier processes.
func (w *work) openEvents(held []HeldoutRecord) error {
	old, err := filepath.Glob(filepath.Join(escaped(w.dir), eventFiles+"*"))
	if err != nil {
		return err
	}
	s, now := w.seen, time.Now()
	if s.events, err = os.OpenFile(filepath.Join(w.dir, tensorboard.FileName(now)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err != nil {
		return err
	}
	if s.board, err = tensorboard.NewWriter(s.events, now); err != nil {
		return err
	}
	log, err := os.ReadFile(w.logPath())
	if err != nil {
		return err
	}
	putHeld := func(before int) error {
		for ; len(held) > 0 && held[0].Step < before; held = held[1:] {
			if err := s.putHeldout(held[0]); err != nil {
				return err
			}
		}
		return nil
	}
	for line := range bytes.Lines(log) {
		var r Record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("%s: %w", w.logPath(), err)
		}
		if r.Time.IsZero() {
			r.Time = now // of a version that did not write it
		}
		if err := errors.Join(putHeld(r.Step), s.putStep(r)); err != nil {
			return err
		}
	}
	if err := putHeld(w.done + 1); err != nil {
		return err
	}
	for _, path := range old { // a TensorBoard that reads one goes on to the next at its end, and would wait for ever for one that is gone
		if err := os.Truncate(path, 0); err != nil {
			return err
		}
	}
	return nil
}

// escaped is a path as a pattern that matches it alone.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// timed adds to a step's record when it ended and how long the rest of the run will take.
func (w *work) timed(rec *Record, began time.Time) {
	if w.follower {
		return
	}
	p := &w.seen.pace
	p.step(time.Since(began), rec.StageStep == 1)
	rec.Time = stamp()
	rec.Left = p.left(time.Now(), rec.Steps-rec.Step, w.run.heldout.ahead(w.done, rec.Steps)+w.undone(rec.Steps))
}

// undone is 1 where a measurement stands at the present step, else 0.
func (w *work) undone(total int) int {
	if w.run.heldout.due(w.done, total) {
		return 1
	}
	return 0
}

// measure takes the measurement that stands at the present step, of the corpora that have not been measured there. In a group process 0 does.
func (w *work) measure(ctx context.Context, total int, opts Options) error {
	m, s := w.run.heldout, w.seen
	if w.follower || !m.due(w.done, total) {
		return nil
	}
	began, took := time.Now(), false
	for i := range m.crops {
		if s.at[m.corpora[i].Name] == w.done+1 {
			continue
		}
		r, err := m.score(ctx, w.run.model, i)
		if err != nil {
			return err
		}
		r.Step, r.Stage = w.done, w.run.cfg.stageOf(w.done)
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := s.heldout.Write(append(line, '\n')); err != nil {
			return err
		}
		if err := s.putHeldout(r); err != nil {
			return err
		}
		s.note(r)
		took = true
		if opts.Heldout != nil {
			var base *HeldoutRecord
			if b, ok := s.base[r.Corpus]; ok {
				base = &b
			}
			opts.Heldout(r, base)
		}
	}
	if took {
		s.pace.measured(time.Since(began))
	}
	return nil
}

// stageOf is the name of the stage that the given step, counted from 1 over all stages, belongs to; "" for 0.
func (c Config) stageOf(step int) string {
	for _, s := range c.Stages {
		if step > 0 && step <= s.Steps {
			return s.Name
		}
		step -= s.Steps
	}
	return ""
}

// results are the files of the finished run.
func (w *work) results(out string, opts Options) ([]checkpoint.SideFile, error) {
	doc, err := w.provenance(opts.Version)
	if err != nil {
		return nil, err
	}
	files := []checkpoint.SideFile{{Name: provenance, Data: doc}}
	logs := summary.Logs{Name: filepath.Base(out), Provenance: doc}
	for _, log := range []struct {
		name, path string
		data       *[]byte
	}{{"train.jsonl", w.logPath(), &logs.Train}, {heldoutLog, filepath.Join(w.dir, heldoutLog), &logs.Heldout}, {eventFile, w.seen.events.Name(), new([]byte)}} {
		if *log.data, err = os.ReadFile(log.path); err != nil {
			return nil, err
		}
		if len(*log.data) > 0 {
			files = append(files, checkpoint.SideFile{Name: log.name, Data: *log.data})
		}
	}
	var page bytes.Buffer
	seen, err := summary.New(logs)
	if err != nil {
		return nil, err
	}
	if err := seen.Write(&page); err != nil {
		return nil, err
	}
	return append(files, checkpoint.SideFile{Name: "summary.html", Data: page.Bytes()}), nil
}

// close releases the files. What was written to them was checked then.
func (s *watcher) close() {
	if s == nil {
		return
	}
	for _, f := range []*os.File{s.heldout, s.events} {
		if f != nil {
			_ = f.Close()
		}
	}
}
