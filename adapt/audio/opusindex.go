package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Opus always decodes to 48 kHz.
const opusRate = 48000

// opusMark is a packet and the sample that it begins with.
type opusMark struct {
	place oggPlace
	pos   int // counted from the first sample that is decoded
}

// opusIndex is what a walk over an Opus stream finds (RFC 7845).
type opusIndex struct {
	channels int
	skip     int        // samples at the start that only set the decoder up
	gain     float64    // factor
	total    int        // samples that the packets decode to
	frames   int        // of the recording
	marks    []opusMark // the first packet at or after each second
}

// indexOpus walks over all pages: their sums, their order, and the length of every packet.
func indexOpus(r io.ReaderAt, size int64) (*opusIndex, error) {
	o := &oggPackets{r: r, size: size}
	x, err := opusHead(o)
	if err != nil {
		return nil, err
	}
	if _, _, err := o.read(8); err != nil { // the tags
		return nil, atEnd(err)
	}
	begin := int64(-1) // the granule position of the first sample
	for {
		packet, place, err := o.read(2)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		n, err := opusDuration(packet)
		if err != nil {
			return nil, fmt.Errorf("%w: Opus packet at byte %d: %w", ErrInvalid, place.page, err)
		}
		if x.total >= len(x.marks)*opusRate {
			x.marks = append(x.marks, opusMark{place, x.total})
		}
		x.total += n
		if begin < 0 && o.lacing == len(o.page.lacing) && o.page.granule >= 0 {
			begin = max(0, o.page.granule-int64(x.total)) // a first page that is the last as well ends early, it does not begin early
		}
	}
	switch {
	case o.page.flags&oggLast == 0:
		return nil, fmt.Errorf("%w: truncated: no Ogg page ends the stream", ErrInvalid)
	case o.next != size:
		return nil, fmt.Errorf("several streams in one Ogg file: %w", errForFFmpeg)
	case x.total == 0 || o.page.granule < begin:
		return nil, fmt.Errorf("%w: no samples", ErrInvalid)
	}
	x.frames = max(0, int(min(o.page.granule-begin, int64(x.total)))-x.skip)
	return x, nil
}

// atEnd makes the end of a file in its headers an error of its own.
func atEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: truncated: the Opus headers are not whole", ErrInvalid)
	}
	return err
}

// opusHead reads the first packet.
//
//	"OpusHead" | version | channels | 2 pre-skip | 4 original rate | 2 gain in dB/256 | mapping
func opusHead(o *oggPackets) (*opusIndex, error) {
	b, _, err := o.read(19)
	if err != nil {
		return nil, atEnd(err)
	}
	if len(b) < 19 || string(b[:8]) != "OpusHead" || b[8]>>4 != 0 || b[9] == 0 {
		return nil, fmt.Errorf("%w: Opus header of %d bytes: % x", ErrInvalid, len(b), b)
	}
	if b[18] != 0 || b[9] > 2 {
		return nil, fmt.Errorf("opus of %d channels in mapping %d: %w", b[9], b[18], errForFFmpeg)
	}
	gain := float64(int16(binary.LittleEndian.Uint16(b[16:]))) / 256
	return &opusIndex{channels: int(b[9]), skip: int(binary.LittleEndian.Uint16(b[10:])), gain: decibels(gain)}, nil
}

// opusDuration returns the samples that a packet decodes to, from its first two bytes (RFC 6716, section 3.1).
func opusDuration(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, errors.New("it is empty")
	}
	var frame int
	switch mode := b[0] >> 3; {
	case mode < 12:
		frame = [4]int{480, 960, 1920, 2880}[mode&3]
	case mode < 16:
		frame = [2]int{480, 960}[mode&1]
	default:
		frame = 120 << (mode & 3)
	}
	count := 1
	switch b[0] & 3 {
	case 1, 2:
		count = 2
	case 3:
		if len(b) < 2 {
			return 0, errors.New("it has no frame count")
		}
		count = int(b[1] & 0x3f)
	}
	if count == 0 || frame*count > opusLongest {
		return 0, fmt.Errorf("%d frames of %g ms", count, float64(frame)/48)
	}
	return frame * count, nil
}

// opusLongest is the most samples in a packet: 120 ms.
const opusLongest = 5760
