package adapt

import (
	"fmt"

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
	start, end := int(e.Start*audio.SampleRate), f.Frames
	if e.End > 0 {
		end = int(e.End * audio.SampleRate)
	}
	if end > f.Frames || start >= end {
		return Recording{}, fmt.Errorf("%w: %s: the row asks for %.2f to %.2f s, the file has %.2f s", audio.ErrInvalid, e.Path,
			e.Start, e.End, float64(f.Frames)/audio.SampleRate)
	}
	return Recording{ID: e.ID, Path: e.Path, Start: start, Len: end - start}, nil
}

// Seconds is the corpus's duration.
func (c *Corpus) Seconds() float64 {
	var samples int
	for _, r := range c.Recordings {
		samples += r.Len
	}
	return float64(samples) / audio.SampleRate
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
