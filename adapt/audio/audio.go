// Package audio reads and writes the recordings that encoders are trained and probed on: mono, 24 kHz, float32.
//
// Start with [Open] for random access by [File.ReadAt], or with [Read] for a whole file. Lists of recordings with
// their crops, splits and tags are manifests: [ReadManifest], [WriteManifest], and [Entry.Read] for the samples
// of one entry. [WriteWAV] writes 16-bit mono files.
//
// Conventions: samples are float32 with full scale at ±1; integer formats divide by 2^(bits-1), 8-bit WAV is
// unsigned around 128. Several channels are mixed to one by their mean. A frame is one sample of every channel.
// The only sample rate is [SampleRate]; another rate is an error, never a silent change of pitch.
package audio

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// SampleRate is the rate of every recording, in Hz.
const SampleRate = 24000

// ErrInvalid reports an input that is corrupt, unsupported, at a wrong rate, or a manifest that breaks a rule.
var ErrInvalid = errors.New("invalid audio input")

// File is an open recording. Its methods are safe for concurrent use, except Close.
type File struct {
	Rate     int // Hz; always SampleRate
	Channels int // as stored; ReadAt mixes them to one
	Frames   int // length in samples of one channel

	path string
	body body
}

// body decodes frames [start, start+len(dst)), which lie inside the file, to mono.
type body interface {
	readAt(dst []float32, start int) error
	close() error
}

// Open opens a WAV file (PCM of 8, 16, 24 or 32 bits, 32-bit float, plain or extensible) or a FLAC file. The format
// is told by the first bytes, not by the name. A WAV file is not decoded here and is read where ReadAt asks; a FLAC
// file is decoded whole by the first ReadAt and its mono samples are held until Close, 4 bytes a sample.
//
// Errors wrap [ErrInvalid] for a file that cannot be used (another container, a rate other than SampleRate, no
// samples, broken or truncated data) and fs.ErrNotExist for one that is missing.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open audio: %w", err)
	}
	out, err := open(path, f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

func open(path string, f *os.File) (*File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: got a %s, want a regular file", ErrInvalid, kindOf(info.Mode()))
	}
	var head [12]byte
	n, err := f.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	out := &File{path: path}
	switch format := sniff(head[:n]); format {
	case "WAV":
		w, err := parseWAV(f, info.Size())
		if err != nil {
			return nil, err
		}
		out.Rate, out.Channels, out.Frames = w.rate, w.channels, w.frames
		out.body = &wavBody{wavFormat: w, r: f, c: f}
	case "FLAC":
		b, err := openFLAC(f, info.Size())
		if err != nil {
			return nil, err
		}
		out.Rate, out.Channels, out.Frames = b.rate, b.channels, b.frames
		out.body = b
	default:
		return nil, fmt.Errorf("%w: got %s, want WAV or FLAC (convert it, for example: ffmpeg -i in -ar %d out.wav)",
			ErrInvalid, format, SampleRate)
	}
	if out.Rate != SampleRate {
		return nil, fmt.Errorf("%w: sample rate %d Hz, want %d Hz (resample it, for example: ffmpeg -i in.wav -ar %d out.wav)",
			ErrInvalid, out.Rate, SampleRate, SampleRate)
	}
	if out.Frames == 0 {
		return nil, fmt.Errorf("%w: no samples", ErrInvalid)
	}
	return out, nil
}

func kindOf(m os.FileMode) string {
	if m.IsDir() {
		return "directory"
	}
	return "special file"
}

// sniff names the container that starts with head, for messages; only WAV and FLAC are read.
func sniff(head []byte) string {
	has := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	switch {
	case has(0, "RIFF") && has(8, "WAVE"):
		return "WAV"
	case has(0, "fLaC"):
		return "FLAC"
	case len(head) == 0:
		return "an empty file"
	case has(0, "RIFF"):
		return "a RIFF file that is not WAVE"
	case has(0, "RF64"), has(0, "BW64"):
		return "a 64-bit WAV (RF64)"
	case has(0, "RIFX"):
		return "a big-endian WAV (RIFX)"
	case has(0, "OggS"):
		return "Ogg (Vorbis or Opus)"
	case has(0, "FORM"):
		return "AIFF"
	case has(4, "ftyp"):
		return "MP4 or M4A"
	case has(0, "ID3"), len(head) > 1 && head[0] == 0xff && head[1]&0xe0 == 0xe0:
		return "MP3 or a tagged stream"
	case has(0, "\x1a\x45\xdf\xa3"):
		return "Matroska or WebM"
	}
	return "an unknown container"
}

// ReadAt fills dst with the mono samples [start, start+len(dst)). A range that leaves the file, samples that are not
// finite, and data that does not decode are errors that wrap [ErrInvalid]; dst is then unspecified.
func (f *File) ReadAt(dst []float32, start int) error {
	if start < 0 || start > f.Frames || len(dst) > f.Frames-start {
		return fmt.Errorf("%s: %w: samples [%d, %d) asked, the file has %d", f.path, ErrInvalid, start, start+len(dst), f.Frames)
	}
	if len(dst) == 0 {
		return nil
	}
	if err := f.body.readAt(dst, start); err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return nil
}

// Seconds returns the length in seconds.
func (f *File) Seconds() float64 { return float64(f.Frames) / float64(f.Rate) }

// Close releases the file. Later reads fail.
func (f *File) Close() error { return f.body.close() }

// Read returns all samples of a file, mixed to mono. Errors are those of [Open] and [File.ReadAt].
func Read(path string) ([]float32, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	samples := make([]float32, f.Frames)
	if err := f.ReadAt(samples, 0); err != nil {
		return nil, err
	}
	return samples, nil
}
