package audio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// errForFFmpeg marks variants of a format that only ffmpeg reads.
var errForFFmpeg = errors.New("not decoded here")

// maxZeros bounds what may stand between a tag and the first frame, in bytes.
const maxZeros = 64 << 10

// mp3Index is where the frames of an MP3 file lie. They lie side by side.
type mp3Index struct {
	head   mp3Header // of the first frame
	info   mp3Info
	frames offsets // of the frames that hold audio
	end    int64   // of the last
}

// indexMP3 walks over a stream that begins at an offset, one header after the other. Anything but a frame, a tag or zeros at the end, a
// frame cut off, and fewer frames than the first one promises are errors that say where.
func indexMP3(r io.ReaderAt, at, size int64) (*mp3Index, error) {
	br := bufio.NewReaderSize(io.NewSectionReader(r, at, size-at), 64<<10)
	x := new(mp3Index)
	for range maxZeros { // some taggers leave room behind their tag
		if b, err := br.Peek(1); err != nil || b[0] != 0 {
			break
		}
		if _, err := br.Discard(1); err != nil {
			return nil, err
		}
		at++
	}
	begin := at
	for ; at < size; x.end = at {
		b, err := br.Peek(4)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		h, ok := parseMP3Header(b)
		if !ok || h.layer != 3 {
			if x.frames.len() > 0 && trailing(br) {
				break
			}
			return nil, fmt.Errorf("%w: no MP3 frame at byte %d, after %d frames", ErrInvalid, at, x.frames.len())
		}
		if reason := h.misread(); reason != "" {
			return nil, fmt.Errorf("MP3 with %s: %w", reason, errForFFmpeg)
		}
		if x.head.rate == 0 {
			x.head = h
		}
		if h.rate != x.head.rate || h.channels != x.head.channels {
			return nil, fmt.Errorf("%w: MP3 frame at byte %d has %d channels at %d Hz, the first has %d at %d Hz",
				ErrInvalid, at, h.channels, h.rate, x.head.channels, x.head.rate)
		}
		n := h.size()
		if n < h.main() {
			return nil, fmt.Errorf("%w: MP3 frame at byte %d has %d bytes, its header alone needs %d", ErrInvalid, at, n, h.main())
		}
		if int64(n) > size-at {
			return nil, fmt.Errorf("%w: truncated: MP3 frame at byte %d has %d of %d bytes", ErrInvalid, at, size-at, n)
		}
		frame, err := br.Peek(n)
		if err != nil {
			return nil, fmt.Errorf("MP3 frame at byte %d: %w", at, err)
		}
		if info, ok := parseMP3Info(h, frame); ok && at == begin {
			x.info = info
		} else {
			x.frames.add(at)
		}
		if _, err := br.Discard(n); err != nil {
			return nil, err
		}
		at += int64(n)
	}
	if n := x.frames.len(); n < x.info.frames && (x.info.bytes == 0 || at-begin < int64(x.info.bytes)) {
		return nil, fmt.Errorf("%w: truncated: %d MP3 frames, the first says %d", ErrInvalid, n, x.info.frames)
	}
	return x, nil
}

// trailing tells whether what is left is what players put behind a stream: ID3v1, APE or Lyrics3 tags, or zeros.
func trailing(br *bufio.Reader) bool {
	b, _ := br.Peek(11) // a short rest is compared as far as it goes
	for _, tag := range []string{"TAG", "APETAGEX", "LYRICSBEGIN", "ID3"} {
		if bytes.HasPrefix(b, []byte(tag)) {
			return true
		}
	}
	for {
		c, err := br.ReadByte()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if c != 0 {
			if err := br.UnreadByte(); err != nil {
				return false
			}
			b, _ := br.Peek(3)
			return string(b) == "TAG"
		}
	}
}
