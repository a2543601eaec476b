package dataset

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"syncretic/adapt/audio"
)

// TopTags is the vocabulary of a dataset: the top most frequent tags of the train entries, each entry counting a tag once, ties
// alphabetical (by bytes); top 0 takes all. It is the rule of Papaioannou et al. 2023 (arXiv 2307.09795). Errors say why there are too few.
func TopTags(entries []audio.Entry, top int) ([]string, error) {
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

// readTags reads a vocabulary that is given, of which it takes the first top (0 for all): text with one tag a line, a JSON list, a JSON
// object {"train": [...]} as the label lists of LC-ProtoNets, or an .npy file of strings. A tag that no train row has is an error, since
// nothing could be learnt of it.
func readTags(file string, top int, rows []Row) ([]string, error) {
	tags, err := tagList(file)
	if err != nil {
		return nil, err
	}
	if top > len(tags) {
		return nil, fault(file, 0, "%d tags, want the first %d", len(tags), top)
	}
	if top > 0 {
		tags = tags[:top]
	}
	used := map[string]bool{}
	for _, r := range rows {
		for _, tag := range r.Tags {
			used[tag] = used[tag] || r.Split == Train
		}
	}
	out := make([]string, len(tags))
	for i, tag := range tags {
		if !used[tag.id] {
			return nil, faultAt(file, tag.place, "tag %q is unknown: no %s row has it", tag.id, Train)
		}
		out[i] = tag.id
	}
	return out, nil
}

// tagList reads the file's tags without judging them, but for repetition.
func tagList(file string) ([]listed, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var names []string
	word := "entry"
	if isNPY(file, data) {
		names, err = npyStrings(data)
	} else {
		if err := checkText(file, &data); err != nil {
			return nil, err
		}
		switch text := bytes.TrimSpace(data); {
		case bytes.HasPrefix(text, []byte("[")):
			if err = json.Unmarshal(text, &names); err != nil {
				err = fmt.Errorf("%w, want a JSON list of tags", err)
			}
		case bytes.HasPrefix(text, []byte("{")):
			lists := map[string][]string{}
			if err = json.Unmarshal(text, &lists); err != nil {
				err = fmt.Errorf(`%w, want {"train": [...]}`, err)
			}
			names = lists[Train]
		default:
			word, names = "line", strings.Split(string(data), "\n")
		}
	}
	if err != nil {
		return nil, fault(file, 0, "%w", err)
	}
	var tags []listed
	seen := map[string]string{}
	for i, name := range names {
		place := fmt.Sprintf("%s %d", word, i+1)
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if first, twice := seen[name]; twice {
			return nil, faultAt(file, place, "tag %q is on %s already", name, first)
		}
		seen[name] = place
		tags = append(tags, listed{name, place})
	}
	if len(tags) == 0 {
		return nil, fault(file, 0, "no tags, want one a line")
	}
	return tags, nil
}
