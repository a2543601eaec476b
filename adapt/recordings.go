package adapt

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"syncretic/adapt/audio"
)

func (k CorpusConfig) validateSelection(i int, check func(ok bool, format string, args ...any)) {
	at := fmt.Sprintf("corpora[%d] (%s)", i, k.Name)
	check(k.Hours >= 0 && k.Hours <= 1e6, "%s: hours: got %g, want 0 (all) to 1e6", at, k.Hours)
	checkExclusions(at+": exclude", k.Exclude, check)
}

// rowsOf reads a corpus's manifest or lists its folder, and says which split of it is meant. A folder has no splits.
func rowsOf(cfg CorpusConfig) (rows []audio.Entry, split string, err error) {
	if info, err := os.Stat(cfg.Manifest); err == nil && info.IsDir() {
		if cfg.Split != "" && cfg.Split != AllSplits {
			return nil, "", fmt.Errorf("%w: split %q: %s is a folder, which has no splits; leave split out to take every file, or name a manifest", ErrConfig, cfg.Split, cfg.Manifest)
		}
		rows, err := folderEntries(cfg.Manifest)
		return rows, AllSplits, err
	}
	rows, err = audio.ReadManifest(cfg.Manifest)
	return rows, cmp.Or(cfg.Split, "train"), err
}

// folderEntries lists the audio files below a folder, known by their names' endings, in the order of their paths. Hidden files and
// folders are passed over.
func folderEntries(dir string) ([]audio.Entry, error) {
	endings := []string{".wav", ".flac", ".mp3", ".opus", ".ogg", ".oga", ".m4a", ".aac", ".aif", ".aiff", ".wma"}
	var entries []audio.Entry
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		hidden := path != dir && strings.HasPrefix(d.Name(), ".")
		switch {
		case err != nil:
			return err
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir() || !slices.Contains(endings, strings.ToLower(filepath.Ext(path))):
			return nil
		}
		id, err := filepath.Rel(dir, path)
		entries = append(entries, audio.Entry{Path: path, ID: filepath.ToSlash(id)})
		return err
	})
	if err == nil && len(entries) == 0 {
		err = fmt.Errorf("%w: %s: no audio file in the folder (%s)", audio.ErrInvalid, dir, strings.Join(endings, ", "))
	}
	return entries, err
}

// open reads the headers, several at once. With SkipBad those that cannot be read are left out.
func (c *Corpus) open(ctx context.Context, rows []audio.Entry, o audio.Options) ([]Recording, error) {
	all := make([]Recording, len(rows))
	bad := make([]error, len(rows))
	err := parallel(ctx, len(rows), func(i int) error {
		e := rows[i]
		err := c.files.With(e.Path, func(f *audio.File) error {
			start, n, err := e.Range(f.Frames)
			all[i] = Recording{ID: e.ID, Path: e.Path, Start: start, Len: n, file: f.Frames, rate: f.SourceRate, resampling: o.Resampling,
				files: c.files, spooled: f.Spooled}
			if err != nil && c.skipBad {
				return &rangeError{err} // the row is wrong, not the file
			}
			return err
		})
		if wrong := (*rangeError)(nil); errors.As(err, &wrong) {
			return wrong.error
		}
		if c.skipBad && errors.Is(err, audio.ErrInvalid) {
			bad[i], err = err, nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	kept := all[:0]
	for i := range all {
		if bad[i] != nil {
			c.skip(rows[i].Path, bad[i])
			continue
		}
		kept = append(kept, all[i])
	}
	return kept, nil
}

// rangeError is a manifest's row that names a part which its file has not: no reason to leave the file out.
type rangeError struct{ error }

// skip names a file that cannot be read, once, and counts the row.
func (c *Corpus) skip(path string, reason error) {
	c.census.Unreadable++
	if !slices.ContainsFunc(c.Skipped, func(s audio.Skipped) bool { return s.Path == path }) {
		c.Skipped = append(c.Skipped, audio.Skipped{Path: path, Reason: reason.Error()})
	}
}

// choose makes Recordings those of found that can be read, as many of them as Hours says. They stay in the manifest's order.
func (c *Corpus) choose(ctx context.Context, found []Recording, cfg CorpusConfig, sel selection, o audio.Options) error {
	order := make([]int, 0, len(found))
	for i, r := range found {
		c.census.Samples += r.Len
		if r.Len < sel.samples {
			c.census.Short++
			if cfg.Hours > 0 {
				continue // it is never drawn
			}
		}
		order = append(order, i)
	}
	want := math.MaxInt
	if cfg.Hours > 0 {
		want = int(math.Round(cfg.Hours * 3600 * audio.SampleRate))
		shuffle(order, found, sel.seed)
	}
	verified := map[string]error{} // by path
	var taken []int
	for have := 0; len(order) > 0 && have < want; {
		part := order[:min(len(order), verifyAtOnce)]
		if c.skipBad && !sel.noVerify {
			if err := verify(ctx, part, found, o, verified); err != nil {
				return err
			}
		}
		for _, i := range part {
			if have >= want {
				break
			}
			order = order[1:]
			if bad := verified[found[i].Path]; bad != nil {
				c.skip(found[i].Path, bad)
				c.census.Samples -= found[i].Len
				if found[i].Len < sel.samples {
					c.census.Short--
				}
				continue
			}
			taken = append(taken, i)
			have += found[i].Len
		}
	}
	c.census.Unused = len(order)
	c.census.hours = cfg.Hours
	slices.Sort(taken)
	for _, i := range taken {
		c.Recordings = append(c.Recordings, found[i])
	}
	slices.SortFunc(c.Skipped, func(a, b audio.Skipped) int { return strings.Compare(a.Path, b.Path) })
	return nil
}

// verifyAtOnce is how many recordings are decoded before it is looked whether the hours are reached.
const verifyAtOnce = 64

// verify decodes the files of some recordings that were not yet, several at once.
func verify(ctx context.Context, part []int, found []Recording, o audio.Options, verified map[string]error) error {
	var paths []string
	for _, i := range part {
		if path := found[i].Path; !slices.Contains(paths, path) {
			if _, known := verified[path]; !known {
				paths = append(paths, path)
			}
		}
	}
	var mu sync.Mutex
	return parallel(ctx, len(paths), func(i int) error {
		err := o.Verify(paths[i])
		if err != nil && !errors.Is(err, audio.ErrInvalid) {
			return err
		}
		mu.Lock()
		verified[paths[i]] = err
		mu.Unlock()
		return nil
	})
}

// shuffle brings recordings into an order that the seed and their names and places alone say, whatever order they came in: that of a hash.
func shuffle(order []int, all []Recording, seed uint64) {
	keys := make(map[int][sha256.Size]byte, len(order))
	for _, i := range order {
		doc := binary.LittleEndian.AppendUint64(nil, seed)
		keys[i] = sha256.Sum256(fmt.Appendf(doc, "%q %d %d", all[i].ID, all[i].Start, all[i].Len))
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := keys[a], keys[b]
		return bytes.Compare(x[:], y[:])
	})
}
