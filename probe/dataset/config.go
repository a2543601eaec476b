package dataset

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// Format is how a dataset lies on disk.
type Format string

// The formats.
const (
	MagnaTagATune Format = "magnatagatune"
	FMA           Format = "fma"
	Lyra          Format = "lyra"
	Dunya         Format = "dunya"
	Music4All     Format = "music4all"
	Manifest      Format = "manifest"
	JSONLines     Format = "jsonl"
)

// Task is what a head learns of a dataset.
type Task string

// The tasks.
const (
	MultiLabel Task = "multilabel" // any number of tags an item
	Single     Task = "single"     // exactly one tag an item
	Regression Task = "regression" // numbers instead of tags; JSON lines only
)

// What is done about recordings that are not there.
const (
	MissingError = "error"
	MissingSkip  = "skip"
)

// Config is one dataset of a probe's configuration. Paths are as written; who opens them says what they are relative to.
//
//	{name: mtat,  format: magnatagatune, root: MTAT, convention: tagged, tags: 50, western: true}
//	{name: makam, format: dunya, convention: makam, root: data/makam, tags: 30, tags_file: labels/makam.json}
//	{name: own,   manifest: own.csv}
type Config struct {
	Name     string `yaml:"name" json:"name"`
	Format   Format `yaml:"format" json:"format,omitempty"`     // may be left out beside manifest: its name ends in .jsonl, or it is CSV or TSV
	Manifest string `yaml:"manifest" json:"manifest,omitempty"` // the file of the formats manifest and jsonl
	Root     string `yaml:"root" json:"root,omitempty"`         // the folder of the metadata of all other formats
	Audio    string `yaml:"audio" json:"audio,omitempty"`       // the folder of the recordings; "" is the usual one below Root

	// Convention chooses between the ways in which a dataset is used; "" is the first of those that conventions lists.
	Convention string `yaml:"convention" json:"convention,omitempty"`
	Task       Task   `yaml:"task" json:"task,omitempty"` // "" is the convention's

	Tags     int    `yaml:"tags" json:"tags"`                     // size of the vocabulary; 0 is the published number, or all where there is none
	TagsFile string `yaml:"tags_file" json:"tags_file,omitempty"` // a vocabulary that is not counted but given; readTags says its forms

	Splits    Splits   `yaml:"splits" json:"splits,omitzero"`            // id lists
	SplitSeed *uint64  `yaml:"split_seed" json:"split_seed,omitempty"`   // music4all: splits 0.7/0.1/0.2 by artist
	Exclude   string   `yaml:"exclude" json:"exclude,omitempty"`         // id list of what to leave out
	Missing   string   `yaml:"missing" json:"missing,omitempty"`         // MissingError ("") or MissingSkip
	Max       *float64 `yaml:"max_seconds" json:"max_seconds,omitempty"` // of a recording; nil is the convention's, 0 none
	Western   bool     `yaml:"western" json:"western"`                   // reported apart: what adaptation should not forget
}

// Splits are the id lists of the splits: one id a line, or numpy's array of strings (.npy).
type Splits struct {
	Train string `yaml:"train" json:"train,omitempty"`
	Valid string `yaml:"valid" json:"valid,omitempty"`
	Test  string `yaml:"test" json:"test,omitempty"`
}

func (s Splits) given() (n int) {
	for _, file := range []string{s.Train, s.Valid, s.Test} {
		if file != "" {
			n++
		}
	}
	return n
}

// convention is one way to use a format.
type convention struct {
	name string
	tags int     // published size of the vocabulary; 0 for all
	task Task    // what is learnt
	max  float64 // s; 0 for whole recordings
}

// conventions lists those of a format, the default first. Sizes and caps are those of Papaioannou et al. 2023 (arXiv 2307.09795).
func conventions(f Format) []convention {
	switch f {
	case MagnaTagATune:
		return []convention{{name: "all", tags: 50, task: MultiLabel}, {name: "tagged", tags: 50, task: MultiLabel}}
	case FMA:
		return []convention{{name: "ccml", tags: 20, task: MultiLabel}, {name: "official", task: Single}}
	case Lyra:
		return []convention{{name: "ccml", tags: 30, task: MultiLabel}}
	case Dunya:
		return []convention{{name: "makam", tags: 30, task: MultiLabel, max: 150}, {name: "hindustani", tags: 20, task: MultiLabel, max: 780},
			{name: "carnatic", tags: 20, task: MultiLabel, max: 330}}
	case Music4All:
		return []convention{{name: "tags", task: MultiLabel}, {name: "genres", task: MultiLabel}}
	case Manifest, JSONLines:
		return []convention{{task: MultiLabel}}
	}
	return nil
}

// Validate returns an error that wraps ErrConfig unless c can be opened. It looks at no file.
func (c Config) Validate() error {
	if err := c.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}

