package dataset

import "syncretic/adapt/audio"

// The splits of a dataset, as manifests spell them.
const (
	Train = "train"
	Valid = "valid"
	Test  = "test"
)

// Listing is a dataset as its metadata lists it, of the rows that have a split and a recording.
type Listing struct {
	Rows     []Row // in the order of the metadata
	Task     Task
	Top      int      // size of the vocabulary to count on train rows; 0 for all
	Tags     []string // the vocabulary where it is given, not counted; of a regression the names of the targets
	Max      float64  // s: how much of a recording is used, from its start; 0 for all
	Findings Findings
}

// Row is one recording, or a part of one. Entry.ID is the id that the dataset's lists use; Entry.Group is what must never be in
// two splits.
type Row struct {
	audio.Entry
	Groups  []string  // by Listing.Findings.GroupedBy: artist, album; "" where the metadata does not know
	Targets []float64 // of a regression, by Listing.Tags
	Seconds float64   // length as the metadata knows it; 0 where it does not

	line int // in the metadata, for errors
}

// Findings are what a result must say beside its numbers. Its JSON is part of results.
type Findings struct {
	Format     Format      `json:"format"`
	Convention string      `json:"convention,omitempty"`
	LeftOut    []LeftOut   `json:"left_out"`   // rows that are not used, by reason
	GroupedBy  []string    `json:"grouped_by"` // the kinds of group that were compared between splits
	Leaks      []Leak      `json:"leaks"`      // groups in two splits: a warning, not an error
	Ungrouped  []Ungrouped `json:"ungrouped"`  // what could not be compared
}

// LeftOut counts the rows that one rule leaves out.
type LeftOut struct {
	Reason string   `json:"reason"`
	Count  int      `json:"count"`
	First  []string `json:"first"` // ids, at most ten
}

// Leak counts the groups of one kind that are in more than one split.
type Leak struct {
	By     string   `json:"by"`     // artist, album, programme
	Groups int      `json:"groups"` // in two splits or three
	Rows   int      `json:"rows"`   // valid and test rows whose group is in train
	First  []string `json:"first"`  // groups, at most ten
}

// Ungrouped counts the rows of which the metadata does not know one kind of group.
type Ungrouped struct {
	By   string `json:"by"`
	Rows int    `json:"rows"`
}

// named is how many of a list errors and findings name.
const named = 10

// leaveOut moves the rows that rule holds for out of l and counts them under reason.
func (l *Listing) leaveOut(reason string, rule func(Row) bool) {
	out := LeftOut{Reason: reason}
	kept := l.Rows[:0]
	for _, r := range l.Rows {
		if !rule(r) {
			kept = append(kept, r)
			continue
		}
		if out.Count++; out.Count <= named {
			out.First = append(out.First, r.ID)
		}
	}
	clear(l.Rows[len(kept):])
	l.Rows = kept
	if out.Count > 0 {
		l.Findings.LeftOut = append(l.Findings.LeftOut, out)
	}
}

// Entries are the rows without what only a listing knows.
func (l *Listing) Entries() []audio.Entry {
	out := make([]audio.Entry, len(l.Rows))
	for i, r := range l.Rows {
		out[i] = r.Entry
	}
	return out
}
