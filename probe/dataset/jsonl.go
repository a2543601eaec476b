package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"syncretic/adapt/audio"
	"syncretic/checkpoint/recipe"
)

// jsonRow is one line of a JSON-lines dataset.
type jsonRow struct {
	Path    string             `json:"path"`
	Split   string             `json:"split"`
	Tags    []string           `json:"tags"`
	Start   float64            `json:"start"`
	End     float64            `json:"end"`
	Group   string             `json:"group"`
	Artist  string             `json:"artist"`
	Album   string             `json:"album"`
	Targets map[string]float64 `json:"targets"`
}

// jsonKeys are the keys of a line, for the error that names the nearest.
func jsonKeys() []string {
	return []string{"path", "split", "tags", "start", "end", "group", "artist", "album", "targets"}
}

// readJSONLines reads one's own archive, one object a line: {"path": ..., "split": ..., "tags": [...]} with start and end (s), group (must
// not be in two splits), artist and album (warned of when in two) where they are known. Paths are relative to the file's folder. A
// regression has "targets": {"arousal": 0.1, ...} instead of tags, the same names on every line.
func readJSONLines(cfg Config, l *Listing) error {
	file := cfg.Manifest
	text, err := readText(file)
	if err != nil {
		return err
	}
	artists, albums := false, false
	type part struct {
		path       string
		start, end float64
	}
	seen := map[part]int{}
	for i, line := range bytes.Split(text, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		r, err := parseJSONRow(line)
		if err != nil {
			return fault(file, i+1, "%w", err)
		}
		path := filepath.FromSlash(r.Path)
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(file), path)
		}
		key := part{filepath.Clean(path), r.Start, r.End}
		if first, twice := seen[key]; twice {
			return fault(file, i+1, "%q is on line %d already", r.Path, first)
		}
		seen[key] = i + 1
		row := Row{Entry: audio.Entry{Path: path, ID: r.Path, Start: r.Start, End: r.End, Split: r.Split, Tags: r.Tags, Group: r.Group}, line: i + 1}
		row.Groups = []string{r.Artist, r.Album}
		artists, albums = artists || r.Artist != "", albums || r.Album != ""
		if row.Targets, err = l.targets(r); err != nil {
			return fault(file, i+1, "%w", err)
		}
		l.Rows = append(l.Rows, row)
	}
	if len(l.Rows) == 0 {
		return fault(file, 0, "no rows")
	}
	l.groupBy(artists, albums)
	return nil
}

// groupBy keeps of the groups artist and album those that some row knows.
func (l *Listing) groupBy(artists, albums bool) {
	for i := range l.Rows {
		var kept []string
		if artists {
			kept = append(kept, l.Rows[i].Groups[0])
		}
		if albums {
			kept = append(kept, l.Rows[i].Groups[1])
		}
		l.Rows[i].Groups = kept
	}
	if artists {
		l.Findings.GroupedBy = append(l.Findings.GroupedBy, "artist")
	}
	if albums {
		l.Findings.GroupedBy = append(l.Findings.GroupedBy, "album")
	}
}

// targets returns the numbers of a row in the order of l.Tags, which the first row sets.
func (l *Listing) targets(r jsonRow) ([]float64, error) {
	switch {
	case l.Task != Regression && r.Targets != nil:
		return nil, fmt.Errorf("targets are set, which only task %s has", Regression)
	case l.Task != Regression:
		return nil, nil
	case r.Tags != nil:
		return nil, fmt.Errorf("tags are set, want targets for task %s", Regression)
	case len(r.Targets) == 0:
		return nil, fmt.Errorf("targets are missing or empty, want {name: number}")
	}
	names := slices.Sorted(maps.Keys(r.Targets))
	if l.Tags == nil {
		l.Tags = names
	}
	if !slices.Equal(names, l.Tags) {
		return nil, fmt.Errorf("targets %s, want %s as in the first row", strings.Join(names, ", "), strings.Join(l.Tags, ", "))
	}
	out := make([]float64, len(names))
	for t, name := range names {
		out[t] = r.Targets[name]
	}
	return out, nil
}

// parseJSONRow decodes and checks one line.
func parseJSONRow(line []byte) (jsonRow, error) {
	var r jsonRow
	keys := map[string]json.RawMessage{}
	if err := json.Unmarshal(line, &keys); err != nil {
		return r, fmt.Errorf("%w, want one JSON object a line", err)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if slices.Contains(jsonKeys(), key) {
			continue
		}
		if near, ok := recipe.Nearest(key, jsonKeys()); ok {
			return r, fmt.Errorf("unknown key %q (did you mean %q?)", key, near)
		}
		return r, fmt.Errorf("unknown key %q, want %s", key, strings.Join(jsonKeys(), ", "))
	}
	if err := repeatedKey(line); err != nil {
		return r, err
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, err
	}
	switch {
	case strings.TrimSpace(r.Path) == "":
		return r, fmt.Errorf("path is missing or empty")
	case r.Split != Train && r.Split != Valid && r.Split != Test:
		return r, fmt.Errorf("split is %q, want %s, %s or %s", r.Split, Train, Valid, Test)
	case !(r.Start >= 0) || (r.Start != 0 || r.End != 0) && !(r.End > r.Start) || math.IsInf(r.End, 0):
		return r, fmt.Errorf("start %v s and end %v s, want seconds, the end after the start", r.Start, r.End)
	}
	for i, tag := range r.Tags {
		if tag == "" || tag != strings.TrimSpace(tag) {
			return r, fmt.Errorf("tag %q, want no empty tag and no space around one", tag)
		}
		if slices.Contains(r.Tags[:i], tag) {
			return r, fmt.Errorf("tag %q appears twice", tag)
		}
	}
	return r, nil
}

// repeatedKey refuses what encoding/json lets pass: a key of the object that stands twice.
func repeatedKey(line []byte) error {
	dec := json.NewDecoder(bytes.NewReader(line))
	if _, err := dec.Token(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key := fmt.Sprint(token)
		if seen[key] {
			return fmt.Errorf("key %q appears twice", key)
		}
		seen[key] = true
		if err := dec.Decode(new(json.RawMessage)); err != nil {
			return err
		}
	}
	return nil
}
