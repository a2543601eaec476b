package audio

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/mewkiz/flac/frame"
)

// flacFrames feeds one FLAC frame after another to the decoder and checks each frame's CRC-16 itself.
//
// The reason: at our sample rate, and at 176.4 kHz, the decoder prints a line to the process's log for every frame, asking for
// test files. The rate in a frame's header is a 4-bit code, and code 0 ("as in the stream information") means the same here
// and prints nothing, so that the header is handed on with code 0 and a fitting CRC-8. The decoder's own check of the
// frame's CRC-16 then fails after it has decoded everything, and the check here, over the bytes of the file, counts. A header
// that is not correct does not reach the decoder.
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
	if f.head, rewritten, err = withoutRate(peek); err != nil {
		return nil, err
	}
	if rewritten {
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

// maxFLACHeader is the longest frame header: 4 bytes, 7 of frame or sample number, 2 of block size, CRC-8, and 2
// of rate.
const maxFLACHeader = 16

// withoutRate returns the frame header that b starts with, with a rate code of 2 (176.4 kHz) or 7 (24 kHz) made 0. It reports false, and
// leaves the header to the decoder, for another code. Anything that is not a correct header is an error.
func withoutRate(b []byte) ([]byte, bool, error) {
	end := headerLength(b)
	switch {
	case end >= len(b) || end == 0 && len(b) < 6:
		return nil, false, io.ErrUnexpectedEOF
	case end == 0:
		return nil, false, fmt.Errorf("no frame begins with % x", b[:4])
	case crc8(b[:end]) != b[end]:
		return nil, false, fmt.Errorf("frame header with CRC-8 %02x, want %02x", b[end], crc8(b[:end]))
	case b[2]&15 != 2 && b[2]&15 != 7:
		return nil, false, nil
	}
	head := append([]byte(nil), b[:end+1]...)
	head[2] &= 0xf0
	head[end] = crc8(head[:end])
	return head, true, nil
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
		c = c<<8 ^ crc16Table[byte(c>>8)^v]
	}
	return c
}

// crc16Table holds the sums of single bytes.
var crc16Table = func() (t [256]uint16) {
	for i := range t {
		c := uint16(i) << 8
		for range 8 {
			c = c<<1 ^ c>>15*0x8005
		}
		t[i] = c
	}
	return t
}()
