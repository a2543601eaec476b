package audio

import (
	"bufio"
	"crypto/md5"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"sync"

	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"
)

// flacBody holds a FLAC file, decoded whole by the first read.
type flacBody struct {
	rate, channels, frames int

	mu      sync.Mutex
	f       io.ReadSeekCloser
	decoded bool
	samples []float32
	err     error
}

// maxFLAC bounds a decoded stream, in samples: 12 hours, 4 GiB of float32. A few bytes of FLAC can stand for any length of
// silence, so the length of the file bounds nothing.
const maxFLAC = 1 << 30

// plausible is the most samples a byte of FLAC stands for, outside silence.
const plausible = 64

// openFLAC reads the stream header. A stream that does not know its length, or promises more than its size makes likely,
// is decoded here, so that Frames is a number that callers can allocate by.
func openFLAC(f io.ReadSeekCloser, size int64) (*flacBody, error) {
	info, _, err := newStream(f)
	if err != nil {
		return nil, err
	}
	if info.NSamples > maxFLAC {
		return nil, fmt.Errorf("%w: FLAC header says %d samples, want at most %d", ErrInvalid, info.NSamples, maxFLAC)
	}
	if info.BitsPerSample > 24 || info.NChannels == 0 {
		return nil, fmt.Errorf("%w: FLAC of %d bits and %d channels, want at most 24 bits", ErrInvalid, info.BitsPerSample, info.NChannels)
	}
	b := &flacBody{rate: int(info.SampleRate), channels: int(info.NChannels), frames: int(info.NSamples), f: f}
	if (b.frames == 0 || int64(b.frames) > plausible*size) && b.rate == SampleRate {
		if err := b.load(); err != nil {
			return nil, err
		}
		b.frames = len(b.samples)
	}
	return b, nil
}

// newStream parses the header of f from its start and leaves the reader at the first frame. Metadata other than the
// stream information is skipped unread, so that no length in it is trusted.
func newStream(f io.ReadSeeker) (info *meta.StreamInfo, r *bufio.Reader, err error) {
	defer recoverFLAC(&err)
	if _, err := f.Seek(int64(len("fLaC")), io.SeekStart); err != nil {
		return nil, nil, err
	}
	r = bufio.NewReaderSize(f, 64<<10)
	block, err := meta.Parse(r)
	if err != nil {
		return nil, nil, errFLAC("header", err)
	}
	info, ok := block.Body.(*meta.StreamInfo)
	if !ok {
		return nil, nil, fmt.Errorf("%w: FLAC header: first metadata block of type %v, want the stream information", ErrInvalid, block.Type)
	}
	for !block.IsLast {
		block, err = meta.New(r)
		if err != nil && !errors.Is(err, meta.ErrReservedType) {
			return nil, nil, errFLAC("metadata", err)
		}
		if err := block.Skip(); err != nil {
			return nil, nil, errFLAC("metadata", err)
		}
	}
	return info, r, nil
}

// recoverFLAC turns a panic of the decoder over broken data into an error.
func recoverFLAC(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: FLAC data: %v", ErrInvalid, r)
	}
}

func (b *flacBody) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.samples, b.decoded, b.err = nil, true, os.ErrClosed
	return b.f.Close()
}

func (b *flacBody) readAt(dst []float32, start int) error {
	b.mu.Lock()
	err := b.load()
	samples := b.samples
	b.mu.Unlock()
	if err != nil {
		return err
	}
	copy(dst, samples[start:])
	return nil
}

// load decodes the stream once and remembers the samples or the error.
func (b *flacBody) load() error {
	if !b.decoded {
		b.decoded = true
		b.samples, b.err = b.decode()
	}
	return b.err
}

// decode reads all frames and checks their count and, where the file carries one, the MD5 sum of its samples.
func (b *flacBody) decode() (samples []float32, err error) {
	defer recoverFLAC(&err)
	info, r, err := newStream(b.f)
	if err != nil {
		return nil, err
	}
	frames := &flacFrames{r: r}
	sum := md5.New()
	for {
		if len(samples) > maxFLAC || b.frames > 0 && len(samples) > b.frames {
			return nil, fmt.Errorf("%w: more FLAC samples than the header's %d, or than %d", ErrInvalid, b.frames, maxFLAC)
		}
		fr, err := frames.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: FLAC data after sample %d: %w", ErrInvalid, len(samples), err)
		}
		if len(fr.Subframes) != b.channels || fr.BitsPerSample != info.BitsPerSample {
			return nil, fmt.Errorf("%w: FLAC frame at sample %d has %d channels of %d bits, the header says %d of %d",
				ErrInvalid, len(samples), len(fr.Subframes), fr.BitsPerSample, b.channels, info.BitsPerSample)
		}
		if samples, err = appendFLAC(samples, fr, int(info.BitsPerSample), sum); err != nil {
			return nil, err
		}
	}
	if b.frames > 0 && len(samples) != b.frames {
		return nil, fmt.Errorf("%w: truncated: %d FLAC samples, the header says %d", ErrInvalid, len(samples), b.frames)
	}
	want := info.MD5sum
	if got := [md5.Size]byte(sum.Sum(nil)); want != [md5.Size]byte{} && got != want {
		return nil, fmt.Errorf("%w: FLAC samples have MD5 %x, the header says %x", ErrInvalid, got, want)
	}
	return samples, nil
}

// appendFLAC mixes one decoded frame to mono and adds its samples, as FLAC defines it, to the MD5 sum.
func appendFLAC(samples []float32, fr *frame.Frame, bits int, sum hash.Hash) ([]float32, error) {
	n, width := len(fr.Subframes[0].Samples), (bits+7)/8
	for _, sub := range fr.Subframes {
		if len(sub.Samples) != n {
			return nil, fmt.Errorf("%w: FLAC subframes of %d and %d samples in one block", ErrInvalid, n, len(sub.Samples))
		}
	}
	raw := make([]byte, 0, n*len(fr.Subframes)*width)
	scale := 1 / (float64(len(fr.Subframes)) * math.Exp2(float64(bits-1)))
	for i := range n {
		var total int64
		for _, sub := range fr.Subframes {
			v := sub.Samples[i]
			total += int64(v)
			for b := range width {
				raw = append(raw, byte(v>>(8*b)))
			}
		}
		samples = append(samples, float32(float64(total)*scale))
	}
	sum.Write(raw)
	return samples, nil
}
