package adapt

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"

	"syncretic/adapt/audio"
)

// Corpus is the audio of one tradition: recordings, or the parts of recordings that a manifest's rows name.
type Corpus struct {
	Name       string
	Replay     bool
	Recordings []Recording
	weight     float64
}

// Recording is one manifest row with its place in its file, in samples at 24 kHz.
type Recording struct {
	ID    string // as the manifest spells it
	Path  string
	Start int
	Len   int
}

// OpenCorpus reads a manifest and the header of every file that it names, so that what is missing, empty or of another rate
// is known before anything is computed.
func OpenCorpus(cfg CorpusConfig) (*Corpus, error) {
	split := cfg.Split
	if split == "" {
		split = "train"
	}
	entries, err := audio.ReadManifest(cfg.Manifest)
	if err != nil {
		return nil, fmt.Errorf("corpus %s: %w", cfg.Name, err)
	}
	c := &Corpus{Name: cfg.Name, Replay: cfg.Replay, weight: cfg.Weight}
	for _, e := range entries {
		if e.Split != split {
			continue
		}
		r, err := openRecording(e)
		if err != nil {
			return nil, fmt.Errorf("corpus %s: %w", cfg.Name, err)
		}
		c.Recordings = append(c.Recordings, r)
	}
	if len(c.Recordings) == 0 {
		return nil, fmt.Errorf("%w: corpus %s: %s has no row of split %q", audio.ErrInvalid, cfg.Name, cfg.Manifest, split)
	}
	if c.weight == 0 {
		c.weight = c.Seconds()
	}
	return c, nil
}

func openRecording(e audio.Entry) (Recording, error) {
	f, err := audio.Open(e.Path)
	if err != nil {
		return Recording{}, err
	}
	defer f.Close()
	start, n, err := e.Range(f.Frames)
	if err != nil {
		return Recording{}, err
	}
	return Recording{ID: e.ID, Path: e.Path, Start: start, Len: n}, nil
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

// hash names the recordings: their names, places and lengths, in order.
func (c *Corpus) hash() string {
	h := sha256.New()
	for _, r := range c.Recordings {
		fmt.Fprintf(h, "%q %d %d\n", r.ID, r.Start, r.Len)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Read fills dst with the recording's samples from the given one on.
func (r Recording) Read(dst []float32, from int) error {
	f, err := audio.Open(r.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.ReadAt(dst, r.Start+from)
}
