package adapt

import (
	"fmt"
	"strings"

	"syncretic/adapt/audio"
)

// Index says what a run trains on, before it does: by corpus what there is, what is left out and why, and how often it will be gone
// through.
type Index struct {
	Corpora    []CorpusIndex    `json:"corpora"`
	Exclusions []ExclusionIndex `json:"exclusions,omitempty"`
	Warnings   []string         `json:"warnings,omitempty"`
}

// CorpusIndex counts the recordings of one corpus, manifest rows of its split:
//
//	Recordings = Excluded + Unreadable + Unused + Used + (Short, where hours are asked for)
//
// Without hours the short recordings are among Used, but no crop of them is ever drawn.
type CorpusIndex struct {
	Name       string  `json:"name"`
	Replay     bool    `json:"replay,omitempty"`
	Recordings int     `json:"recordings"`
	Hours      float64 `json:"hours"` // of all that can be read and is not excluded
	Excluded   int     `json:"excluded"`
	Unreadable int     `json:"unreadable"` // left out by skip_bad
	Short      int     `json:"shorter_than_a_crop"`
	Unused     int     `json:"unused"` // beyond the hours asked for
	Used       int     `json:"used"`
	HoursAsked float64 `json:"hours_asked,omitempty"`
	HoursUsed  float64 `json:"hours_used"` // of the recordings that crops are drawn from

	Shares []float64 `json:"shares"` // of the draws, by stage
	Passes float64   `json:"passes"` // how many times its hours the run draws from it, as expected
}

// ExclusionIndex is what became of one list of exclusions.
type ExclusionIndex struct {
	Manifest  string   `json:"manifest"`
	Split     string   `json:"split,omitempty"`
	Corpus    string   `json:"corpus,omitempty"` // "" is all
	Rows      int      `json:"rows"`
	Unmatched int      `json:"unmatched"` // rows that name no recording of the corpora
	Examples  []string `json:"unmatched_examples,omitempty"`
}

// census is what OpenCorpus counts.
type census struct {
	Recordings, Excluded, Unreadable, Short, Unused int

	Samples    int // of all that can be read and is not excluded
	hours      float64
	exclusions []*exclusion
}

// unmatchedExamples is how many ids of a list an index names.
const unmatchedExamples = 3

// indexOf counts a run's corpora and expects how often each is gone through.
func indexOf(cfg Config, corpora []*Corpus, all []*exclusion, hop int) (Index, error) {
	const hour = 3600 * audio.SampleRate
	var x Index
	crop := samplesOf(cfg.Batch.Seconds)
	var spooled []string
	for _, c := range corpora {
		n := c.census
		k := CorpusIndex{Name: c.Name, Replay: c.Replay, Recordings: n.Recordings, Hours: float64(n.Samples) / hour, Excluded: n.Excluded, Unreadable: n.Unreadable,
			Short: n.Short, Unused: n.Unused, Used: len(c.Recordings), HoursAsked: n.hours}
		used, files := 0, 0
		for _, r := range c.Recordings {
			if r.Len >= crop {
				used += r.Len
			}
			if r.spooled {
				files++
			}
		}
		k.HoursUsed = float64(used) / hour
		if files > 0 {
			spooled = append(spooled, fmt.Sprintf("%s: %d", c.Name, files))
		}
		if n.hours > 0 && k.HoursUsed < n.hours {
			x.Warnings = append(x.Warnings, fmt.Sprintf("corpus %s: %.4g hours asked for, it has %.4g: all of it is used", c.Name, n.hours, k.HoursUsed))
		}
		x.Corpora = append(x.Corpora, k)
		x.Exclusions = append(x.Exclusions, exclusionIndices(n.exclusions, c.Name)...)
	}
	x.Exclusions = append(x.Exclusions, exclusionIndices(all, "")...)
	for _, e := range x.Exclusions {
		if e.Unmatched == e.Rows {
			of := "the corpora"
			if e.Corpus != "" {
				of = "corpus " + e.Corpus
			}
			x.Warnings = append(x.Warnings, fmt.Sprintf("exclude: %s: none of its %d ids is in %s (such as %q): are they spelt as the manifest spells them?", e.Manifest, e.Rows, of, e.Examples[0]))
		}
	}
	if len(spooled) > 0 {
		x.Warnings = append(x.Warnings, "recordings that ffmpeg has to decode wholly for every few crops (convert them to FLAC, MP3 or Opus): "+strings.Join(spooled, ", "))
	}
	for _, s := range cfg.Stages {
		sampler, err := NewSampler(cfg.Seed, corpora, s.Replay, cfg.Batch.Seconds, hop)
		if err != nil {
			return Index{}, err
		}
		crops := float64(s.Steps) * float64(cfg.Batch.Clips) * float64(cfg.Batch.Accumulate)
		before := 0.0
		for i := range x.Corpora {
			share := (sampler.share[i] - before) / sampler.share[len(sampler.share)-1]
			before = sampler.share[i]
			x.Corpora[i].Shares = append(x.Corpora[i].Shares, share)
			x.Corpora[i].Passes += crops * share * cfg.Batch.Seconds / 3600 / x.Corpora[i].HoursUsed
		}
	}
	return x, nil
}

func exclusionIndices(list []*exclusion, corpus string) []ExclusionIndex {
	var all []ExclusionIndex
	for _, x := range list {
		e := ExclusionIndex{Manifest: x.Manifest, Split: x.Split, Corpus: corpus, Rows: len(x.rows)}
		for _, r := range x.rows {
			if r.found {
				continue
			}
			if e.Unmatched++; len(e.Examples) < unmatchedExamples {
				e.Examples = append(e.Examples, r.id)
			}
		}
		all = append(all, e)
	}
	return all
}
