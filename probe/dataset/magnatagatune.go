package dataset

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"syncretic/adapt/audio"
)

// shortestClip is the length, in s, above which the convention tagged keeps a clip.
const shortestClip = 29.1

// readMagnaTagATune reads annotations_final.csv (clip_id, tags 0/1, mp3_path) and, where it is there, clip_info_final.csv, which knows
// artist, album and track. Recordings are at mp3_path below Audio, or below Root/mp3 or Root.
//
// The folder of an mp3 is one hexadecimal digit, a hash of its album: 0 to b is train, c valid, d to f test, so no album is in two
// splits, but artists are. The convention all keeps every clip, also those without a tag (MARBLE). The convention tagged keeps
// the clips of the id lists, or without lists those longer than 29.1 s that have one of the tags of the vocabulary.
func readMagnaTagATune(cfg Config, conv convention, l *Listing) (reading, error) {
	t, err := readTable(filepath.Join(cfg.Root, "annotations_final.csv"), "clip_id", "mp3_path")
	if err != nil {
		return reading{}, err
	}
	last := len(t.header) - 1
	if t.header[0] != "clip_id" || t.header[last] != "mp3_path" || last < 2 {
		return reading{}, fault(t.file, 1, "columns %q to %q, want clip_id, the tags, mp3_path", t.header[0], t.header[last])
	}
	if _, err := t.ids("clip_id"); err != nil {
		return reading{}, err
	}
	if _, err := t.ids("mp3_path"); err != nil {
		return reading{}, err
	}
	clips, err := readClipInfo(filepath.Join(cfg.Root, "clip_info_final.csv"))
	if err != nil {
		return reading{}, err
	}
	if clips != nil {
		l.Findings.GroupedBy = []string{"artist", "album"}
	}
	folder := cfg.Audio
	if folder == "" {
		folder = below(cfg.Root, "mp3", ".")
	}
	lists := cfg.Splits.given() > 0
	for _, r := range t.rows {
		if _, err := clipID(r.values[0]); err != nil {
			return reading{}, fault(t.file, r.line, "%w", err)
		}
		id, err := clipPath(t.value(r, "mp3_path"))
		if err != nil {
			return reading{}, fault(t.file, r.line, "%w", err)
		}
		row := newRow(id, filepath.Join(folder, filepath.FromSlash(id)), r.line)
		if !lists {
			row.Split = clipSplit(id[0])
		}
		for c := 1; c < last; c++ {
			switch v := r.values[c]; v {
			case "0":
			case "1":
				row.Tags = append(row.Tags, t.header[c])
			default:
				return reading{}, fault(t.file, r.line, "tag %q is %q, want 0 or 1", t.header[c], v)
			}
		}
		if clips != nil {
			info := clips[r.values[0]] // a clip that the file lacks has no groups
			row.Groups, row.Group, row.Seconds = []string{info.artist, info.album}, info.track, info.seconds
		}
		l.Rows = append(l.Rows, row)
	}
	out := reading{normal: clipPath, lists: cfg.Splits}
	if conv.name == "tagged" && !lists {
		out.after = func(l *Listing) error { return l.keepTagged(cfg.TagsFile) }
	}
	return out, nil
}

// clip is what clip_info_final.csv knows of a clip.
type clip struct {
	artist, album string
	track         string // what the clip was cut from: the page of its album and its number there
	seconds       float64
}

// readClipInfo returns clips by id, or nil when the file is not there.
func readClipInfo(file string) (map[string]clip, error) {
	if !exists(file) {
		return nil, nil
	}
	t, err := readTable(file, "clip_id", "track_number", "artist", "album", "url", "segmentStart", "segmentEnd")
	if err != nil {
		return nil, err
	}
	rows, err := t.ids("clip_id")
	if err != nil {
		return nil, err
	}
	out := make(map[string]clip, len(rows))
	for id, r := range rows {
		if _, err := clipID(id); err != nil {
			return nil, fault(file, r.line, "%w", err)
		}
		c := clip{artist: t.value(r, "artist"), album: t.value(r, "album")}
		if url := t.value(r, "url"); url != "" {
			c.track = url + " track " + t.value(r, "track_number")
		}
		start, err1 := strconv.ParseFloat(t.value(r, "segmentStart"), 64)
		end, err2 := strconv.ParseFloat(t.value(r, "segmentEnd"), 64)
		if err1 != nil || err2 != nil || !(start >= 0) || !(end > start) || end > 1e6 {
			return nil, fault(file, r.line, "segment from %q to %q, want seconds, the end after the start", t.value(r, "segmentStart"), t.value(r, "segmentEnd"))
		}
		c.seconds = end - start
		out[id] = c
	}
	return out, nil
}

func clipID(id string) (uint64, error) {
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("clip_id %q, want a whole number", id)
	}
	return n, nil
}

// clipPath holds an mp3_path against the form "f/name.mp3".
func clipPath(path string) (string, error) {
	if len(path) < 3 || !strings.ContainsRune("0123456789abcdef", rune(path[0])) || path[1] != '/' || !filepath.IsLocal(filepath.FromSlash(path)) {
		return "", fmt.Errorf("mp3_path %q, want a folder 0 to f and a file, as f/name.mp3", path)
	}
	return path, nil
}

func clipSplit(folder byte) string {
	switch {
	case folder < 'c': // digits stand before letters
		return Train
	case folder == 'c':
		return Valid
	}
	return Test
}

// keepTagged is the convention's rule in place of its lists: first length, then the vocabulary of the train rows, then one of its tags.
// It reads the head of every recording; one that cannot be read is left out as too short, as the three empty ones of the archive are.
func (l *Listing) keepTagged(tagsFile string) error {
	seconds := lengths(l.Rows)
	long := make(map[string]bool, len(l.Rows))
	for i, r := range l.Rows {
		long[r.Path] = seconds[i] > shortestClip
		l.Rows[i].Seconds = seconds[i]
	}
	l.leaveOut(fmt.Sprintf("not longer than %v s", shortestClip), func(r Row) bool { return !long[r.Path] })
	var tags []string
	var err error
	if tagsFile != "" {
		tags, err = readTags(tagsFile, l.Top, l.Rows)
	} else if tags, err = TopTags(l.Entries(), l.Top); err != nil {
		err = fmt.Errorf("%w: of the clips longer than %v s: %w", ErrInvalid, shortestClip, err)
	}
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(tags))
	for _, tag := range tags {
		known[tag] = true
	}
	l.leaveOut("none of the tags", func(r Row) bool {
		for _, tag := range r.Tags {
			if known[tag] {
				return false
			}
		}
		return true
	})
	return nil
}

// lengths returns the length of every row's recording in s, 0 for one that cannot be read.
func lengths(rows []Row) []float64 {
	out := make([]float64, len(rows))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(len(rows), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(rows); i = int(next.Add(1)) - 1 {
				if f, err := audio.Open(rows[i].Path); err == nil {
					out[i] = f.Seconds()
					f.Close()
				}
			}
		})
	}
	wg.Wait()
	return out
}
