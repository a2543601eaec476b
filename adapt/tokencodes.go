package adapt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"syncretic/adapt/audio"
	"syncretic/adapt/tokens"
	"syncretic/checkpoint"
)

// tokenCodes are codes that were computed before, of whole recordings: EnCodec's, which depend on all that came before them, so that a
// clip's are cut out of its recording's, as MERT does it.
type tokenCodes struct {
	set         *tokens.Set
	books, size int
	hop         int // samples from frame to frame

	mu   sync.Mutex
	sums map[string]string // SHA-256 by file
}

// openTokens opens what cfg.Tokens names and checks that every recording of the corpora has its codes there, without reading any.
func openTokens(cfg TeacherConfig, hop int, corpora []*Corpus) (_ *tokenCodes, err error) {
	set, err := tokens.Open(cfg.Tokens)
	if err != nil {
		return nil, fmt.Errorf("teacher.tokens: %w", err)
	}
	t := &tokenCodes{set: set, books: cfg.Codebooks, size: cfg.Size, hop: hop, sums: map[string]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, set.Close())
		}
	}()
	var first *tokens.Codes
	for _, c := range corpora {
		for _, r := range c.Recordings {
			codes, err := t.open(r)
			if err != nil {
				return nil, fmt.Errorf("teacher.tokens: %w", err)
			}
			codes.Close()
			if first == nil {
				first = codes
			}
			if a, b := first.Origin, codes.Origin; a.Model != b.Model || a.Size != b.Size {
				return nil, fmt.Errorf("teacher.tokens: %w: the codes in %s are of model %.12s, %d a codebook, those in %s of %.12s, %d", tokens.ErrInvalid,
					first.Path, a.Model, a.Size, codes.Path, b.Model, b.Size)
			}
		}
	}
	if first != nil && first.Origin.Size > 0 {
		t.size = first.Origin.Size
	}
	if t.size > maxCodebook {
		return nil, fmt.Errorf("teacher.tokens: %s: %w: codebooks of %d, want at most %d", cfg.Tokens, tokens.ErrInvalid, t.size, maxCodebook)
	}
	return t, nil
}

// open opens the codes of the file that a recording is in, and checks that they are what this teacher needs and of that file.
func (t *tokenCodes) open(r Recording) (*tokens.Codes, error) {
	c, err := t.set.Of(r.Path)
	if err != nil {
		return nil, err
	}
	o := c.Origin
	refuse := func(format string, args ...any) (*tokens.Codes, error) {
		c.Close()
		return nil, fmt.Errorf("%s: %w: %s", c.Path, tokens.ErrInvalid, fmt.Sprintf(format, args...))
	}
	switch want := (r.file + t.hop - 1) / t.hop; {
	case c.Codebooks < t.books:
		return refuse("%d codebooks, want %d (teacher.codebooks)", c.Codebooks, t.books)
	case o.FrameRate > 0 && o.FrameRate*t.hop != audio.SampleRate:
		return refuse("%d frames a second, want %g, those of the spectrum", o.FrameRate, float64(audio.SampleRate)/float64(t.hop))
	case c.Frames != want:
		return refuse("%d frames, but %s of %g s has %d: they are another recording's", c.Frames, r.Path, float64(r.file)/audio.SampleRate, want)
	case o.Resampler != "" && r.rate != audio.SampleRate && o.Resampler != r.resampling.Settings():
		return refuse("made of audio resampled by %s; the recipe reads %s, which is at %d Hz, by %s", method(o.Resampler), r.Path, r.rate, method(r.resampling.Settings()))
	}
	return c, nil
}

// method is a resampler's name without its settings.
func method(settings string) string {
	name, _, _ := strings.Cut(settings, " ")
	return name
}

// start is the frame of the file nearest to a recording's start: with MERT, round(s·75/24000), halves to even, so that codes are up to
// half a frame beside the audio of a row that does not start on a frame.
func (t *tokenCodes) start(r Recording) int {
	return int(math.RoundToEven(float64(r.Start) / float64(t.hop)))
}

// frames is how many frames the file has from the recording's start on.
func (t *tokenCodes) frames(r Recording) int { return max(0, (r.file+t.hop-1)/t.hop-t.start(r)) }

// read returns the codes of some of a recording's frames, [codebook][frame].
func (t *tokenCodes) read(r Recording, first, frames int) ([][]int32, error) {
	c, err := t.open(r)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	codes := make([][]int32, t.books)
	for q := range codes {
		codes[q] = make([]int32, frames)
		if err := c.Read(q, t.start(r)+first, t.size, codes[q]); err != nil {
			return nil, err
		}
	}
	return codes, nil
}

// hashes are the SHA-256 of the files that hold the codes of a corpus's recordings, in their order.
func (t *tokenCodes) hashes(ctx context.Context, c *Corpus) ([]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	files := make([]string, len(c.Recordings))
	var fresh []string
	for i, r := range c.Recordings {
		var err error
		if files[i], err = t.set.File(r.Path); err != nil {
			return nil, err
		}
		if _, known := t.sums[files[i]]; !known {
			t.sums[files[i]] = ""
			fresh = append(fresh, files[i])
		}
	}
	sums, err := checkpoint.HashFiles(ctx, fresh, "")
	for i, f := range fresh {
		if err != nil {
			delete(t.sums, f)
			continue
		}
		t.sums[f] = sums[i]
	}
	if err != nil {
		return nil, err
	}
	for i, f := range files {
		files[i] = t.sums[f]
	}
	return files, nil
}
