package audio

import (
	"math/bits"
)

// flacNear is the distance, in bytes, below which decoding forward is cheaper than searching further.
const flacNear = 16 << 10

// sampleOf returns the sample that a frame's number stands for. Frames of one size count frames, others samples; a stream whose size
// of frames the header does not know does not say.
func (r *flacReader) sampleOf(fixed bool, number uint64) (sample int, known bool) {
	if !fixed {
		return int(number), number <= maxFLAC
	}
	size := r.info.BlockSizeMax
	if number == 0 {
		return 0, true
	}
	if size != r.info.BlockSizeMin || size == 0 || number > maxFLAC/uint64(size) {
		return 0, false
	}
	return int(number) * int(size), true
}

// seek finds the frame by bisection over the file's bytes: from the middle on, the next thing that looks like a frame's header says which
// half the sample is in. What is found is believed only when a whole correct frame begins there that says so; else, and in a file
// without numbers to go by, decoding starts at the first frame.
func (r *flacReader) seek(sample int) (int, error) {
	lo, hi := r.first, r.size
	loSample, hiSample := 0, int(r.info.NSamples)
	if hiSample == 0 {
		hiSample = maxFLAC
	}
	for hi-lo > flacNear {
		mid := lo + (hi-lo)/2
		at, found, err := r.findFrame(mid, hi, loSample, hiSample)
		switch {
		case err != nil:
			return 0, err
		case at < 0 || found > sample:
			hi = mid
			if at >= 0 {
				hiSample = found
			}
		default:
			lo, loSample = at, found
		}
	}
	if lo == r.first {
		r.rewind()
		return 0, nil
	}
	r.start(lo, loSample)
	block, err := r.next()
	if err != nil {
		r.rewind()
		return 0, nil
	}
	r.pending = block
	return loSample, nil
}

// findFrame returns the offset in [from, to) of the first frame header that begins a sample between two others, and that sample; the offset
// is -1 when there is none.
func (r *flacReader) findFrame(from, to int64, after, before int) (int64, int, error) {
	buf := make([]byte, 16<<10)
	for from < to {
		piece := buf[:min(int64(len(buf)), r.size-from)]
		if err := readFull(r.f, piece, from); err != nil {
			return -1, 0, err
		}
		for i := range piece {
			if piece[i] != 0xff || from+int64(i) >= to {
				continue
			}
			fixed, number, ok := parseFLACHeader(piece[i:])
			if !ok {
				continue
			}
			if sample, known := r.sampleOf(fixed, number); known && sample > after && sample < before {
				return from + int64(i), sample, nil
			}
		}
		if len(piece) <= maxFLACHeader || from+int64(len(piece)) == r.size {
			break
		}
		from += int64(len(piece) - maxFLACHeader) // a header across the border is seen by the next piece
	}
	return -1, 0, nil
}

// headerLength returns the length of the frame header that b may start with, without its CRC-8; 0 when it is none.
//
//	b[0..1] sync, strategy | b[2] block size code, rate code | b[3] channels, bits | number | [block size] | [rate] | CRC-8
func headerLength(b []byte) int {
	if len(b) < 6 || b[0] != 0xff || b[1]&0xfe != 0xf8 || b[3]&1 != 0 {
		return 0
	}
	number := bits.LeadingZeros8(^b[4]) // bytes, as in UTF-8
	switch number {
	case 0:
		number = 1
	case 1, 8:
		return 0
	}
	end := 4 + number
	switch b[2] >> 4 {
	case 0:
		return 0
	case 6:
		end++
	case 7:
		end += 2
	}
	switch b[2] & 15 {
	case 12:
		end++
	case 13, 14:
		end += 2
	case 15:
		return 0
	}
	return end
}

// parseFLACHeader reads the number in a frame header whose CRC-8 agrees.
func parseFLACHeader(b []byte) (fixed bool, number uint64, ok bool) {
	end := headerLength(b)
	if end == 0 || len(b) <= end || crc8(b[:end]) != b[end] {
		return false, 0, false
	}
	lead := bits.LeadingZeros8(^b[4])
	if lead == 0 {
		return b[1]&1 == 0, uint64(b[4]), true
	}
	number = uint64(b[4]) & (0x7f >> lead)
	for _, c := range b[5 : 4+lead] {
		if c&0xc0 != 0x80 {
			return false, 0, false
		}
		number = number<<6 | uint64(c&0x3f)
	}
	return b[1]&1 == 0, number, true
}