func (c Config) check() error {
	_, own, err := c.resolve()
	if err != nil {
		return err
	}
	switch format := c.format(); {
	case own && c.Manifest == "":
		return fmt.Errorf("manifest is missing: the file of format %s", format)
	case own && (c.Root != "" || c.Audio != ""):
		return fmt.Errorf("root or audio is set, which format %s does not have: its paths are relative to the manifest", format)
	case !own && c.Manifest != "":
		return fmt.Errorf("manifest is set, which format %s does not have: want root, the folder of its metadata", format)
	case !own && c.Root == "":
		return fmt.Errorf("root is missing: the folder of the metadata of format %s", format)
	case c.Tags < 0:
		return fmt.Errorf("tags is %d, want 0 (all, or the published number) or more", c.Tags)
	case c.Missing != "" && c.Missing != MissingError && c.Missing != MissingSkip:
		return fmt.Errorf("missing is %q, want %s or %s", c.Missing, MissingError, MissingSkip)
	case c.Max != nil && (!(*c.Max >= 0) || math.IsInf(*c.Max, 0)):
		return fmt.Errorf("max_seconds is %v, want 0 (none) or more", *c.Max)
	case c.SplitSeed != nil && format != Music4All:
		return fmt.Errorf("split_seed is set, which only format %s has", Music4All)
	}
	if err := c.checkTask(); err != nil {
		return err
	}
	return c.checkLists(own)
}

func (c Config) checkTask() error {
	switch c.Task {
	case "", MultiLabel, Single:
	case Regression:
		if c.format() != JSONLines {
			return fmt.Errorf("task is %s, which only format %s has", Regression, JSONLines)
		}
		if c.Tags > 0 || c.TagsFile != "" {
			return fmt.Errorf("tags or tags_file is set, which task %s does not have", Regression)
		}
	default:
		return fmt.Errorf("task is %q, want %s, %s or %s", c.Task, MultiLabel, Single, Regression)
	}
	return nil
}

func (c Config) checkLists(own bool) error {
	n, conv := c.Splits.given(), c.Convention
	switch format := c.format(); {
	case own && n > 0:
		return fmt.Errorf("splits is set, which format %s does not have: its rows say their split", format)
	case format == Lyra && (n == 0 || n == 3 || n == 1 && c.Splits.Valid != ""):
	case format == Lyra:
		return fmt.Errorf("splits: want train, valid and test, or valid alone, or none")
	case n != 0 && n != 3:
		return fmt.Errorf("splits: want all of train, valid and test, or none")
	case format == FMA && conv != "official" && n == 0:
		return fmt.Errorf("splits is missing: the convention ccml is a random split, known by its id lists only; convention: official needs none")
	case format == FMA && conv == "official" && n > 0:
		return fmt.Errorf("splits is set, which the convention official does not have")
	case format == MagnaTagATune && conv != "tagged" && n > 0:
		return fmt.Errorf("splits is set, which the convention all does not have; want convention: tagged")
	case format == Music4All && (n == 0) == (c.SplitSeed == nil):
		return fmt.Errorf("want either splits, or split_seed to split by artist")
	}
	return nil
}

// resolve returns the convention of c with its overrides, and whether the format is one's own archive.
func (c Config) resolve() (convention, bool, error) {
	format := c.format()
	known := conventions(format)
	if known == nil {
		return convention{}, false, fmt.Errorf("format is %q, want one of %s", format, strings.Join([]string{string(MagnaTagATune), string(FMA),
			string(Lyra), string(Dunya), string(Music4All), string(Manifest), string(JSONLines)}, ", "))
	}
	var names []string
	for _, k := range known {
		names = append(names, k.name)
	}
	at := slices.Index(names, c.Convention)
	own := format == Manifest || format == JSONLines
	switch {
	case c.Convention == "" && format == Dunya:
		return convention{}, own, fmt.Errorf("convention is missing, want one of %s", strings.Join(names, ", "))
	case c.Convention == "":
		at = 0
	case own:
		return convention{}, own, fmt.Errorf("convention is set, which format %s does not have", format)
	case at < 0:
		return convention{}, own, fmt.Errorf("convention is %q, want one of %s", c.Convention, strings.Join(names, ", "))
	}
	conv := known[at]
	if c.Task != "" {
		if c.Task != conv.task && format == FMA && conv.name == "official" {
			conv.tags = 20 // the hierarchical task on the official split
		}
		conv.task = c.Task
	}
	if c.Tags > 0 {
		conv.tags = c.Tags
	} else if c.TagsFile != "" {
		conv.tags = 0
	}
	if c.Max != nil {
		conv.max = *c.Max
	}
	return conv, own, nil
}

// format is Format, or what the name of the manifest says.
func (c Config) format() Format {
	if c.Format != "" || c.Manifest == "" {
		return c.Format
	}
	switch strings.ToLower(filepath.Ext(c.Manifest)) {
	case ".jsonl", ".ndjson":
		return JSONLines
	}
	return Manifest
}
