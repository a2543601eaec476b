// Package audio reads and writes the recordings that encoders are trained and probed on: mono, 24 kHz, float32.
//
// Start with [Open] for random access by [File.ReadAt], or with [Read] for a whole file; [Options] choose another rate or another way
// to resample. Lists of recordings with their crops, splits and tags are manifests: [ReadManifest], [WriteManifest], and
// [Entry.Read] for the samples of one entry. [WriteWAV] writes 16-bit mono files. [Resampler] changes the rate of any stream.
//
// WAV, FLAC, MP3 and Opus are decoded here, every other container by the program ffmpeg where it is on PATH; resampling is
// band-limited, or torchaudio's, see [Resampling].
//
// Conventions: samples are float32 with full scale at ±1; integer formats divide by 2^(bits-1), 8-bit WAV is
// unsigned around 128. Several channels are mixed to one by their mean. A frame is one sample of every channel.
package audio

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// SampleRate is the rate that recordings are read at unless [Options] say otherwise, in Hz.
const SampleRate = 24000

// ErrInvalid reports an input that is corrupt or unsupported, or a manifest that breaks a rule.
var ErrInvalid = errors.New("invalid audio input")

// Options say how recordings are read. The zero value reads at SampleRate by Kaiser.
type Options struct {
	Rate       int        // Hz; 0 is SampleRate
	Resampling Resampling // "" is Kaiser; it touches only files of another rate
}

// File is an open recording. Its methods are safe for concurrent use, except Close.
type File struct {
	Rate   int // Hz; what ReadAt gives
	Frames int // length in samples at Rate

	SourceRate   int // Hz; as stored
	SourceFrames int // length in samples of one channel at SourceRate
	Channels     int // as stored; ReadAt mixes them to one

	// Spooled tells that Open had ffmpeg decode the whole recording: what reads a little here and there had better convert it first.
	Spooled bool

	path  string
	body  body
	index any // what Open walked over the file for, nil for formats without: see Pool
}

// body decodes frames [start, start+len(dst)), which lie inside the file, to mono.
type body interface {
	readAt(dst []float32, start int) error
	close() error
}

// stored is a body with what its header says.
type stored struct {
	body
	rate, channels, frames int

	spooled bool
	index   any // *mp3Index or *opusIndex: makes opening the same file again cheap
}

// Open opens a recording by the options' zero value; see [Options.Open].
func Open(path string) (*File, error) { return Options{}.Open(path) }

// Open opens a recording. The format is told by the first bytes, not by the name:
//
//   - WAV (PCM of 8, 16, 24 or 32 bits, 32- or 64-bit float, plain or extensible) is read where ReadAt asks;
//   - FLAC is searched by bisection for the block that ReadAt asks for, and decoded from there;
//   - MP3 (layer III of MPEG-1 and MPEG-2) and Opus in Ogg are walked over once by Open, which finds a cut or damaged file, and decoded
//     near the place that ReadAt asks for. What the encoder put before and after the recording is left out, as LAME's tag and
//     Opus's header say;
//   - anything else goes through the program ffmpeg, when it is on PATH: Open decodes the whole recording into a temporary file (4
//     bytes a sample), which Close removes.
//
// An open file holds a few blocks and, when it is resampled, a kernel; whatever is read of it and in whatever order, the samples are
// those of the whole file's.
//
// Errors wrap [ErrInvalid] for a file that cannot be used (a container that needs ffmpeg where there is none, no samples, broken or
// truncated data) and fs.ErrNotExist for one that is missing.
func (o Options) Open(path string) (*File, error) { return o.openAgain(path, nil) }

// openAgain is Open of a file whose index is known.
func (o Options) openAgain(path string, known *keptIndex) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open audio: %w", err)
	}
	out, err := o.open(path, f, known)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

func (o Options) open(path string, f *os.File, known *keptIndex) (*File, error) {
	method, err := ParseResampling(string(o.Resampling))
	if err != nil {
		return nil, err
	}
	rate := o.Rate
	if rate == 0 {
		rate = SampleRate
	}
	if err := checkRate(rate); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: got a %s, want a regular file", ErrInvalid, kindOf(info.Mode()))
	}
	s, err := decoder(path, f, info.Size(), known.of(info))
	if err != nil {
		return nil, err
	}
	if s.frames == 0 {
		err = fmt.Errorf("%w: no samples", ErrInvalid)
	} else {
		err = checkRate(s.rate)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	out := &File{path: path, Rate: rate, Frames: s.frames, SourceRate: s.rate, SourceFrames: s.frames, Channels: s.channels,
		Spooled: s.spooled, body: s.body, index: s.index}
	if rate != s.rate {
		r := newResampled(s.body, s.frames, method, s.rate, rate)
		out.body, out.Frames = r, r.p.length(s.frames)
	}
	return out, nil
}

// decoder chooses the body by the file's first bytes. The index is one that was made of the same file, or nil.
func decoder(path string, f *os.File, size int64, index any) (stored, error) {
	switch x := index.(type) {
	case *mp3Index:
		return storedMP3(f, x), nil
	case *opusIndex:
		return storedOpus(f, x, size), nil
	}
	start, err := skipID3(f, size)
	if err != nil {
		return stored{}, err
	}
	head := make([]byte, 64)
	n, err := f.ReadAt(head, start)
	if err != nil && !errors.Is(err, io.EOF) {
		return stored{}, err
	}
	switch format := sniff(head[:n]); {
	case format == "WAV":
		w, err := parseWAV(f, size)
		return stored{body: &wavBody{wavFormat: w, r: f, c: f}, rate: w.rate, channels: w.channels, frames: w.frames}, err
	case format == "FLAC":
		return openFLAC(f, start, size)
	case format == "Opus":
		return openOpus(path, f, size)
	case format == "MP3" || start > 0 && format == "an unknown container":
		s, err := openMP3(f, start, size)
		if !errors.Is(err, errForFFmpeg) {
			return s, err
		}
		return openFFmpeg(path, f, size, err)
	case size == 0:
		return stored{}, fmt.Errorf("%w: an empty file", ErrInvalid)
	default:
		return openFFmpeg(path, f, size, fmt.Errorf("got %s", format))
	}
}

func kindOf(m os.FileMode) string {
	if m.IsDir() {
		return "directory"
	}
	return "special file"
}

// ReadAt fills dst with the mono samples [start, start+len(dst)) at f.Rate. A range that leaves the file, samples that are not
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

// Read returns all samples of a file by the options' zero value; see [Options.Read].
func Read(path string) ([]float32, error) { return Options{}.Read(path) }

// Read returns all samples of a file, mixed to mono. Errors are those of [Options.Open] and [File.ReadAt].
func (o Options) Read(path string) ([]float32, error) {
	f, err := o.Open(path)
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
