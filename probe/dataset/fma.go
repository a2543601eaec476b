package dataset

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

// fmaExcluded are the 20 of the 25,000 tracks of FMA-medium that are in none of the id lists of Papaioannou et al. 2023.
func fmaExcluded() []int {
	return []int{1486, 5574, 65753, 80391, 98558, 98559, 98560, 98565, 98566, 98567, 98568, 98569, 98571, 99134, 105247, 108925, 126981,
		127336, 133297, 143992}
}

// readFMA reads fma_metadata/tracks.csv and genres.csv (or both in Root itself), of which it takes the medium subset: (set, subset)
// small or medium. Recordings are NNN/NNNNNN.mp3 below Audio, or below Root/fma_medium.
//
// The convention ccml is the multi-label task of 20 tags: a track's genres with all their ancestors, split by id lists, without the
// 20 tracks that the published lists leave out. The convention official is the single-label task of the 16 root genres, (track,
// genre_top), on the split of (set, split); its task may be set to multilabel.
func readFMA(cfg Config, conv convention, l *Listing) (reading, error) {
	genres, err := readGenres(below(cfg.Root, "fma_metadata/genres.csv", "genres.csv"))
	if err != nil {
		return reading{}, err
	}
	folder := cfg.Audio
	if folder == "" {
		folder = below(cfg.Root, "fma_medium", "fma_large", "fma_full")
	}
	l.Findings.GroupedBy = []string{"artist", "album"}
	file := below(cfg.Root, "fma_metadata/tracks.csv", "tracks.csv")
	err = readTracks(file, func(t track) error {
		switch t.subset {
		case "small", "medium":
		case "large", "full":
			return nil
		default:
			return fmt.Errorf("subset %q, want small, medium, large or full", t.subset)
		}
		id := fmt.Sprintf("%06d", t.id)
		row := newRow(id, filepath.Join(folder, id[:3], id+".mp3"), t.line)
		row.Groups = []string{t.artist, t.album}
		if conv.name == "official" {
			splits := map[string]string{"training": Train, "validation": Valid, "test": Test}
			if row.Split = splits[t.split]; row.Split == "" {
				return fmt.Errorf("split %q, want training, validation or test", t.split)
			}
		}
		if conv.task == Single {
			if !genres.roots[t.top] {
				return fmt.Errorf("genre_top %q, want a root genre of genres.csv", t.top)
			}
			row.Tags = []string{t.top}
		} else if row.Tags, err = genres.withAncestors(t.genres); err != nil {
			return err
		}
		l.Rows = append(l.Rows, row)
		return nil
	})
	if err != nil {
		return reading{}, err
	}
	if len(l.Rows) == 0 {
		return reading{}, fault(file, 0, "no track of the medium subset")
	}
	if conv.name == "official" {
		return reading{normal: fmaID}, nil
	}
	out := map[string]bool{}
	for _, id := range fmaExcluded() {
		out[fmt.Sprintf("%06d", id)] = true
	}
	l.leaveOut("left out by the published lists", func(r Row) bool { return out[r.ID] })
	return reading{normal: fmaID, lists: cfg.Splits}, nil
}

// fmaID pads a track's number to six digits.
func fmaID(id string) (string, error) {
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil || n > 999999 {
		return "", fmt.Errorf("id %q, want a track's number of at most six digits", id)
	}
	return fmt.Sprintf("%06d", n), nil
}

// track is what is used of a row of tracks.csv.
type track struct {
	line, id                          int
	split, subset, top, artist, album string
	genres                            []int
}

