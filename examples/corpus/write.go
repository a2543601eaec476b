package corpus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"syncretic/adapt/audio"
	"syncretic/checkpoint"
)

// synthesis is the version of the sound itself. It goes up whenever the same
// seed would give other samples, so that older corpora are made again.
const synthesis = 1

// Options says how much of a corpus to write.
type Options struct {
	Seed    uint64
	Seconds float64 // a clip; 0 means 4

	// Clips a split. All three 0 means 200, 60, 140.
	Train, Valid, Test int

	// Progress, when not nil, is called after each clip, one call at a time.
	Progress func(done, total int)
}

// record is the content of corpus.json: what makes two corpora the same.
type record struct {
	Schema    int     `json:"schema"`
	Synthesis int     `json:"synthesis"`
	Culture   string  `json:"culture"`
	Seed      uint64  `json:"seed"`
	Seconds   float64 `json:"seconds"`
	Train     int     `json:"train"`
	Valid     int     `json:"valid"`
	Test      int     `json:"test"`
}

// Write makes a corpus under dir/NAME, NAME being the culture's:
//
//	audio/00000.wav ...  24 kHz, 16-bit, mono; train clips first, then valid, test
//	corpus.json          what was asked for, written first
//	manifest.csv         paths, splits, tags, groups, written last
//
// A manifest therefore means that the corpus is complete. Where one with the same
// options is there, Write returns at once; where a run was interrupted, the
// clips it finished are kept; where a corpus of other options is there, it is
// replaced. A folder that holds a manifest or audio but no corpus.json is
// somebody else's: the error wraps fs.ErrExist and nothing is touched.
//
// Every clip is a recording of its own, so the splits share no group. Clips are
// rendered by GOMAXPROCS workers; the files do not depend on how many.
// When ctx ends Write stops between clips and returns its error.
func Write(ctx context.Context, dir string, c Culture, opts Options) (manifest string, err error) {
	want, err := opts.record(c)
	if err != nil {
		return "", err
	}
	home := filepath.Join(dir, c.Name)
	manifest = filepath.Join(home, "manifest.csv")
	total := want.Train + want.Valid + want.Test
	complete, err := prepare(home, manifest, want)
	if err != nil {
		return "", err
	}
	if complete {
		if opts.Progress != nil {
			opts.Progress(total, total)
		}
		return manifest, nil
	}
	entries := make([]audio.Entry, total)
	err = each(ctx, total, opts.Progress, func(i int) error {
		name := fmt.Sprintf("audio/%05d.wav", i)
		path := filepath.Join(home, filepath.FromSlash(name))
		ch := c.assign(want.Seed, i)
		entries[i] = audio.Entry{Path: path, ID: name, Split: want.split(i), Tags: c.tagsOf(ch), Group: fmt.Sprintf("%s-%05d", c.Name, i)}
		if _, err := os.Stat(path); err == nil {
			return nil // whole, since files appear whole or not at all
		}
		samples, _ := c.Clip(want.Seed, i, want.Seconds)
		return audio.WriteWAV(path, samples, false)
	})
	if err != nil {
		return "", fmt.Errorf("corpus %s: %w", c.Name, err)
	}
	if err := audio.WriteManifest(manifest, entries, false); err != nil {
		return "", fmt.Errorf("corpus %s: %w", c.Name, err)
	}
	return manifest, nil
}

// record checks the options and fills in the defaults.
func (o Options) record(c Culture) (record, error) {
	if o.Seconds == 0 {
		o.Seconds = 4
	}
	if o.Train == 0 && o.Valid == 0 && o.Test == 0 {
		o.Train, o.Valid, o.Test = 200, 60, 140
	}
	switch {
	case c.modes == nil:
		return record{}, errors.New("corpus: a zero Culture; take one from Cultures")
	case o.Train < 0 || o.Valid < 0 || o.Test < 0:
		return record{}, fmt.Errorf("corpus %s: %d train, %d valid, %d test clips, want none negative", c.Name, o.Train, o.Valid, o.Test)
	case !(o.Seconds >= .1 && o.Seconds <= 600): // NaN too
		return record{}, fmt.Errorf("corpus %s: clips of %g s, want 0.1 to 600", c.Name, o.Seconds)
	}
	return record{Schema: 1, Synthesis: synthesis, Culture: c.Name, Seed: o.Seed,
		Seconds: math.Round(o.Seconds*rate) / rate, Train: o.Train, Valid: o.Valid, Test: o.Test}, nil
}

// split names the split of clip i.
func (r record) split(i int) string {
	switch {
	case i < r.Train:
		return "train"
	case i < r.Train+r.Valid:
		return "valid"
	}
	return "test"
}

// prepare makes the folder ready for the wanted corpus. complete means that it
// is there already.
func prepare(home, manifest string, want record) (complete bool, err error) {
	note := filepath.Join(home, "corpus.json")
	sound := filepath.Join(home, "audio")
	text, err := json.MarshalIndent(want, "", "  ")
	if err != nil {
		return false, err
	}
	text = append(text, '\n')
	switch have, err := os.ReadFile(note); {
	case err == nil && bytes.Equal(have, text):
		_, err := os.Stat(manifest)
		if err == nil {
			return true, nil
		}
		return false, os.MkdirAll(sound, 0o755)
	case err == nil: // another corpus of ours
		if err := os.Remove(manifest); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		if err := os.RemoveAll(sound); err != nil {
			return false, err
		}
	case errors.Is(err, fs.ErrNotExist):
		for _, path := range []string{manifest, sound} {
			if _, err := os.Stat(path); err == nil {
				return false, fmt.Errorf("%s: %w, but no corpus.json beside it: not made here", path, fs.ErrExist)
			}
		}
	default:
		return false, err
	}
	if err := os.MkdirAll(sound, 0o755); err != nil {
		return false, err
	}
	return false, checkpoint.WriteFile(note, text, true)
}

// each calls work for 0 to n-1 on GOMAXPROCS goroutines and returns the error of
// the lowest index that failed, or that of ctx.
func each(ctx context.Context, n int, progress func(done, total int), work func(i int) error) error {
	var (
		next   atomic.Int64
		wait   sync.WaitGroup
		mu     sync.Mutex
		done   int
		failed = n
		first  error
	)
	for range min(runtime.GOMAXPROCS(0), n) {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return
				}
				err := work(i)
				mu.Lock()
				if err != nil {
					if i < failed {
						failed, first = i, err
					}
					next.Store(int64(n))
				} else if done++; progress != nil {
					progress(done, n)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if first == nil {
		return ctx.Err()
	}
	return first
}
