package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
)

// readMusic4All reads id_information.csv (id, artist, song, album_name) and, by convention, id_tags.csv (tags) or id_genres.csv (genres),
// all tab-separated whatever their names say, values joined by commas. Recordings are Audio/ID.mp3; "" is Root/audios.
// Splits are id lists, or with SplitSeed 0.7/0.1/0.2 by artist. An album is known by its artist and name.
func readMusic4All(cfg Config, conv convention, l *Listing) (reading, error) {
	info, err := readTable(filepath.Join(cfg.Root, "id_information.csv"), "id", "artist", "album_name")
	if err != nil {
		return reading{}, err
	}
	if _, err := info.ids("id"); err != nil {
		return reading{}, err
	}
	labels, err := readTable(filepath.Join(cfg.Root, "id_"+conv.name+".csv"), "id", conv.name)
	if err != nil {
		return reading{}, err
	}
	byID, err := labels.ids("id")
	if err != nil {
		return reading{}, err
	}
	folder := cfg.Audio
	if folder == "" {
		folder = below(cfg.Root, "audios")
	}
	files, err := openRecordings(folder)
	if err != nil {
		return reading{}, err
	}
	l.Findings.GroupedBy = []string{"artist", "album"}
	known := make(map[string]bool, len(info.rows))
	for _, r := range info.rows {
		id := info.value(r, "id")
		if strings.ContainsAny(id, `/\`) {
			return reading{}, fault(info.file, r.line, "id %q, want one that can name a file", id)
		}
		known[id] = true
		label, ok := byID[id]
		if !ok {
			return reading{}, fault(info.file, r.line, "id %q is not in %s", id, labels.file)
		}
		row := newRow(id, files.path(id), r.line)
		if row.Tags, err = labels.split(label, conv.name, ","); err != nil {
			return reading{}, err
		}
		artist := strings.ToLower(info.value(r, "artist"))
		if artist == "" {
			return reading{}, fault(info.file, r.line, "artist is empty")
		}
		album := strings.ToLower(info.value(r, "album_name"))
		if album != "" {
			album = artist + ": " + album
		}
		row.Groups = []string{artist, album}
		if cfg.SplitSeed != nil {
			row.Split = splitByName(artist, *cfg.SplitSeed)
		}
		l.Rows = append(l.Rows, row)
	}
	for _, r := range labels.rows {
		if id := labels.value(r, "id"); !known[id] {
			return reading{}, fault(labels.file, r.line, "id %q is not in %s", id, info.file)
		}
	}
	return reading{lists: cfg.Splits}, nil
}

// splitByName puts a name into train, valid or test with chances 0.7, 0.1 and 0.2 by its SHA-256 with the seed: the same in whatever
// company it is, so that tracks can be added without moving others.
func splitByName(name string, seed uint64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, name))
	switch u := float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53); {
	case u < 0.7:
		return Train
	case u < 0.8:
		return Valid
	}
	return Test
}
