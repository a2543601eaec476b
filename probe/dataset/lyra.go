package dataset

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
)

// lyraSeed is that of the shuffle which takes a tenth of Lyra's training pieces for validation.
const lyraSeed = 10

// readLyra reads split/training.tsv and split/test.tsv below Root (the dataset's data folder). Pieces are tagged
// instruments--X, genres--X and place--X from the lists of those columns; "None" is a place like any other, for place--None is one
// of the published tags. is-danced is checked but no tag, as in Papaioannou et al. 2023. The first tenth of the training pieces in
// the order of numpy's shuffle with seed 10 is valid, or those of the list Splits.Valid. With three lists the pieces are
// those of raw.tsv. Recordings are Audio/ID.mp3, or of another ending; "" is Root/audio.
//
// A programme (youtube-id) holds many pieces, and the published split divides programmes: that is a leak of the kind that warns.
func readLyra(cfg Config, l *Listing) (reading, error) {
	folder := cfg.Audio
	if folder == "" {
		folder = below(cfg.Root, "audio", "audios")
	}
	files, err := openRecordings(folder)
	if err != nil {
		return reading{}, err
	}
	l.Findings.GroupedBy = []string{"programme"}
	if cfg.Splits.given() == 3 {
		err := readPieces(filepath.Join(cfg.Root, "raw.tsv"), "", files, l)
		return reading{lists: cfg.Splits}, err
	}
	if err := readPieces(filepath.Join(cfg.Root, "split", "training.tsv"), Train, files, l); err != nil {
		return reading{}, err
	}
	training := len(l.Rows)
	if err := readPieces(filepath.Join(cfg.Root, "split", "test.tsv"), Test, files, l); err != nil {
		return reading{}, err
	}
	if cfg.Splits.Valid != "" {
		return reading{lists: cfg.Splits, normal: l.trainingID(training)}, nil
	}
	for _, i := range newMT19937(lyraSeed).permutation(training)[:int(math.Floor(0.1*float64(training)))] {
		l.Rows[i].Split = Valid
	}
	return reading{}, nil
}

// trainingID refuses a validation list that names a test piece.
func (l *Listing) trainingID(training int) func(string) (string, error) {
	test := map[string]bool{}
	for _, r := range l.Rows[training:] {
		test[r.ID] = true
	}
	return func(id string) (string, error) {
		if test[id] {
			return "", fmt.Errorf("id %q is in test.tsv, want one of training.tsv", id)
		}
		return id, nil
	}
}

// readPieces appends the pieces of one table.
func readPieces(file, split string, files *recordings, l *Listing) error {
	t, err := readTable(file, "id", "instruments", "genres", "place", "is-danced", "youtube-id", "start-ts", "end-ts")
	if err != nil {
		return err
	}
	if _, err := t.ids("id"); err != nil {
		return err
	}
	earlier := make(map[string]bool, len(l.Rows))
	for _, r := range l.Rows {
		earlier[r.ID] = true
	}
	for _, r := range t.rows {
		id := t.value(r, "id")
		if strings.ContainsAny(id, `/\`) {
			return fault(file, r.line, "id %q, want one that can name a file", id)
		}
		if earlier[id] {
			return fault(file, r.line, "id %q is in training.tsv already: splits must not share a recording", id)
		}
		row := newRow(id, files.path(id), r.line)
		row.Split = split
		for _, column := range []string{"instruments", "genres", "place"} {
			values, err := t.split(r, column, "|")
			if err != nil {
				return err
			}
			if len(values) == 0 {
				return fault(file, r.line, "%s is empty, want values separated by \"|\", or None", column)
			}
			for _, v := range values {
				row.Tags = append(row.Tags, column+"--"+v)
			}
		}
		if v := t.value(r, "is-danced"); v != "0" && v != "1" {
			return fault(file, r.line, "is-danced is %q, want 0 or 1", v)
		}
		start, err1 := strconv.ParseFloat(t.value(r, "start-ts"), 64)
		end, err2 := strconv.ParseFloat(t.value(r, "end-ts"), 64)
		if err1 != nil || err2 != nil || !(start >= 0) || !(end > start) || end > 1e6 {
			return fault(file, r.line, "start-ts %q and end-ts %q, want seconds, the end after the start", t.value(r, "start-ts"), t.value(r, "end-ts"))
		}
		row.Seconds, row.Groups = end-start, []string{t.value(r, "youtube-id")}
		l.Rows = append(l.Rows, row)
	}
	return nil
}