// readTracks streams tracks.csv, whose columns two header rows name (group, field) and a third the index: pandas' form. Values
// are CSV with quotes and line breaks. An error of the callback gets file and line.
func readTracks(file string, each func(track) error) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := openCSV(file, f)
	if err != nil {
		return err
	}
	var head [3][]string
	for i := range head {
		if head[i], _, err = readRecord(file, r); err != nil {
			if errors.Is(err, io.EOF) {
				return fault(file, i+1, "the file ends, want two header rows and the row of the index")
			}
			return err
		}
	}
	if head[2][0] != "track_id" {
		return fault(file, 3, "first value %q, want track_id below two header rows (group, field)", head[2][0])
	}
	column := map[string]int{}
	for c := range head[0] {
		name := head[0][c] + ", " + head[1][c]
		if _, twice := column[name]; twice {
			return fault(file, 2, "column (%s) appears twice", name)
		}
		column[name] = c
	}
	want := []string{"set, split", "set, subset", "track, genre_top", "track, genres", "artist, id", "album, id"}
	at := make([]int, len(want))
	for i, name := range want {
		var ok bool
		if at[i], ok = column[name]; !ok {
			return fault(file, 2, "no column (%s), want (%s)", name, strings.Join(want, "), ("))
		}
	}
	seen := map[int]int{}
	for {
		row, line, err := readRecord(file, r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		t := track{line: line, split: row[at[0]], subset: row[at[1]], top: row[at[2]], artist: row[at[4]], album: row[at[5]]}
		if t.id, err = strconv.Atoi(row[0]); err != nil || t.id < 0 || t.id > 999999 {
			return fault(file, line, "track_id %q, want a number of at most six digits", row[0])
		}
		if first, twice := seen[t.id]; twice {
			return fault(file, line, "track_id %d is on line %d already", t.id, first)
		}
		seen[t.id] = line
		if t.genres, err = intList(row[at[3]]); err != nil {
			return fault(file, line, "genres: %w", err)
		}
		if err := each(t); err != nil {
			return fault(file, line, "%w", err)
		}
	}
	if len(seen) == 0 {
		return fault(file, 0, "no rows below the header")
	}
	return nil
}

// openCSV passes over a byte order mark and refuses UTF-16.
func openCSV(file string, f io.Reader) (*csv.Reader, error) {
	buf := bufio.NewReaderSize(f, 1<<16)
	mark, err := buf.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	switch {
	case len(mark) >= 2 && (string(mark[:2]) == "\xff\xfe" || string(mark[:2]) == "\xfe\xff"):
		return nil, fault(file, 1, "the file is UTF-16, want UTF-8")
	case string(mark) == "\ufeff":
		if _, err := buf.Discard(3); err != nil {
			return nil, err
		}
	}
	return csv.NewReader(buf), nil
}

// readRecord is the next record and its first line; io.EOF ends the file.
func readRecord(file string, r *csv.Reader) ([]string, int, error) {
	row, err := r.Read()
	var bad *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return nil, 0, err
	case errors.As(err, &bad) && errors.Is(err, csv.ErrFieldCount):
		return nil, 0, fault(file, bad.Line, "%d comma-separated values, want %d as in the header", len(row), r.FieldsPerRecord)
	case errors.As(err, &bad):
		return nil, 0, fault(file, bad.Line, "%w, want CSV", bad.Err)
	case err != nil:
		return nil, 0, fmt.Errorf("%s: %w", file, err)
	}
	line, _ := r.FieldPos(0)
	for c, v := range row {
		if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			at, _ := r.FieldPos(c)
			return nil, 0, fault(file, at, "a value that is not UTF-8 (is the file Latin-1?), want UTF-8")
		}
	}
	return row, line, nil
}

// intList reads a Python list of whole numbers, as "[21, 58]".
func intList(text string) ([]int, error) {
	body, opened := strings.CutPrefix(strings.TrimSpace(text), "[")
	body, closed := strings.CutSuffix(body, "]")
	if !opened || !closed {
		return nil, fmt.Errorf("%.60q, want a list of numbers in brackets", text)
	}
	if body = strings.TrimSpace(body); body == "" {
		return nil, nil
	}
	var out []int
	for _, part := range strings.Split(body, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("%.60q, want a list of numbers in brackets", text)
		}
		out = append(out, n)
	}
	return out, nil
}
