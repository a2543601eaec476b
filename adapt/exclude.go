package adapt

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"syncretic/adapt/audio"
)

// Exclusion is a list of recordings that must not be trained on, such as a probe's test set. In a recipe it is a file's name, or
// {manifest: FILE, split: test}. A name that ends in .csv, .tsv or .tab is a manifest, whose recordings need not be there; any other is a
// text file with an id a line, where empty lines and those that begin with # are passed over.
//
// A recording is left out when a listed id is its own id, or its own id without its ending, or when the list names its file: a path
// in the list, resolved against the list's folder, that leads to the same file, links followed. A manifest's row with start or end
// leaves out only recordings, or parts of them, that overlap with it, but those wholly.
type Exclusion struct {
	Manifest string `yaml:"manifest" json:"manifest"`
	Split    string `yaml:"split,omitempty" json:"split,omitempty"` // rows of this split only; "" is all
}

// UnmarshalYAML takes a name alone as well.
func (e *Exclusion) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&e.Manifest) == nil {
		return nil
	}
	type plain Exclusion
	return unmarshal((*plain)(e))
}

// isManifest tells a manifest from a list of ids.
func (e Exclusion) isManifest() bool {
	return slices.Contains([]string{".csv", ".tsv", ".tab"}, strings.ToLower(filepath.Ext(e.Manifest)))
}

func checkExclusions(key string, list []Exclusion, check func(ok bool, format string, args ...any)) {
	for i, e := range list {
		check(e.Manifest != "", "%s[%d]: the file's name is missing", key, i)
		check(e.Split == "" || e.isManifest(), "%s[%d]: split %q: %s is a list of ids, which has no splits", key, i, e.Split, e.Manifest)
	}
}

// exclusion is a list as it was read, with what was found of it.
type exclusion struct {
	Exclusion
	rows   []listed
	byID   map[string][]int
	byFile map[string][]int
}

// listed is one row of a list, s; a whole recording ends at +Inf.
type listed struct {
	id         string
	start, end float64
	found      bool
}

func openExclusions(list []Exclusion) ([]*exclusion, error) {
	var all []*exclusion
	for _, e := range list {
		x, err := openExclusion(e)
		if err != nil {
			return nil, fmt.Errorf("exclude: %w", err)
		}
		all = append(all, x)
	}
	return all, nil
}

func openExclusion(e Exclusion) (*exclusion, error) {
	x := &exclusion{Exclusion: e, byID: map[string][]int{}, byFile: map[string][]int{}}
	rows, err := e.read()
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if e.Split != "" && r.Split != e.Split {
			continue
		}
		i := len(x.rows)
		x.rows = append(x.rows, listed{r.ID, r.Start, orInf(r.End), false})
		id := path.Clean(filepath.ToSlash(r.ID))
		x.byID[id] = append(x.byID[id], i)
		file := sameFile(r.Path)
		x.byFile[file] = append(x.byFile[file], i)
	}
	if len(x.rows) == 0 {
		return nil, fmt.Errorf("%w: %s: no row of split %q", audio.ErrInvalid, e.Manifest, e.Split)
	}
	return x, nil
}

// read lists the rows of a manifest, or those of a text file as recordings in its folder.
func (e Exclusion) read() ([]audio.Entry, error) {
	if e.isManifest() {
		return audio.ListManifest(e.Manifest)
	}
	f, err := os.Open(e.Manifest)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var rows []audio.Entry
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		id := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if id == "" || strings.HasPrefix(id, "#") {
			continue
		}
		file := filepath.FromSlash(id)
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(e.Manifest), file)
		}
		rows = append(rows, audio.Entry{ID: id, Path: file})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", audio.ErrInvalid, e.Manifest, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: %s: no ids", audio.ErrInvalid, e.Manifest)
	}
	return rows, nil
}

func orInf(end float64) float64 {
	if end == 0 {
		return math.Inf(1)
	}
	return end
}

// sameFile is a name that two paths share which lead to one file.
func sameFile(p string) string {
	if real, err := filepath.EvalSymlinks(p); err == nil {
		p = real
	}
	if full, err := filepath.Abs(p); err == nil {
		p = full
	}
	return filepath.Clean(p)
}

// names tells whether the list names a recording, and marks its rows that do. file is sameFile of its path.
func (x *exclusion) names(e audio.Entry, file string) bool {
	id := path.Clean(filepath.ToSlash(e.ID))
	named := false
	for _, rows := range [][]int{x.byID[id], x.byID[strings.TrimSuffix(id, path.Ext(id))], x.byFile[file]} {
		for _, i := range rows {
			r := &x.rows[i]
			if e.Start < r.end && r.start < orInf(e.End) {
				r.found, named = true, true
			}
		}
	}
	return named
}

// excluded gives the rows of a split that no list names, and counts both kinds. Rows of other splits count as found, too.
func excluded(rows []audio.Entry, split string, lists []*exclusion, n *census) []audio.Entry {
	var kept []audio.Entry
	files := map[string]string{}
	for _, e := range rows {
		named := false
		if len(lists) > 0 {
			if _, known := files[e.Path]; !known {
				files[e.Path] = sameFile(e.Path)
			}
		}
		for _, x := range lists {
			named = x.names(e, files[e.Path]) || named
		}
		switch {
		case split != AllSplits && e.Split != split:
		case named:
			n.Recordings++
			n.Excluded++
		default:
			n.Recordings++
			kept = append(kept, e)
		}
	}
	return kept
}
