// Package dataset reads tagged recordings as their users have them on disk, and says what it found.
//
//	list, err := dataset.Open(dataset.Config{Name: "lyra", Format: dataset.Lyra, Root: "lyra-dataset/data", Audio: "lyra/audio"})
//
// A [Config] names a format and a folder; [Open] returns a [Listing]: rows of path, start, end, split, tags, and of the groups
// (artist, album, programme) that the metadata knows. One file here is one format:
//
//	magnatagatune.go  annotations_final.csv, clip_info_final.csv; both split conventions
//	fma.go            tracks.csv, genres.csv; the 20-tag and the 16-genre task of FMA-medium
//	lyra.go           raw.tsv, split/training.tsv, split/test.tsv
//	dunya.go          Turkish-makam, Hindustani and Carnatic music: metadata.json, id lists
//	music4all.go      id_information.csv, id_tags.csv or id_genres.csv
//	manifest.go       one's own archive, CSV or TSV;  jsonl.go  the same as JSON lines
//
// What they share: open.go (splits, exclusions, missing audio), ids.go (id lists), tags.go (the vocabulary), leaks.go (groups in two
// splits). No reader repairs its input: an error names the file, the line and what was expected, and wraps [ErrInvalid].
// What is left out by a rule, or on request, is counted and named in [Findings].
package dataset

import "errors"

// ErrInvalid reports metadata that breaks a rule of its format.
var ErrInvalid = errors.New("invalid dataset")

// ErrConfig reports a Config that cannot be used.
var ErrConfig = errors.New("invalid dataset configuration")
