package audio

import (
	"bufio"
	"crypto/md5"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"

	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"
)

// maxFLAC bounds a stream, in samples: 6 hours at 48 kHz. A few bytes of FLAC can stand for any length of silence, so the length of the
// file bounds nothing.
const maxFLAC = 1 << 30

// plausible is the most samples a byte of FLAC stands for, outside silence.
const plausible = 64

// readerAtCloser is an open file.
type readerAtCloser interface {
	io.ReaderAt
	io.Closer
}

// flacReader decodes a FLAC file frame by frame.
type flacReader struct {
	f     readerAtCloser
	size  int64
	info  *meta.StreamInfo
	first int64 // offset of the first frame

	frames  *flacFrames
	pos     int       // the sample that the next frame begins with
	sum     hash.Hash // of all samples so far, when they were decoded from the first on
	pending []float32 // the frame that seek decoded to check its place
	block   []float32
	raw     []byte
}

// openFLAC reads the stream header that begins at an offset. A stream that does not know its length, or promises more than its size
// makes likely, is decoded here once, so that Frames is a number that callers can allocate by.
func openFLAC(f readerAtCloser, at, size int64) (stored, error) {
	r := &flacReader{f: f, size: size}
	if err := r.header(at); err != nil {
		return stored{}, err
	}
	if r.info.NSamples > maxFLAC {
		return stored{}, fmt.Errorf("%w: FLAC header says %d samples, want at most %d", ErrInvalid, r.info.NSamples, maxFLAC)
	}
	if r.info.BitsPerSample > 24 || r.info.NChannels == 0 {
		return stored{}, fmt.Errorf("%w: FLAC of %d bits and %d channels, want at most 24 bits", ErrInvalid, r.info.BitsPerSample, r.info.NChannels)
	}
	r.rewind()
	n := int(r.info.NSamples)
	if n == 0 || int64(n) > plausible*size {
		var err error
		if n, err = r.count(); err != nil {
			return stored{}, err
		}
		r.info.NSamples = uint64(n)
		r.rewind()
	}
	return stored{body: &blocks{far: 1 << 14, r: r}, rate: int(r.info.SampleRate), channels: int(r.info.NChannels), frames: n}, nil
}

// header parses the metadata and finds the first frame. What is not the stream information is skipped unread, so that no length in it
// is trusted.
func (r *flacReader) header(at int64) (err error) {
	defer recoverDecoder("FLAC header", &err)
	s := io.NewSectionReader(r.f, 0, r.size)
	at += int64(len("fLaC"))
	for last := false; !last; {
		if _, err := s.Seek(at, io.SeekStart); err != nil {
			return err
		}
		block, err := meta.New(s)
		if err != nil && !errors.Is(err, meta.ErrReservedType) {
			return errFLAC("header", err)
		}
		switch {
		case r.info == nil && block.Type != meta.TypeStreamInfo:
			return fmt.Errorf("%w: FLAC header: first metadata block of type %v, want the stream information", ErrInvalid, block.Type)
		case r.info == nil:
			if err := block.Parse(); err != nil {
				return errFLAC("header", err)
			}
			r.info = block.Body.(*meta.StreamInfo)
		}
		if at += 4 + block.Length; at > r.size {
			return fmt.Errorf("%w: truncated: FLAC metadata of %d bytes reaches beyond the file's end", ErrInvalid, block.Length)
		}
		last = block.IsLast
	}
	r.first = at
	return nil
}

// recoverDecoder turns a panic of a decoder over broken data into an error.
func recoverDecoder(what string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %s: %v", ErrInvalid, what, r)
	}
}

// errFLAC wraps an error of the decoder.
func errFLAC(what string, err error) error {
	return fmt.Errorf("%w: FLAC %s: %w", ErrInvalid, what, err)
}

func (r *flacReader) close() error { return r.f.Close() }

// start puts the reader at a frame that begins with a sample.
func (r *flacReader) start(offset int64, sample int) {
	r.frames = &flacFrames{r: bufio.NewReaderSize(io.NewSectionReader(r.f, offset, r.size-offset), 32<<10)}
	r.pos, r.sum, r.pending = sample, nil, nil
}

