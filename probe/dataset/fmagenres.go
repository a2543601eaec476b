package dataset

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
)

// genreTree is genres.csv.
type genreTree struct {
	title  map[int]string
	parent map[int]int     // 0 for a root
	roots  map[string]bool // titles
}

// readGenres reads genre_id, parent and title, and holds the tree against unknown parents and circles.
func readGenres(file string) (*genreTree, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := openCSV(file, f)
	if err != nil {
		return nil, err
	}
	header, _, err := readRecord(file, r)
	if errors.Is(err, io.EOF) {
		return nil, fault(file, 1, "the file is empty, want a header with genre_id, parent, title")
	}
	if err != nil {
		return nil, err
	}
	var at [3]int
	for i, name := range []string{"genre_id", "parent", "title"} {
		if at[i] = slices.Index(header, name); at[i] < 0 {
			return nil, fault(file, 1, "no column %q, want genre_id, parent, title", name)
		}
	}
	g := &genreTree{title: map[int]string{}, parent: map[int]int{}, roots: map[string]bool{}}
	lines, titles := map[int]int{}, map[string]int{}
	for {
		row, line, err := readRecord(file, r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		id, err1 := strconv.Atoi(row[at[0]])
		parent, err2 := strconv.Atoi(row[at[1]])
		title := row[at[2]]
		switch {
		case err1 != nil || id < 1:
			return nil, fault(file, line, "genre_id %q, want a number from 1", row[at[0]])
		case err2 != nil || parent < 0:
			return nil, fault(file, line, "parent %q, want a genre_id, or 0 for a root", row[at[1]])
		case title == "":
			return nil, fault(file, line, "title is empty")
		case lines[id] > 0:
			return nil, fault(file, line, "genre_id %d is on line %d already", id, lines[id])
		case titles[title] > 0:
			return nil, fault(file, line, "title %q is on line %d already", title, titles[title])
		}
		lines[id], titles[title] = line, line
		g.title[id], g.parent[id] = title, parent
		if parent == 0 {
			g.roots[title] = true
		}
	}
	if len(lines) == 0 {
		return nil, fault(file, 0, "no rows below the header")
	}
	for id, line := range lines {
		for up, steps := g.parent[id], 0; up != 0; up, steps = g.parent[up], steps+1 {
			if lines[up] == 0 {
				return nil, fault(file, line, "genre %d: ancestor %d is not a genre_id", id, up)
			}
			if steps > len(lines) {
				return nil, fault(file, line, "genre %d is its own ancestor", id)
			}
		}
	}
	return g, nil
}

// withAncestors returns the titles of the genres and of all genres above them, each once.
func (g *genreTree) withAncestors(ids []int) ([]string, error) {
	var tags []string
	for _, id := range ids {
		if g.title[id] == "" {
			return nil, fmt.Errorf("genre %d is not in genres.csv", id)
		}
		for ; id != 0; id = g.parent[id] {
			if !slices.Contains(tags, g.title[id]) {
				tags = append(tags, g.title[id])
			}
		}
	}
	return tags, nil
}
