package adapt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

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
	skipBad    bool
	census     census
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
	spooled    bool        // by ffmpeg, whenever the file is opened
}

// openFiles is how many files of a corpus stay open between two crops.
const openFiles = 32

// AllSplits is the split of a corpus that takes every row of its manifest.
const AllSplits = "*"

// selection says which of a corpus's recordings a run takes.
type selection struct {
	seed     uint64       // of the order in which Hours takes them
	samples  int          // of a crop: shorter recordings do not count as hours
	exclude  []*exclusion // besides the corpus's own
	noVerify bool         // take SkipBad's word for what a header says
}

// OpenCorpus reads a manifest, or lists a folder, and reads the header of every file in it, so that what is missing, empty or of an
// unknown format is known before anything is computed. With SkipBad it decodes every file, and leaves out and names those that cannot be
// read. What Exclude names is left out; of the rest, Hours takes as much (see CorpusConfig).
func OpenCorpus(cfg CorpusConfig) (*Corpus, error) {
	return openCorpus(context.Background(), cfg, selection{})
}

func openCorpus(ctx context.Context, cfg CorpusConfig, sel selection) (*Corpus, error) {
	fail := func(err error) (*Corpus, error) { return nil, fmt.Errorf("corpus %s: %w", cfg.Name, err) }
	rows, split, err := rowsOf(cfg)
	if err != nil {
		return fail(err)
	}
	own, err := openExclusions(cfg.Exclude)
	if err != nil {
		return fail(err)
	}
	c := &Corpus{Name: cfg.Name, Replay: cfg.Replay, weight: cfg.Weight, skipBad: cfg.SkipBad}
	c.census.exclusions = own
	options := audio.Options{Resampling: cfg.Resampler}
	c.files = audio.NewPool(options, openFiles)
	defer func() {
		if err != nil {
			err = errors.Join(err, c.files.Close())
		}
	}()
	kept := excluded(rows, split, append(own, sel.exclude...), &c.census)
	if len(kept) == 0 {
		why := ""
		if c.census.Excluded > 0 {
			why = fmt.Sprintf(" that is not excluded (%d are)", c.census.Excluded)
		}
		err = fmt.Errorf("%w: %s has no row of split %q%s", audio.ErrInvalid, cfg.Manifest, split, why)
		return fail(err)
	}
	found, err := c.open(ctx, kept, options)
	if err != nil {
		return fail(err)
	}
	if err = c.choose(ctx, found, cfg, sel, options); err != nil {
		return fail(err)
	}
	if len(c.Recordings) == 0 && len(c.Skipped) > 0 {
		err = fmt.Errorf("%w: %s has no row of split %q that can be read; %d left out, the first: %s", audio.ErrInvalid,
			cfg.Manifest, split, len(c.Skipped), c.Skipped[0].Reason)
		return fail(err)
	}
	if c.weight == 0 {
		c.weight = c.Seconds()
	}
	return c, nil
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
