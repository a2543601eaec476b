package probe

import (
	"fmt"
	"math"

	"syncretic/adapt/audio"
	"syncretic/probe/dataset"
)

// The splits of a dataset, as manifests spell them.
const (
	Train = dataset.Train
	Valid = dataset.Valid
	Test  = dataset.Test
)

// Dataset is a list of recordings with tags, in the order of its manifest.
type Dataset struct {
	Name     string
	Task     dataset.Task // "" is dataset.MultiLabel
	Tags     []string     // the vocabulary: most frequent in train first, ties alphabetical; of a regression its targets
	Items    []Item
	Findings dataset.Findings // of OpenConfig: what was left out, which groups are in two splits
}

// Item is one recording, or one crop of one.
type Item struct {
	ID         string    // the path as the manifest writes it
	Path       string    // the path to open
	Split      string    // Train, Valid or Test
	Group      string    // what must not be in two splits: a recording, an artist; "" for none
	Start, End float64   // s; 0 and 0 for the whole file
	Limit      float64   // s: at most this much from Start; 0 for all. Unlike End it may lie beyond the file
	Seconds    float64   // length as the metadata knows it; 0 where it does not
	Labels     []bool    // [tags]; all false when none of its tags is in the vocabulary, exactly one true for dataset.Single; nil for a regression
	Targets    []float64 // [tags] of a regression; nil else
}

// Range returns the samples [start, start+n) of the item in a file of frames samples, as audio.Entry.Range does, cut at its Limit.
func (it Item) Range(frames int) (start, n int, err error) {
	start, n, err = audio.Entry{Path: it.Path, Start: it.Start, End: it.End}.Range(frames)
	if most := math.Round(it.Limit * audio.SampleRate); err == nil && it.Limit > 0 && float64(n) > most {
		n = max(1, int(most))
	}
	return start, n, err
}

// DatasetOptions narrow what OpenDataset reads.
type DatasetOptions struct {
	// Top is the size of the vocabulary: the Top most frequent tags of the train rows. 0 takes all of them.
	Top int
	// Tags is a vocabulary that is given instead of counted; Top is then not looked at.
	Tags []string
	// Task is dataset.MultiLabel ("") or dataset.Single, for which every entry must have exactly one tag of the vocabulary.
	Task dataset.Task
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
	tags, err := opts.Tags, error(nil)
	if tags == nil {
		tags, err = dataset.TopTags(entries, opts.Top)
	}
	if err != nil {
		return nil, fmt.Errorf("dataset %q: %w: %w", name, ErrInvalid, err)
	}
	column := make(map[string]int, len(tags))
	for t, tag := range tags {
		column[tag] = t
	}
	ds := &Dataset{Name: name, Task: opts.Task, Tags: tags, Items: make([]Item, len(entries))}
	labels := make([]bool, len(entries)*len(tags))
	for i, e := range entries {
		item := itemOf(e)
		item.Labels, labels = labels[:len(tags):len(tags)], labels[len(tags):]
		hits := 0
		for _, tag := range e.Tags {
			if t, ok := column[tag]; ok && !item.Labels[t] {
				item.Labels[t] = true
				hits++
			}
		}
		if opts.Task == dataset.Single && hits != 1 {
			return nil, fmt.Errorf("dataset %q: %w: row %d (%s): tags %q, want exactly one of the %d of the vocabulary: the task is %s",
				name, ErrInvalid, i+1, e.ID, e.Tags, len(tags), opts.Task)
		}
		ds.Items[i] = item
	}
	return ds, nil
}

func itemOf(e audio.Entry) Item {
	return Item{ID: e.ID, Path: e.Path, Split: e.Split, Group: e.Group, Start: e.Start, End: e.End}
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
