package audio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/mewkiz/flac/frame"
)

// flacFrames feeds one FLAC frame after another to the decoder and checks each frame's CRC-16 itself.
//
// The reason: at exactly our sample rate the decoder prints a line to the process's log for every frame, asking for test
// files. The rate in a frame's header is a 4-bit code, and code 0 ("as in the stream information") means the same here
// and prints nothing, so that the header is handed on with code 0 and a fitting CRC-8. The decoder's own check of the
// frame's CRC-16 then fails after it has decoded everything, and the check here, over the bytes of the file, counts.
type flacFrames struct {
	r    *bufio.Reader
	head []byte // what is left of a rewritten header
	crc  uint16 // of the frame's bytes in the file so far; 0 after a whole and correct frame
}

// next decodes one frame. It returns io.EOF after the last.
func (f *flacFrames) next() (*frame.Frame, error) {
	f.crc = 0
	var rewritten bool
	peek, err := f.r.Peek(maxFLACHeader)
	if len(peek) == 0 {
		return nil, err
	}
	if f.head, rewritten = withoutRate(peek); rewritten {
		f.crc = crc16(0, peek[:len(f.head)])
		if _, err := f.r.Discard(len(f.head)); err != nil {
			return nil, err
		}
	}
	fr, err := frame.New(f)
	if err == nil {
		if err = fr.Parse(); err == nil || rewritten && complete(fr) && f.crc == 0 {
			return fr, nil
		}
	}
	if errors.Is(err, io.EOF) { // inside a frame
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}

// complete tells whether all samples of a frame are there.
func complete(fr *frame.Frame) bool {
	for _, sub := range fr.Subframes {
		if sub == nil || len(sub.Samples) != sub.NSamples {
			return false
		}
	}
	return len(fr.Subframes) > 0
}

// Read hands on the rewritten header, then the file's bytes.
func (f *flacFrames) Read(p []byte) (int, error) {
	if len(f.head) > 0 {
		n := copy(p, f.head)
		f.head = f.head[n:]
		return n, nil
	}
	n, err := f.r.Read(p)
	f.crc = crc16(f.crc, p[:n])
	return n, err
}

// maxFLACHeader is the longest frame header: 4 bytes, 7 of frame or sample number, 2 of block size, CRC-8, and 2 of rate
// that a header with a rate code does not have.
const maxFLACHeader = 16

// withoutRate returns the frame header that b starts with, with its rate code 7 (24 kHz) made 0. It reports false, and
// leaves the frame to the decoder, for another code and for anything that is not a correct header.
//
//	b[0..1] sync, strategy | b[2] block size code, rate code | b[3] channels, bits | number | [block size] | CRC-8
func withoutRate(b []byte) ([]byte, bool) {
	if len(b) < 6 || b[0] != 0xff || b[1]&0xfc != 0xf8 || b[2]&15 != 7 {
		return nil, false
	}
	number := bits.LeadingZeros8(^b[4]) // bytes, as in UTF-8
	switch number {
	case 0:
		number = 1
	case 1, 8:
		return nil, false
	}
	end := 4 + number
	switch b[2] >> 4 {
	case 6:
		end++
	case 7:
		end += 2
	}
	if len(b) <= end || crc8(b[:end]) != b[end] {
		return nil, false
	}
	head := append([]byte(nil), b[:end+1]...)
	head[2] &= 0xf0
	head[end] = crc8(head[:end])
	return head, true
}

// crc8 is FLAC's header sum: x⁸+x²+x+1, from 0.
func crc8(b []byte) byte {
	var c byte
	for _, v := range b {
		c ^= v
		for range 8 {
			c = c<<1 ^ c>>7*0x07
		}
	}
	return c
}

// crc16 continues FLAC's frame sum: x¹⁶+x¹⁵+x²+1.
func crc16(c uint16, b []byte) uint16 {
	for _, v := range b {
		c ^= uint16(v) << 8
		for range 8 {
			c = c<<1 ^ c>>15*0x8005
		}
	}
	return c
}

// errFLAC wraps an error of the decoder.
func errFLAC(what string, err error) error {
	return fmt.Errorf("%w: FLAC %s: %w", ErrInvalid, what, err)
}
