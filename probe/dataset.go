package probe

import (
	"cmp"
	"fmt"
	"slices"

	"syncretic/adapt/audio"
)

// The splits of a dataset, as manifests spell them.
const (
	Train = "train"
	Valid = "valid"
	Test  = "test"
)

// Dataset is a list of recordings with tags, in the order of its manifest.
type Dataset struct {
	Name  string
	Tags  []string // the vocabulary: most frequent in train first, ties alphabetical
	Items []Item
}

// Item is one recording, or one crop of one.
type Item struct {
	ID         string  // the path as the manifest writes it
	Path       string  // the path to open
	Split      string  // Train, Valid or Test
	Group      string  // what must not be in two splits: a recording, an artist; "" for none
	Start, End float64 // s; 0 and 0 for the whole file
	Labels     []bool  // [tags]; all false when none of its tags is in the vocabulary
}

// DatasetOptions narrow what OpenDataset reads.
type DatasetOptions struct {
	// Top is the size of the vocabulary: the Top most frequent tags of the train rows. 0 takes all of them.
	Top int
}

// OpenDataset reads a manifest (adapt/audio.ReadManifest: path, start, end, split, tags, group) as a dataset for probing.
//
// The vocabulary is the Top most frequent tags counted on train rows only, each row counting a tag once, ties
// alphabetical; it is the rule of Papaioannou et al. 2023 (arXiv 2307.09795). Rows that are left without a tag stay, with all
// labels false.
//
// Errors wrap ErrInvalid, or fs.ErrNotExist for a missing manifest: a row without split or with an unknown one, an empty
// split, no tags or fewer than Top in train, a negative Top, one row twice, and leaks: one path, or one non-empty group,
// in two splits.
func OpenDataset(name, manifest string, opts DatasetOptions) (*Dataset, error) {
	entries, err := audio.ReadManifest(manifest)
	if err != nil {
		return nil, fmt.Errorf("dataset %q: %w", name, err)
	}
	ds, err := NewDataset(name, entries, opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifest, err)
	}
	return ds, nil
}

// NewDataset is OpenDataset for entries that are in memory.
func NewDataset(name string, entries []audio.Entry, opts DatasetOptions) (*Dataset, error) {
	if err := checkSplits(entries); err != nil {
		return nil, fmt.Errorf("dataset %q: %w: %w", name, ErrInvalid, err)
	}
	if err := checkLeaks(entries); err != nil {
		return nil, fmt.Errorf("dataset %q: %w: %w", name, ErrInvalid, err)
	}
	tags, err := vocabulary(entries, opts.Top)
	if err != nil {
		return nil, fmt.Errorf("dataset %q: %w: %w", name, ErrInvalid, err)
	}
	column := make(map[string]int, len(tags))
	for t, tag := range tags {
		column[tag] = t
	}
	ds := &Dataset{Name: name, Tags: tags, Items: make([]Item, len(entries))}
	for i, e := range entries {
		item := Item{ID: e.ID, Path: e.Path, Split: e.Split, Group: e.Group, Start: e.Start, End: e.End, Labels: make([]bool, len(tags))}
		for _, tag := range e.Tags {
			if t, ok := column[tag]; ok {
				item.Labels[t] = true
			}
		}
		ds.Items[i] = item
	}
	return ds, nil
}

// Indices returns the indices into Items of one split, rising.
func (ds *Dataset) Indices(split string) []int {
	var at []int
	for i, item := range ds.Items {
		if item.Split == split {
			at = append(at, i)
		}
	}
	return at
}

// vocabulary counts the tags of the train rows; top 0 keeps all.
func vocabulary(entries []audio.Entry, top int) ([]string, error) {
	if top < 0 {
		return nil, fmt.Errorf("top is %d, want 0 (all) or more", top)
	}
	counts := map[string]int{}
	for _, e := range entries {
		if e.Split != Train {
			continue
		}
		for i, tag := range e.Tags {
			if !slices.Contains(e.Tags[:i], tag) {
				counts[tag]++
			}
		}
	}
	tags := make([]string, 0, len(counts))
	for tag := range counts {
		tags = append(tags, tag)
	}
	slices.SortFunc(tags, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	switch {
	case len(tags) == 0:
		return nil, fmt.Errorf("no tags in the %s rows: the column tags is missing or empty", Train)
	case len(tags) < top:
		return nil, fmt.Errorf("%d distinct tags in the %s rows, want the top %d", len(tags), Train, top)
	case top > 0:
		tags = tags[:top]
	}
	return tags, nil
}
