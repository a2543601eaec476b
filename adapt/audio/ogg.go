package audio

import (
	"encoding/binary"
	"fmt"
	"io"
)

// oggPage is one page of an Ogg file (RFC 3533).
//
//	"OggS" | version | flags | 8 granule | 4 serial | 4 sequence | 4 CRC | n | n segment lengths | segments
type oggPage struct {
	at       int64
	flags    byte
	granule  int64 // -1 where no packet ends on the page
	serial   uint32
	sequence uint32
	lacing   []byte
	body     []byte
	next     int64
}

// The flags of a page.
const (
	oggContinued = 1
	oggFirst     = 2
	oggLast      = 4
)

// oggHeader is the length of a page's header without its segment lengths.
const oggHeader = 27

// readOgg reads the page at an offset into p, whose slices it reuses. A page is at most 65,307 bytes.
func readOgg(r io.ReaderAt, at, size int64, p *oggPage) error {
	if size-at < oggHeader {
		return fmt.Errorf("%w: truncated: %d bytes at byte %d, want an Ogg page", ErrInvalid, size-at, at)
	}
	var head [oggHeader + 255]byte
	h := head[:min(int64(len(head)), size-at)]
	if err := readFull(r, h, at); err != nil {
		return err
	}
	if string(h[:4]) != "OggS" || h[4] != 0 {
		return fmt.Errorf("%w: no Ogg page at byte %d", ErrInvalid, at)
	}
	n := oggHeader + int(h[26])
	if n > len(h) {
		return fmt.Errorf("%w: truncated: Ogg page at byte %d", ErrInvalid, at)
	}
	p.at, p.flags = at, h[5]
	p.granule = int64(binary.LittleEndian.Uint64(h[6:]))
	p.serial, p.sequence = binary.LittleEndian.Uint32(h[14:]), binary.LittleEndian.Uint32(h[18:])
	p.lacing = append(p.lacing[:0], h[oggHeader:n]...)
	length := 0
	for _, l := range p.lacing {
		length += int(l)
	}
	if p.next = at + int64(n+length); p.next > size {
		return fmt.Errorf("%w: truncated: Ogg page at byte %d has %d of %d bytes", ErrInvalid, at, size-at, p.next-at)
	}
	if cap(p.body) < length {
		p.body = make([]byte, length)
	}
	p.body = p.body[:length]
	if err := readFull(r, p.body, at+int64(n)); err != nil {
		return err
	}
	want := binary.LittleEndian.Uint32(h[22:])
	clear(h[22:26])
	if got := oggSum(oggSum(0, h[:n]), p.body); got != want {
		return fmt.Errorf("%w: Ogg page at byte %d has sum %08x, its header says %08x", ErrInvalid, at, got, want)
	}
	return nil
}

// oggSum continues Ogg's CRC-32: polynomial 0x04c11db7, most significant bit first, from 0.
func oggSum(c uint32, b []byte) uint32 {
	for _, v := range b {
		c = c<<8 ^ oggTable[byte(c>>24)^v]
	}
	return c
}

// oggTable holds the sums of single bytes.
var oggTable = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			c = c<<1 ^ c>>31*0x04c11db7
		}
		t[i] = c
	}
	return t
}()

// oggPackets puts the packets of one logical stream together, from a place in it on.
type oggPackets struct {
	r      io.ReaderAt
	size   int64
	page   oggPage
	loaded bool
	next   int64 // offset of the next page
	lacing int   // the next segment of the page
	offset int   // where it begins in the body
	packet []byte
}

// oggPlace is where a packet begins: a page and the packet's first segment there.
type oggPlace struct {
	page   int64
	lacing int
}

// maxPacket bounds a packet of audio, in bytes: 120 ms in 48 frames of at most 1,275 bytes, with their lengths.
const maxPacket = 61440

// seek goes to a packet that begins at a place found by an earlier walk.
func (o *oggPackets) seek(to oggPlace) error {
	o.next, o.loaded = to.page, false
	if err := o.load(); err != nil {
		return err
	}
	for ; o.lacing < to.lacing && o.lacing < len(o.page.lacing); o.lacing++ {
		o.offset += int(o.page.lacing[o.lacing])
	}
	return nil
}

// load reads the next page. Pages count up, and only a page that says so begins within a packet.
func (o *oggPackets) load() error {
	serial, sequence := o.page.serial, o.page.sequence
	if err := readOgg(o.r, o.next, o.size, &o.page); err != nil {
		o.loaded = false
		return err
	}
	if o.loaded {
		switch {
		case o.page.serial != serial:
			return fmt.Errorf("several streams in one Ogg file: %w", errForFFmpeg)
		case o.page.sequence != sequence+1:
			return fmt.Errorf("%w: Ogg page %d at byte %d follows page %d", ErrInvalid, o.page.sequence, o.page.at, sequence)
		}
	}
	o.loaded, o.next, o.lacing, o.offset = true, o.page.next, 0, 0
	return nil
}

// read returns the next packet, which holds until the next call, and where it began; io.EOF behind the last page. A packet longer than
// most bytes is returned cut to that length.
func (o *oggPackets) read(most int) ([]byte, oggPlace, error) {
	o.packet = o.packet[:0]
	for o.lacing == len(o.page.lacing) {
		if o.page.flags&oggLast != 0 && o.loaded || o.next == o.size {
			return nil, oggPlace{}, io.EOF
		}
		if err := o.load(); err != nil {
			return nil, oggPlace{}, err
		}
		if o.page.flags&oggContinued != 0 {
			return nil, oggPlace{}, fmt.Errorf("%w: Ogg page at byte %d continues a packet that did not begin", ErrInvalid, o.page.at)
		}
	}
	place := oggPlace{o.page.at, o.lacing}
	for {
		n := int(o.page.lacing[o.lacing])
		if room := most - len(o.packet); room > 0 {
			o.packet = append(o.packet, o.page.body[o.offset:o.offset+min(n, room)]...)
		}
		o.lacing, o.offset = o.lacing+1, o.offset+n
		if n < 255 {
			return o.packet, place, nil
		}
		for o.lacing == len(o.page.lacing) {
			if o.page.flags&oggLast != 0 || o.next == o.size {
				return nil, place, fmt.Errorf("%w: truncated: the packet at byte %d is not whole", ErrInvalid, place.page)
			}
			if err := o.load(); err != nil {
				return nil, place, err
			}
			if o.page.flags&oggContinued == 0 {
				return nil, place, fmt.Errorf("%w: Ogg page at byte %d does not continue the packet before it", ErrInvalid, o.page.at)
			}
		}
	}
}
