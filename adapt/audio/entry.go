package audio

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"syncretic/checkpoint"
)

// endSlack is how far, in seconds, an entry's end may lie beyond its file and still mean the file's end: manifests
// often carry durations rounded to 0.01 s.
const endSlack = 0.01

// Range returns the samples [start, start+n) of the entry in a file of frames samples: its times by SampleRate, rounded
// to the nearest sample. An end less than 10 ms beyond the file is the file's end; further out, or a part shorter
// than one sample, is an error that wraps [ErrInvalid].
func (e Entry) Range(frames int) (start, n int, err error) {
	if e.Start == 0 && e.End == 0 {
		return 0, frames, nil
	}
	if limit := float64(frames)/SampleRate + endSlack; !(e.Start >= 0 && e.End <= limit) {
		return 0, 0, fmt.Errorf("%s: %w: %g s to %g s asked, the file has %g s", e.Path, ErrInvalid, e.Start, e.End, float64(frames)/SampleRate)
	}
	start = int(math.Round(e.Start * SampleRate))
	end := min(int(math.Round(e.End*SampleRate)), frames)
	if end <= start {
		return 0, 0, fmt.Errorf("%s: %w: %g s to %g s holds no sample", e.Path, ErrInvalid, e.Start, e.End)
	}
	return start, end - start, nil
}

// Read opens the entry's file and returns its samples, mono. Errors are those of [Open], [Entry.Range] and
// [File.ReadAt].
func (e Entry) Read() ([]float32, error) {
	f, err := Open(e.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	start, n, err := e.Range(f.Frames)
	if err != nil {
		return nil, err
	}
	samples := make([]float32, n)
	if err := f.ReadAt(samples, start); err != nil {
		return nil, err
	}
	return samples, nil
}

// WriteManifest writes entries as a manifest that [ReadManifest] reads back: TSV for a name that ends in .tsv or .tab,
// else CSV, always with all columns. The path column holds the ID where that leads to Path from the manifest's
// folder (or Path is empty), else Path relative to that folder. The file appears whole or not at all; one that exists
// is refused (fs.ErrExist) unless force is set. Entries that ReadManifest would refuse are errors that wrap [ErrInvalid].
func WriteManifest(path string, entries []Entry, force bool) error {
	data, err := formatManifest(entries, filepath.Dir(path), comma(path, nil))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return checkpoint.WriteFile(path, data, force)
}

// formatManifest lays out the rows and reads them back, which finds duplicates and an empty list.
func formatManifest(entries []Entry, dir string, comma rune) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.Comma = comma
	rows := [][]string{columns}
	for i, e := range entries {
		e.ID = writtenPath(dir, e)
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", ErrInvalid, i, err)
		}
		rows = append(rows, []string{e.ID, seconds(e.Start), seconds(e.End), e.Split, strings.Join(e.Tags, "|"), e.Group})
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	if _, err := parseManifest(out.Bytes(), dir, comma); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writtenPath is the path column of e in a manifest in dir.
func writtenPath(dir string, e Entry) string {
	if e.Path == "" || e.ID != "" && resolve(dir, e.ID) == filepath.Clean(e.Path) {
		return e.ID
	}
	from, err1 := filepath.Abs(dir)
	to, err2 := filepath.Abs(e.Path)
	if err1 == nil && err2 == nil {
		if rel, err := filepath.Rel(from, to); err == nil {
			return filepath.ToSlash(rel)
		}
	}
	return e.Path
}

// seconds writes a time with the fewest digits that read back as the same float64; 0 is left empty.
func seconds(v float64) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
