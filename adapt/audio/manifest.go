package audio

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Entry is one row of a manifest: a recording, or a part of one.
type Entry struct {
	Path       string   // where the file is: ID resolved against the manifest's folder
	ID         string   // the path as the manifest writes it
	Start, End float64  // s from the start of the file; 0 0 is the whole file
	Split      string   // for example "train"; "" where the manifest says none
	Tags       []string // in the manifest's order; nil where it says none
	Group      string   // recording or artist that must not be divided between splits; "" where it says none
}

// The columns of a manifest, in the order WriteManifest writes them.
var columns = []string{"path", "start", "end", "split", "tags", "group"}

// ReadManifest reads a list of recordings: CSV, or TSV where the file's name ends in .tsv or .tab or, under any name but
// .csv, where the header holds a tab. The first line names the columns: path is required; start, end (s), split,
// tags (separated by "|") and group are optional, in any order. Paths are relative to the manifest's folder.
// Spaces around every value but the path are dropped. Rows keep their order.
//
// Errors wrap [ErrInvalid] and name the file and the line: an unknown or repeated column, a row of another length, a
// number that is negative or not finite, an end that is not after its start, an empty or repeated tag, the same part
// of the same file twice, no rows. Recordings that do not exist are counted and the first ten listed, in an error that
// wraps fs.ErrNotExist as well. The recordings are not opened.
func ReadManifest(path string) ([]Entry, error) {
	entries, err := ListManifest(path)
	if err != nil {
		return nil, err
	}
	if err := checkFiles(entries); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return entries, nil
}

// ListManifest reads a manifest as [ReadManifest] does, but does not look whether its recordings are there: for lists of what is not to
// be read, and for a caller that decides itself what becomes of rows whose recording is missing.
func ListManifest(path string) ([]Entry, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	entries, err := parseManifest(data, filepath.Dir(path), comma(path, data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return entries, nil
}

// comma chooses the separator by the file's name, else by its header.
func comma(path string, data []byte) rune {
	header, _, _ := bytes.Cut(data, []byte("\n"))
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case ext == ".tsv", ext == ".tab":
		return '\t'
	case ext == ".csv":
		return ','
	case bytes.ContainsRune(header, '\t'):
		return '\t'
	}
	return ','
}

// parseManifest reads the rows without looking at the files they name.
func parseManifest(data []byte, dir string, comma rune) ([]Entry, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.Comma = comma
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: empty manifest, want a header with a path column", ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := checkHeader(header); err != nil {
		return nil, fmt.Errorf("%w: line 1: %w", ErrInvalid, err)
	}
	type part struct {
		path       string
		start, end float64
	}
	var entries []Entry
	seen := map[part]int{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // the csv package's errors carry the line
			return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		line, _ := r.FieldPos(0)
		e, err := parseRow(header, row, dir)
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrInvalid, line, err)
		}
		key := part{e.Path, e.Start, e.End}
		if first, dup := seen[key]; dup {
			return nil, fmt.Errorf("%w: line %d: %q from %g s to %g s is on line %d already", ErrInvalid, line, e.ID, e.Start, e.End, first)
		}
		seen[key] = line
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%w: no rows below the header", ErrInvalid)
	}
	return entries, nil
}

func checkHeader(header []string) error {
	for i, name := range header {
		header[i] = strings.TrimSpace(name)
		if !slices.Contains(columns, header[i]) {
			return fmt.Errorf("unknown column %q, the nearest known is %q (all: %s)", header[i], nearest(header[i]), strings.Join(columns, ", "))
		}
		if slices.Contains(header[:i], header[i]) {
			return fmt.Errorf("column %q appears twice", header[i])
		}
	}
	if !slices.Contains(header, "path") {
		return fmt.Errorf("no column %q among %q", "path", header)
	}
	return nil
}

func parseRow(header, row []string, dir string) (Entry, error) {
	var e Entry
	var err error
	for i, v := range row {
		if header[i] == "path" {
			e.ID, e.Path = v, resolve(dir, v)
			continue
		}
		v = strings.TrimSpace(v)
		switch header[i] {
		case "start":
			e.Start, err = parseSeconds("start", v)
		case "end":
			e.End, err = parseSeconds("end", v)
		case "split":
			e.Split = v
		case "tags":
			e.Tags, err = parseTags(v)
		case "group":
			e.Group = v
		}
		if err != nil {
			return e, err
		}
	}
	return e, e.check()
}

// check holds for every entry, read or about to be written.
func (e Entry) check() error {
	if strings.TrimSpace(e.ID) == "" || strings.ContainsRune(e.ID, 0) {
		return fmt.Errorf("path %q is empty or holds a zero byte", e.ID)
	}
	for _, v := range []float64{e.Start, e.End} {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("time %g s, want a finite number, zero or more", v)
		}
	}
	if whole := e.Start == 0 && e.End == 0; !whole && e.End <= e.Start {
		return fmt.Errorf("end %g s, want an end after the start %g s", e.End, e.Start)
	}
	for i, tag := range e.Tags {
		if tag == "" || tag != strings.TrimSpace(tag) || strings.Contains(tag, "|") {
			return fmt.Errorf("tag %q, want no empty tag and no \"|\" or space around one", tag)
		}
		if slices.Contains(e.Tags[:i], tag) {
			return fmt.Errorf("tag %q appears twice", tag)
		}
	}
	return nil
}

func resolve(dir, name string) string {
	name = filepath.FromSlash(name)
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(dir, name)
}

func parseSeconds(column, v string) (float64, error) {
	if v == "" {
		return 0, nil
	}
	x, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
		return 0, fmt.Errorf("%s %q, want a finite number of seconds, zero or more", column, v)
	}
	return x + 0, nil // -0 becomes 0
}

func parseTags(v string) ([]string, error) {
	if v == "" {
		return nil, nil
	}
	tags := strings.Split(v, "|")
	for i := range tags {
		tags[i] = strings.TrimSpace(tags[i])
	}
	return tags, nil
}

// checkFiles reports the recordings that are not there, each once.
func checkFiles(entries []Entry) error {
	const listed = 10
	var missing []string
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[e.Path] {
			continue
		}
		seen[e.Path] = true
		info, err := os.Stat(e.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, e.Path)
		case err != nil:
			return err
		case info.IsDir():
			return fmt.Errorf("%w: %s is a directory, want a recording", ErrInvalid, e.Path)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	rest := ""
	if len(missing) > listed {
		rest = ", ..."
	}
	return fmt.Errorf("%w: %d of %d recordings: %w: %s%s", ErrInvalid, len(missing), len(seen), fs.ErrNotExist,
		strings.Join(missing[:min(len(missing), listed)], ", "), rest)
}
