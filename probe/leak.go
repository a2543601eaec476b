package probe

import (
	"fmt"
	"path/filepath"
	"strings"

	"syncretic/adapt/audio"
)

// checkSplits requires a known split on every row and a row in every split.
func checkSplits(entries []audio.Entry) error {
	rows := map[string]int{}
	for i, e := range entries {
		switch e.Split {
		case Train, Valid, Test:
			rows[e.Split]++
		case "":
			return fmt.Errorf("row %d (%s): no split, want %s, %s or %s", i+1, e.ID, Train, Valid, Test)
		default:
			return fmt.Errorf("row %d (%s): split %q, want %s, %s or %s", i+1, e.ID, e.Split, Train, Valid, Test)
		}
	}
	var missing []string
	for _, split := range []string{Train, Valid, Test} {
		if rows[split] == 0 {
			missing = append(missing, split)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no rows in split %s", strings.Join(missing, ", "))
	}
	return nil
}

// checkLeaks refuses recordings and groups that are in two splits, and rows that occur twice. Crops of one recording
// share their path, so two crops of it in two splits are a leak, too.
func checkLeaks(entries []audio.Entry) error {
	type crop struct {
		path       string
		start, end float64
	}
	paths, groups, crops := map[string]int{}, map[string]int{}, map[crop]int{}
	for i, e := range entries {
		path := filepath.Clean(e.Path)
		if first, ok := paths[path]; !ok {
			paths[path] = i
		} else if a := entries[first]; a.Split != e.Split {
			return fmt.Errorf("leak: %s is in split %s (row %d) and in split %s (row %d)", e.ID, a.Split, first+1, e.Split, i+1)
		}
		at := crop{path, e.Start, e.End}
		if first, ok := crops[at]; ok {
			return fmt.Errorf("row %d repeats row %d: %s", i+1, first+1, e.ID)
		}
		crops[at] = i
		if e.Group == "" {
			continue
		}
		if first, ok := groups[e.Group]; !ok {
			groups[e.Group] = i
		} else if a := entries[first]; a.Split != e.Split {
			return fmt.Errorf("leak: group %q is in split %s (row %d, %s) and in split %s (row %d, %s)",
				e.Group, a.Split, first+1, a.ID, e.Split, i+1, e.ID)
		}
	}
	return nil
}
