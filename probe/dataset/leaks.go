package dataset

import "slices"

// compare counts the groups of every kind that are in two splits. Published splits divide artists, so it is a warning; what is sure to be
// the same recording is Entry.Group, and an error.
func (l *Listing) compare() {
	for k, by := range l.Findings.GroupedBy {
		splits, unknown := map[string][]string{}, 0
		var order []string
		for _, r := range l.Rows {
			g := r.Groups[k]
			if g == "" {
				unknown++
				continue
			}
			if splits[g] == nil {
				order = append(order, g)
			}
			if !slices.Contains(splits[g], r.Split) {
				splits[g] = append(splits[g], r.Split)
			}
		}
		if unknown > 0 {
			l.Findings.Ungrouped = append(l.Findings.Ungrouped, Ungrouped{by, unknown})
		}
		leak := Leak{By: by}
		for _, g := range order {
			if len(splits[g]) < 2 {
				continue
			}
			if leak.Groups++; leak.Groups <= named {
				leak.First = append(leak.First, g)
			}
		}
		for _, r := range l.Rows {
			if r.Split != Train && slices.Contains(splits[r.Groups[k]], Train) {
				leak.Rows++
			}
		}
		if leak.Groups > 0 {
			l.Findings.Leaks = append(l.Findings.Leaks, leak)
		}
	}
	for _, by := range []string{"artist", "album"} {
		if !slices.Contains(l.Findings.GroupedBy, by) {
			l.Findings.Ungrouped = append(l.Findings.Ungrouped, Ungrouped{by, len(l.Rows)})
		}
	}
}
