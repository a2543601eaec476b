package audio

import "encoding/binary"

// mp3Header is what the four bytes before each frame of MPEG audio say.
//
//	11 sync | 2 version | 2 layer | 1 no CRC || 4 bit rate | 2 rate | 1 padding | 1 private || 2 mode | 2 extension | 4 others
type mp3Header struct {
	version  int // 1, 2, or 25 for the unofficial 2.5
	layer    int
	kbps     int // 0 is the free format
	rate     int // Hz
	padded   bool
	checked  bool // a CRC-16 follows the header
	channels int
	// intensity tells of intensity stereo.
	intensity bool
}

// mp3Rates are the rates of MPEG-1, in Hz; those of MPEG-2 are half, those of 2.5 a quarter.
var mp3Rates = [3]int{44100, 48000, 32000}

// mp3Kbps are the bit rates of layer III, of MPEG-1 and of the others.
var mp3Kbps = [2][15]int{
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
}

// parseMP3Header reads a frame's header; false when b does not begin with a legal one.
func parseMP3Header(b []byte) (mp3Header, bool) {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 {
		return mp3Header{}, false
	}
	h := mp3Header{layer: 4 - int(b[1]>>1&3), checked: b[1]&1 == 0, padded: b[2]&2 != 0, channels: 2}
	rate, kbps := int(b[2]>>2&3), int(b[2]>>4)
	if h.layer == 4 || rate == 3 || kbps == 15 || b[3]&3 == 2 {
		return mp3Header{}, false
	}
	low := 1
	switch h.rate = mp3Rates[rate]; b[1] >> 3 & 3 {
	case 0:
		h.version, h.rate = 25, h.rate/4
	case 1:
		return mp3Header{}, false
	case 2:
		h.version, h.rate = 2, h.rate/2
	case 3:
		h.version, low = 1, 0
	}
	h.kbps = mp3Kbps[low][kbps]
	switch b[3] >> 6 {
	case 1:
		h.intensity = b[3]&0x10 != 0
	case 3:
		h.channels = 1
	}
	return h, true
}

// samples is the length of a frame of layer III.
func (h mp3Header) samples() int {
	if h.version == 1 {
		return 1152
	}
	return 576
}

// size is the length of a frame of layer III in bytes, its header included.
func (h mp3Header) size() int {
	n := h.samples() / 8 * h.kbps * 1000 / h.rate
	if h.padded {
		n++
	}
	return n
}

// side is the length in bytes of what stands between header and CRC and the frame's share of the main data.
func (h mp3Header) side() int {
	switch {
	case h.version == 1 && h.channels == 2:
		return 32
	case h.version != 1 && h.channels == 1:
		return 9
	}
	return 17
}

// main is the offset in a frame of its share of the main data.
func (h mp3Header) main() int {
	if h.checked {
		return 6 + h.side()
	}
	return 4 + h.side()
}

// backward returns how many bytes before its own share a frame's main data begins.
func (h mp3Header) backward(frame []byte) int {
	at := h.main() - h.side()
	if h.version == 1 {
		return int(binary.BigEndian.Uint16(frame[at:]) >> 7)
	}
	return int(frame[at])
}

// maxBackward is the largest number that backward returns.
func (h mp3Header) maxBackward() int {
	if h.version == 1 {
		return 511
	}
	return 255
}

// misread tells of frames that the decoder cannot do or, worse, takes for something else: MPEG-2.5, free format, intensity stereo in
// MPEG-2, whose scale factors it reads as those of plain stereo, and padded MPEG-2 frames whose length it rounds down.
func (h mp3Header) misread() string {
	switch {
	case h.version == 25:
		return "MPEG-2.5"
	case h.kbps == 0:
		return "free format"
	case h.version == 2 && h.intensity:
		return "intensity stereo at a low rate"
	case h.version == 2 && h.padded && 144*h.kbps*1000/h.rate%2 == 0:
		return "padded frames at a low rate"
	}
	return ""
}
