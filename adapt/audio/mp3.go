package audio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	mp3 "github.com/hajimehoshi/go-mp3"
)

// mp3Reader decodes an MP3 file from any frame on.
//
// A frame's main data may begin up to 511 bytes before it, in the space that earlier frames left free, and its first samples overlap
// with those of the two granules before. So decoding begins two frames early, behind a silent frame of our own that carries the main
// data of the frames before those: from there on every sample is bit for bit that of a decoder that began at the start.
type mp3Reader struct {
	f     readerAtCloser
	index *mp3Index
	start int // the recording's first sample among the decoded ones

	decoder *mp3.Decoder
	feed    *mp3Feed
	frame   int // that next returns
	raw     []byte
	block   []float32
}

func openMP3(f readerAtCloser, at, size int64) (stored, error) {
	x, err := indexMP3(f, at, size)
	if err != nil {
		return stored{}, err
	}
	return storedMP3(f, x), nil
}

func storedMP3(f readerAtCloser, x *mp3Index) stored {
	start, end := x.info.trim(x.frames.len(), x.head.samples())
	return stored{body: &blocks{far: 1 << 13, r: &mp3Reader{f: f, index: x, start: start}}, rate: x.head.rate, channels: x.head.channels,
		frames: end - start, index: x}
}

func (r *mp3Reader) close() error { return r.f.Close() }

// mp3Lead is the number of frames that are decoded before the first one that counts: two granules, which are two frames of MPEG-2.
const mp3Lead = 2

func (r *mp3Reader) seek(sample int) (first int, err error) {
	spf := r.index.head.samples()
	r.frame = (sample + r.start) / spf
	from := max(0, r.frame-mp3Lead)
	skip := r.frame - from
	r.feed = &mp3Feed{r: r.f, index: r.index, next: from}
	if from > 0 {
		if err := r.feed.prime(); err != nil {
			return 0, err
		}
		skip++
	}
	defer recoverDecoder(fmt.Sprintf("MP3 frame at byte %d", r.index.frames.at(from)), &err)
	if r.decoder, err = mp3.NewDecoder(r.feed); err != nil {
		return 0, r.failed(err)
	}
	for range skip {
		if err := r.decode(); err != nil {
			return 0, err
		}
	}
	return r.frame*spf - r.start, nil
}

// next decodes a frame. The decoder gives 16-bit stereo, truncated from a full scale of 32767, mono on both channels.
func (r *mp3Reader) next() (out []float32, err error) {
	if r.frame >= r.index.frames.len() {
		return nil, fmt.Errorf("%w: the data ends with MP3 frame %d", ErrInvalid, r.frame)
	}
	defer recoverDecoder(fmt.Sprintf("MP3 frame at byte %d", r.index.frames.at(r.frame)), &err)
	if err := r.decode(); err != nil {
		return nil, err
	}
	r.frame++
	r.block = r.block[:0]
	for b := r.raw; len(b) >= 4; b = b[4:] {
		sum := int32(int16(binary.LittleEndian.Uint16(b))) + int32(int16(binary.LittleEndian.Uint16(b[2:])))
		r.block = append(r.block, float32(float64(sum)/(2*32767)))
	}
	return r.block, nil
}

// decode reads one frame's samples from the decoder into raw.
func (r *mp3Reader) decode() error {
	if n := 4 * r.index.head.samples(); len(r.raw) != n {
		r.raw = make([]byte, n)
	}
	if _, err := io.ReadFull(r.decoder, r.raw); err != nil {
		return r.failed(err)
	}
	return nil
}

// failed says where the decoder stopped.
func (r *mp3Reader) failed(err error) error {
	if r.feed.err != nil {
		return r.feed.err
	}
	at := r.index.frames.at(max(0, min(r.feed.next, r.index.frames.len())-1))
	return fmt.Errorf("%w: MP3 frame at byte %d: %w", ErrInvalid, at, err)
}

// mp3Feed hands the decoder one whole frame after another.
type mp3Feed struct {
	r     io.ReaderAt
	index *mp3Index
	next  int    // frame
	have  int    // bytes of main data that the decoder holds, at least as far back as a frame can reach
	buf   []byte // of the frame
	left  []byte // what of buf the decoder has not read
	err   error
}

func (f *mp3Feed) Read(p []byte) (int, error) {
	if len(f.left) == 0 {
		if f.next >= f.index.frames.len() {
			return 0, io.EOF
		}
		h, err := f.load(f.next)
		if err != nil {
			f.err = err
			return 0, err
		}
		f.next++
		if h.backward(f.buf) > f.have {
			f.mute(h)
		}
		f.have = min(f.have+len(f.buf)-h.main(), h.maxBackward())
		f.left = f.buf
	}
	n := copy(p, f.left)
	f.left = f.left[n:]
	return n, nil
}

// load reads a frame into buf.
func (f *mp3Feed) load(i int) (mp3Header, error) {
	at, end := f.index.frames.at(i), f.index.end
	if i+1 < f.index.frames.len() {
		end = f.index.frames.at(i + 1)
	}
	if n := int(end - at); cap(f.buf) < n {
		f.buf = make([]byte, n)
	}
	f.buf = f.buf[:end-at]
	if err := readFull(f.r, f.buf, at); err != nil {
		return mp3Header{}, err
	}
	h, ok := parseMP3Header(f.buf)
	if !ok || len(f.buf) < h.main() {
		return h, fmt.Errorf("%w: the MP3 frame at byte %d changed while it was open", ErrInvalid, at)
	}
	return h, nil
}

// mute makes a frame silent whose main data begin before the stream does, as at the start of one that was cut out of another: nothing of
// its side information stays but where its main data begins.
func (f *mp3Feed) mute(h mp3Header) {
	side := f.buf[h.main()-h.side() : h.main()]
	keep := bytes.Clone(side[:2])
	clear(side)
	if side[0] = keep[0]; h.version == 1 {
		side[1] = keep[1] & 0x80
	}
}

// prime makes the first frame one of silence, at the highest bit rate, which ends with the main data that stands before the next frame.
func (f *mp3Feed) prime() error {
	if _, err := f.load(f.next); err != nil {
		return err
	}
	p := []byte{0xff, f.buf[1] | 1, 14<<4 | f.buf[2]&0x0c, f.buf[3] & 0xc0}
	h, _ := parseMP3Header(p) // legal, since the frame's is
	primer := append(p, make([]byte, h.size()-len(p))...)
	at := len(primer)
	for i := f.next - 1; i >= 0 && f.have < h.maxBackward(); i-- {
		h, err := f.load(i)
		if err != nil {
			return err
		}
		main := f.buf[h.main():]
		main = main[max(0, len(main)-(h.maxBackward()-f.have)):]
		at -= copy(primer[at-len(main):], main)
		f.have += len(main)
	}
	f.left = primer
	return nil
}
