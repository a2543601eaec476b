// Package half converts slices between float32 and the 16-bit types of checkpoints, stored as little-endian bytes of any
// alignment: BF16, the upper half of a float32, and F16, IEEE 754 binary16. Widening is exact; narrowing rounds to nearest, ties to
// even. A NaN stays a NaN of the same sign with the upper bits of its payload, made quiet by all but FromBF16, which moves bits.
//
// AVX2 and F16C kernels (kernels_amd64.s, written by gen) and portable Go give the same bits; the build tag purego forces the
// latter. Byte slices that are too short are a mistake of the caller and panic.
package half

import (
	"encoding/binary"
	"math"
)

//go:generate sh -c "cd gen && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg half"

// FromBF16 widens len(dst) stored numbers, and tells whether all are finite.
func FromBF16(dst []float32, src []byte) (finite bool) {
	const exponents = 0x7f80_7f80_7f80_7f80
	src = src[: 2*len(dst) : len(src)]
	i, finite := fastFromBF16(dst, src)
	for ; i+4 <= len(dst); i += 4 {
		four, to := binary.LittleEndian.Uint64(src[2*i:]), dst[i:i+4]
		to[0] = widenBF16(uint16(four))
		to[1] = widenBF16(uint16(four >> 16))
		to[2] = widenBF16(uint16(four >> 32))
		to[3] = widenBF16(uint16(four >> 48))
		// Where all bits of an exponent are set, adding its lowest carries out of it.
		finite = finite && (four&exponents+0x0080_0080_0080_0080)&0x8000_8000_8000_8000 == 0
	}
	for ; i < len(dst); i++ {
		dst[i] = widenBF16(binary.LittleEndian.Uint16(src[2*i:]))
		finite = finite && math.Float32bits(dst[i])&infinity != infinity
	}
	return finite
}

// FromF16 widens len(dst) stored numbers, and tells whether all are finite.
func FromF16(dst []float32, src []byte) (finite bool) {
	src = src[: 2*len(dst) : len(src)]
	i, finite := fastFromF16(dst, src)
	for ; i < len(dst); i++ {
		dst[i] = widenF16(binary.LittleEndian.Uint16(src[2*i:]))
		finite = finite && math.Float32bits(dst[i])&infinity != infinity
	}
	return finite
}

// ToBF16 rounds all of src into dst, and returns the index of the first element that is finite but became infinite, or −1.
func ToBF16(dst []byte, src []float32) (beyond int) {
	const over = 0x7f7f8000 // rounds to infinity
	dst = dst[: 2*len(src) : len(dst)]
	beyond = -1
	i := fastToBF16(dst, src)
	for i < len(src) {
		if four := src[i:]; len(four) >= 4 {
			a, b, c, d := math.Float32bits(four[0]), math.Float32bits(four[1]), math.Float32bits(four[2]), math.Float32bits(four[3])
			if max(a&noSign, b&noSign, c&noSign, d&noSign) < over {
				binary.LittleEndian.PutUint64(dst[2*i:], uint64(roundBF16(a))|uint64(roundBF16(b))<<16|uint64(roundBF16(c))<<32|uint64(roundBF16(d))<<48)
				i += 4
				continue
			}
		}
		binary.LittleEndian.PutUint16(dst[2*i:], narrowBF16(src[i]))
		if m := math.Float32bits(src[i]) & noSign; beyond < 0 && m >= over && m < infinity {
			beyond = i
		}
		i++
	}
	return beyond
}

// ToF16 rounds all of src into dst, and returns the index of the first element that is finite but became infinite, or −1.
func ToF16(dst []byte, src []float32) (beyond int) {
	const over = 0x477ff000 // 65520 rounds to infinity
	dst = dst[: 2*len(src) : len(dst)]
	beyond = -1
	for i := fastToF16(dst, src); i < len(src); i++ {
		u := math.Float32bits(src[i])
		m := u & noSign
		var h uint16
		if m-leastNormal < over-leastNormal {
			h = uint16(u>>16&0x8000) | roundNormal(m)
		} else {
			h = narrowF16(src[i])
			if beyond < 0 && m >= over && m < infinity {
				beyond = i
			}
		}
		binary.LittleEndian.PutUint16(dst[2*i:], h)
	}
	return beyond
}
