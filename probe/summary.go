package probe

import "syncretic/probe/dataset"

// Summary is what a dataset holds, to be compared with published counts before anything is computed.
type Summary struct {
	Name     string           `json:"name"`
	Task     dataset.Task     `json:"task"`
	Findings dataset.Findings `json:"findings"`
	Splits   []SplitSummary   `json:"splits"` // train, valid, test
	Tags     []TagSummary     `json:"tags"`   // in the order of the vocabulary
}

// SplitSummary counts one split.
type SplitSummary struct {
	Name      string  `json:"name"`
	Rows      int     `json:"rows"`
	Positives int     `json:"positives"` // labels that are true
	Untagged  int     `json:"untagged"`  // rows without a tag of the vocabulary
	Timed     int     `json:"timed"`     // rows whose length the metadata knows
	Hours     float64 `json:"hours"`     // of those
}

// TagSummary counts the rows that have one tag; of a regression's targets, all rows.
type TagSummary struct {
	Tag   string `json:"tag"`
	Train int    `json:"train"`
	Valid int    `json:"valid"`
	Test  int    `json:"test"`
}

// Summary counts rows, labels and hours by split. It opens no recording.
func (ds *Dataset) Summary() Summary {
	out := Summary{Name: ds.Name, Task: ds.Task, Findings: ds.Findings, Splits: []SplitSummary{{Name: Train}, {Name: Valid}, {Name: Test}}, Tags: make([]TagSummary, len(ds.Tags))}
	if out.Task == "" {
		out.Task = dataset.MultiLabel
	}
	for t, tag := range ds.Tags {
		out.Tags[t].Tag = tag
	}
	for _, item := range ds.Items {
		for s := range out.Splits {
			if out.Splits[s].Name == item.Split {
				out.Splits[s].add(item)
			}
		}
		for t := range ds.Tags {
			if item.Labels != nil && !item.Labels[t] {
				continue
			}
			switch item.Split {
			case Train:
				out.Tags[t].Train++
			case Valid:
				out.Tags[t].Valid++
			case Test:
				out.Tags[t].Test++
			}
		}
	}
	return out
}

func (s *SplitSummary) add(item Item) {
	s.Rows++
	positives := 0
	for _, label := range item.Labels {
		if label {
			positives++
		}
	}
	s.Positives += positives
	if item.Labels != nil && positives == 0 {
		s.Untagged++
	}
	seconds := item.Seconds
	if item.End > 0 {
		seconds = item.End - item.Start
	}
	if seconds > 0 {
		if item.Limit > 0 {
			seconds = min(seconds, item.Limit)
		}
		s.Timed++
		s.Hours += seconds / 3600
	}
}