// rewind starts anew from the first frame, from which on all samples can be summed.
func (r *flacReader) rewind() {
	r.start(r.first, 0)
	r.sum = md5.New()
}

// count decodes everything and returns the number of samples.
func (r *flacReader) count() (int, error) {
	for {
		switch _, err := r.next(); {
		case errors.Is(err, io.EOF) && r.pos == 0:
			return 0, fmt.Errorf("%w: no samples", ErrInvalid)
		case errors.Is(err, io.EOF):
			return r.pos, nil
		case err != nil:
			return 0, err
		case r.pos > maxFLAC:
			return 0, fmt.Errorf("%w: more than %d FLAC samples", ErrInvalid, maxFLAC)
		}
	}
}

// next decodes a frame and checks it against the header. Behind the last sample that the header promises the file must end, and the
// MD5 sum of all samples, where they were decoded in one go and the header has one, must agree.
func (r *flacReader) next() (out []float32, err error) {
	if out = r.pending; out != nil {
		r.pending = nil
		return out, nil
	}
	defer recoverDecoder(fmt.Sprintf("FLAC data after sample %d", r.pos), &err)
	total, bits := int(r.info.NSamples), int(r.info.BitsPerSample)
	fr, err := r.frames.next()
	switch {
	case errors.Is(err, io.EOF) && total == 0:
		return nil, io.EOF
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: truncated: %d FLAC samples, the header says %d", ErrInvalid, r.pos, total)
	case err != nil:
		return nil, fmt.Errorf("%w: FLAC data after sample %d: %w", ErrInvalid, r.pos, err)
	case len(fr.Subframes) != int(r.info.NChannels) || int(fr.BitsPerSample) != bits:
		return nil, fmt.Errorf("%w: FLAC frame at sample %d has %d channels of %d bits, the header says %d of %d",
			ErrInvalid, r.pos, len(fr.Subframes), fr.BitsPerSample, r.info.NChannels, bits)
	}
	if at, known := r.sampleOf(fr.HasFixedBlockSize, fr.Num); known && at != r.pos {
		return nil, fmt.Errorf("%w: FLAC frame at sample %d says that it begins at %d", ErrInvalid, r.pos, at)
	}
	if err := r.mix(fr, bits); err != nil {
		return nil, err
	}
	r.pos += len(r.block)
	if total > 0 && r.pos >= total {
		if err := r.end(total); err != nil {
			return nil, err
		}
	}
	return r.block, nil
}

// end checks what can be known when the last sample is there.
func (r *flacReader) end(total int) error {
	if _, err := r.frames.r.Peek(1); r.pos > total || err == nil {
		return fmt.Errorf("%w: more FLAC samples than the header's %d", ErrInvalid, total)
	}
	if want := r.info.MD5sum; r.sum != nil && want != [md5.Size]byte{} {
		if got := [md5.Size]byte(r.sum.Sum(nil)); got != want {
			return fmt.Errorf("%w: FLAC samples have MD5 %x, the header says %x", ErrInvalid, got, want)
		}
	}
	return nil
}

// mix sets the block to the frame mixed to mono and adds the frame, as FLAC defines it, to the MD5 sum.
func (r *flacReader) mix(fr *frame.Frame, bits int) error {
	n, width := len(fr.Subframes[0].Samples), (bits+7)/8
	for _, sub := range fr.Subframes {
		if len(sub.Samples) != n {
			return fmt.Errorf("%w: FLAC subframes of %d and %d samples in one block", ErrInvalid, n, len(sub.Samples))
		}
	}
	if cap(r.block) < n {
		r.block = make([]float32, n)
	}
	r.block = r.block[:n]
	scale := 1 / (float64(len(fr.Subframes)) * math.Exp2(float64(bits-1)))
	for i := range n {
		var total int64
		for _, sub := range fr.Subframes {
			total += int64(sub.Samples[i])
		}
		r.block[i] = float32(float64(total) * scale)
	}
	if r.sum == nil {
		return nil
	}
	r.raw = r.raw[:0]
	for i := range n {
		for _, sub := range fr.Subframes {
			v := sub.Samples[i]
			for b := range width {
				r.raw = append(r.raw, byte(v>>(8*b)))
			}
		}
	}
	r.sum.Write(r.raw)
	return nil
}
