package matrix

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"syncretic/adapt/audio"
	"syncretic/checkpoint"
	"syncretic/probe"
)

// storedVersion goes up when a probe of the same features and settings would find other scores, or a file has another form.
const storedVersion = 1

// Stored is one finished cell with what comparisons need: the test scores of every item.
type Stored struct {
	Key    string       `json:"key"`
	Cell   Cell         `json:"cell"` // without Against
	Tags   []string     `json:"tags"`
	Items  []int        `json:"items"`  // tested: indices into the dataset's Items
	Scores [][]float64  `json:"scores"` // [items][tags], the mean over the seeds
	Origin probe.Origin `json:"features"`
	// Skipped are recordings that could not be read, and were left out of all splits.
	Skipped []audio.Skipped `json:"skipped"`
}

// Key names a cell by all that decides its scores: the features, the splits and labels of the dataset, the head and the seeds. So a cell
// that was kept is never taken for another.
func Key(origin probe.Origin, ds *probe.Dataset, head probe.HeadConfig, seeds []uint64) (string, error) {
	h := sha256.New()
	for _, part := range []any{storedVersion, origin, ds.Task, ds.Tags, head, seeds} {
		text, err := json.Marshal(part)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s\n", text)
	}
	for _, item := range ds.Items {
		fmt.Fprintf(h, "%q %s %v\n", item.ID, item.Split, item.Labels)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// NewStored takes over what a probe found. tested are the test items, in the order of the scores.
func NewStored(key string, ev *probe.Evaluation, f *probe.Features, tested []int) *Stored {
	s := &Stored{Key: key, Tags: ev.Tags, Items: tested, Scores: ev.TestScores, Origin: f.Origin}
	for _, bad := range f.Skipped {
		s.Skipped = append(s.Skipped, bad.Skipped)
	}
	s.Cell = Cell{ROCAUC: ev.Test.ROCAUC, AveragePrecision: ev.Test.AveragePrecision, MicroF1: ev.Test.MicroF1, MacroF1: ev.Test.MacroF1}
	for _, r := range ev.Runs {
		s.Cell.Runs = append(s.Cell.Runs, Run{Seed: r.Seed, ROCAUC: defined(r.Test.ROCAUC.Macro), AveragePrecision: defined(r.Test.AveragePrecision.Macro),
			MicroF1: defined(r.Test.F1.Micro), MacroF1: defined(r.Test.F1.Macro), Threshold: r.Chosen.Threshold})
	}
	return s
}

func defined(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// Store is a folder of finished cells, KEY.json each, written at once when a cell is done.
type Store string

// Get returns a cell that was kept, or nil. A file that is not what Put wrote counts as none: the cell is then computed again.
func (s Store) Get(key string) (*Stored, error) {
	text, err := os.ReadFile(s.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var cell Stored
	if json.Unmarshal(text, &cell) != nil || cell.Key != key || len(cell.Items) == 0 || len(cell.Scores) != len(cell.Items) {
		return nil, nil
	}
	for _, row := range cell.Scores {
		if len(row) != len(cell.Tags) {
			return nil, nil
		}
	}
	return &cell, nil
}

// Put keeps a cell.
func (s Store) Put(cell *Stored) error {
	text, err := json.Marshal(cell)
	if err != nil {
		return err
	}
	return checkpoint.WriteFile(s.path(cell.Key), append(text, '\n'), true)
}

func (s Store) path(key string) string { return filepath.Join(string(s), key+".json") }
