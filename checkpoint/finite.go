package checkpoint

import (
	"bytes"
	"encoding/binary"
)

// firstNonFinite finds the first element that is a NaN or an infinity among stored elements, -1 if there is none. Types of whole
// numbers and those without either have none.
func firstNonFinite(dtype DType, raw []byte) int {
	switch dtype {
	case F64:
		return firstAllSet(raw, 64, 0x7ff0_0000_0000_0000)
	case F32:
		return firstAllSet(raw, 32, 0x7f80_0000)
	case C64: // two F32
		if i := firstAllSet(raw, 32, 0x7f80_0000); i >= 0 {
			return i / 2
		}
	case F16:
		return firstAllSet(raw, 16, 0x7c00)
	case BF16:
		return firstAllSet(raw, 16, 0x7f80)
	case F8E5M2:
		return firstAllSet(raw, 8, 0x7c)
	case F8E4M3:
		return firstAllSet(raw, 8, 0x7f)
	case F8E4M3FNUZ, F8E5M2FNUZ:
		return bytes.IndexByte(raw, 0x80)
	case F8E8M0:
		return bytes.IndexByte(raw, 0xff)
	}
	return -1
}

// firstAllSet finds the first element of width bits in which all bits of mask are set, -1 if there is none. mask must not have
// the element's highest bit.
//
// It looks at 8 bytes at once. In each element the bits of mask that are not set make a number that is 0 where one is sought;
// adding all bits but the highest then carries into the highest exactly where it is not, and never further.
func firstAllSet(raw []byte, width int, mask uint64) int {
	var masks, add, highest uint64
	for at := 0; at < 64; at += width {
		masks |= mask << at
		highest |= 1 << (at + width - 1)
	}
	for at := 0; at < 64; at += width {
		add |= (1<<(width-1) - 1) << at
	}
	i := 0
	for ; i+8 <= len(raw); i += 8 {
		if (^binary.LittleEndian.Uint64(raw[i:])&masks+add)&highest != highest {
			break
		}
	}
	size := width / 8
	for ; i+size <= len(raw); i += size {
		var element [8]byte
		copy(element[:], raw[i:i+size])
		if binary.LittleEndian.Uint64(element[:])&mask == mask {
			return i / size
		}
	}
	return -1
}
