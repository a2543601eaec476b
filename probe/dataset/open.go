package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"syncretic/adapt/audio"
)

// Open reads a dataset: its rows with splits and tags, without those that are excluded or have no split. Recordings that are not
// there are an error that counts them and names the first ten, or left out with MissingSkip. No recording is opened, but for
// MagnaTagATune's rule of length.
//
// Errors wrap ErrConfig for a configuration that cannot be used, else ErrInvalid with file, line and what was expected, and
// fs.ErrNotExist too for files that are not there.
func Open(cfg Config) (*Listing, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	conv, _, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	l := &Listing{Task: conv.task, Top: conv.tags, Max: conv.max}
	l.Findings = Findings{Format: cfg.format(), Convention: conv.name, LeftOut: []LeftOut{}, GroupedBy: []string{}, Leaks: []Leak{}, Ungrouped: []Ungrouped{}}
	r, err := read(cfg, conv, l)
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrInvalid) {
		err = fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err != nil {
		return nil, err
	}
	if err := l.finish(cfg, r); err != nil {
		return nil, err
	}
	l.compare()
	return l, nil
}

// reading is what a format's reader leaves to finish.
type reading struct {
	normal func(string) (string, error) // ids of lists, in the form of rows; nil for asIs
	lists  Splits                       // id lists to assign
	none   []string                     // ids without tags because the metadata failed, as an API's answer may: missing, too
	after  func(*Listing) error         // what needs the recordings; nil for nothing
}

func read(cfg Config, conv convention, l *Listing) (reading, error) {
	switch cfg.format() {
	case MagnaTagATune:
		return readMagnaTagATune(cfg, conv, l)
	case FMA:
		return readFMA(cfg, conv, l)
	case Lyra:
		return readLyra(cfg, l)
	case Dunya:
		return readDunya(cfg, conv, l)
	case Music4All:
		return readMusic4All(cfg, conv, l)
	case JSONLines:
		return reading{}, readJSONLines(cfg, l)
	}
	return reading{}, readManifest(cfg, l)
}

// finish applies what all formats share, in the order in which it must happen.
func (l *Listing) finish(cfg Config, r reading) error {
	if r.normal == nil {
		r.normal = asIs
	}
	if err := l.assign(r.lists, r.normal); err != nil {
		return err
	}
	if err := l.exclude(cfg.Exclude, r.normal); err != nil {
		return err
	}
	own := cfg.format() == Manifest || cfg.format() == JSONLines
	if !own { // one's own rows must say their split; of a published dataset a split may be a part
		l.leaveOut("in no split", func(r Row) bool { return r.Split == "" })
	}
	if err := l.missing(cfg, r); err != nil {
		return err
	}
	if r.after != nil {
		if err := r.after(l); err != nil {
			return err
		}
	}
	if cfg.TagsFile == "" {
		return nil
	}
	tags, err := readTags(cfg.TagsFile, l.Top, l.Rows)
	l.Tags = tags
	return err
}

// missing refuses or leaves out rows without a recording, or without the answer that should have given their tags.
func (l *Listing) missing(cfg Config, r reading) error {
	none := make(map[string]bool, len(r.none))
	for _, id := range r.none {
		none[id] = true
	}
	var failed, gone []string
	seen, lost := map[string]bool{}, map[string]bool{} // by path
	for _, row := range l.Rows {
		if none[row.ID] {
			failed = append(failed, row.ID)
		}
		if seen[row.Path] {
			continue
		}
		seen[row.Path] = true
		info, err := os.Stat(row.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			lost[row.Path] = true
			gone = append(gone, row.Path)
		case err != nil:
			return err
		case info.IsDir():
			return fmt.Errorf("%w: %s is a folder, want a recording", ErrInvalid, row.Path)
		}
	}
	if cfg.Missing == MissingSkip {
		l.leaveOut("no metadata", func(r Row) bool { return none[r.ID] })
		l.leaveOut("recording missing", func(r Row) bool { return lost[r.Path] })
		return nil
	}
	if len(failed) > 0 {
		return fmt.Errorf("%w: %d of %d recordings have null for metadata: %s; missing: skip leaves them out", ErrInvalid, len(failed), len(l.Rows), firstOf(failed))
	}
	if len(gone) > 0 {
		return fmt.Errorf("%w: %d of %d recordings: %w: %s; missing: skip leaves them out", ErrInvalid, len(gone), len(seen), fs.ErrNotExist, firstOf(gone))
	}
	return nil
}

// firstOf names the first ten of a list.
func firstOf(list []string) string {
	text := strings.Join(list[:min(len(list), named)], ", ")
	if len(list) > named {
		text += ", ..."
	}
	return text
}

// below returns the first of the names that exists below the folder, or else the first.
func below(folder string, names ...string) string {
	for _, name := range names {
		if path := filepath.Join(folder, filepath.FromSlash(name)); exists(path) {
			return path
		}
	}
	return filepath.Join(folder, filepath.FromSlash(names[0]))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// recordings finds recordings by id in one folder, whatever their format.
type recordings struct {
	folder string
	byStem map[string]string
}

// openRecordings lists a folder. Two recordings of one name with different endings are an error, since either may be meant.
func openRecordings(folder string) (*recordings, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("folder of recordings: %w", err)
	}
	endings := []string{".mp3", ".wav", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".mp4", ".webm", ".aif", ".aiff"}
	out := &recordings{folder, make(map[string]string, len(entries))}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if e.IsDir() || !slices.Contains(endings, strings.ToLower(ext)) {
			continue
		}
		stem := strings.TrimSuffix(e.Name(), ext)
		if other, twice := out.byStem[stem]; twice {
			return nil, fmt.Errorf("%w: %s holds both %s and %s, want one recording an id", ErrInvalid, folder, other, e.Name())
		}
		out.byStem[stem] = e.Name()
	}
	return out, nil
}

// path is where the recording of an id is, or would be.
func (r *recordings) path(id string) string {
	if name, ok := r.byStem[id]; ok {
		return filepath.Join(r.folder, name)
	}
	return filepath.Join(r.folder, id+".mp3")
}

// newRow is a row of a format that knows recordings by id.
func newRow(id, path string, line int) Row {
	return Row{Entry: audio.Entry{ID: id, Path: path}, line: line}
}
