package adapt

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"syncretic/adapt/audio"
)

// Corpus is the audio of one tradition: recordings, or the parts of recordings that a manifest's rows name.
type Corpus struct {
	Name       string
	Replay     bool
	Recordings []Recording
	Skipped    []audio.Skipped // recordings that cannot be read, where the recipe asks to leave them out
	weight     float64
	files      *audio.Pool
}

// Recording is one manifest row with its place in its file, in samples at 24 kHz.
type Recording struct {
	ID    string // as the manifest spells it
	Path  string
	Start int
	Len   int

	file       int // samples of the whole file, at 24 kHz
	rate       int // Hz, of the file as stored
	resampling audio.Resampling
	files      *audio.Pool // of the corpus
}

// openFiles is how many files of a corpus stay open between two crops.
const openFiles = 32

// AllSplits is the split of a corpus that takes every row of its manifest.
const AllSplits = "*"

// OpenCorpus reads a manifest and the header of every file that it names, so that what is missing, empty or of an unknown format
// is known before anything is computed. With SkipBad it decodes every file, and leaves out and names those that cannot be read.
func OpenCorpus(cfg CorpusConfig) (*Corpus, error) {
	split := cfg.Split
	if split == "" {
		split = "train"
	}
	entries, err := entriesOf(cfg.Manifest, split)
	if err != nil {
		return nil, fmt.Errorf("corpus %s: %w", cfg.Name, err)
	}
	c := &Corpus{Name: cfg.Name, Replay: cfg.Replay, weight: cfg.Weight}
	options := audio.Options{Resampling: cfg.Resampler}
	c.files = audio.NewPool(options, openFiles)
	bad := map[string]bool{} // by path: whether it cannot be read
	for _, e := range entries {
		if split != AllSplits && e.Split != split {
			continue
		}
		if cfg.SkipBad {
			if c.leaveOut(e.Path, options, bad); bad[e.Path] {
				continue
			}
		}
		r, err := openRecording(e, options)
		if err != nil {
			return nil, fmt.Errorf("corpus %s: %w", cfg.Name, err)
		}
		r.files = c.files
		c.Recordings = append(c.Recordings, r)
	}
	if len(c.Recordings) == 0 && len(c.Skipped) > 0 {
		return nil, fmt.Errorf("%w: corpus %s: %s has no row of split %q that can be read; %d left out, the first: %s", audio.ErrInvalid, cfg.Name,
			cfg.Manifest, split, len(c.Skipped), c.Skipped[0].Reason)
	}
	if len(c.Recordings) == 0 {
		return nil, fmt.Errorf("%w: corpus %s: %s has no row of split %q", audio.ErrInvalid, cfg.Name, cfg.Manifest, split)
	}
	if c.weight == 0 {
		c.weight = c.Seconds()
	}
	return c, nil
}

// entriesOf reads a manifest or, where no split is asked for, lists a folder.
func entriesOf(path, split string) ([]audio.Entry, error) {
	if info, err := os.Stat(path); split == AllSplits && err == nil && info.IsDir() {
		return folderEntries(path)
	}
	return audio.ReadManifest(path)
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

// leaveOut adds a file that cannot be read to Skipped, once.
func (c *Corpus) leaveOut(path string, o audio.Options, bad map[string]bool) {
	if _, seen := bad[path]; seen {
		return
	}
	err := o.Verify(path)
	if bad[path] = errors.Is(err, audio.ErrInvalid); bad[path] {
		c.Skipped = append(c.Skipped, audio.Skipped{Path: path, Reason: err.Error()})
	}
}

func openRecording(e audio.Entry, o audio.Options) (Recording, error) {
	f, err := o.Open(e.Path)
	if err != nil {
		return Recording{}, err
	}
	defer f.Close()
	start, n, err := e.Range(f.Frames)
	if err != nil {
		return Recording{}, err
	}
	return Recording{ID: e.ID, Path: e.Path, Start: start, Len: n, file: f.Frames, rate: f.SourceRate, resampling: o.Resampling}, nil
}

// samplesOf is a duration in samples, rounded to the nearest.
func samplesOf(seconds float64) int { return int(math.Round(seconds * audio.SampleRate)) }

// Seconds is the corpus's duration.
func (c *Corpus) Seconds() float64 {
	var samples int
	for _, r := range c.Recordings {
		samples += r.Len
	}
	return float64(samples) / audio.SampleRate
}

// hash names the recordings: their names, places and lengths, in order, and how they are resampled unless that is the default.
func (c *Corpus) hash() string {
	h := sha256.New()
	for _, r := range c.Recordings {
		fmt.Fprintf(h, "%q %d %d%s\n", r.ID, r.Start, r.Len, r.preparation())
	}
	return hex.EncodeToString(h.Sum(nil))
}

// preparation is how the recording is resampled where that is not the default: what tells results apart.
func (r Recording) preparation() string {
	if r.resampling == "" || r.resampling == audio.Kaiser {
		return ""
	}
	return " " + r.resampling.Settings()
}

// Read fills dst with the recording's samples from the given one on.
func (r Recording) Read(dst []float32, from int) error {
	return r.files.ReadAt(r.Path, dst, r.Start+from)
}
