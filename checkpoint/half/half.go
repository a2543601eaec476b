// Package half converts slices between float32 and the 16-bit types of checkpoints, stored as little-endian bytes of any
// alignment: BF16, the upper half of a float32, and F16, IEEE 754 binary16. Widening is exact; narrowing rounds to nearest, ties to
// even. A NaN stays a NaN of the same sign, made quiet, with the upper bits of its payload.
//
// AVX2 and F16C kernels (kernels_amd64.s, written by gen) and portable Go give the same bits; the build tag purego forces the
// latter.
package half

import (
	"encoding/binary"
	"math"
)

//go:generate sh -c "cd gen && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg half"

// FromBF16 widens len(dst) stored numbers.
func FromBF16(dst []float32, src []byte) {
	src = src[:2*len(dst)]
	for i := fastFromBF16(dst, src); i < len(dst); i++ {
		dst[i] = widenBF16(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// FromF16 widens len(dst) stored numbers.
func FromF16(dst []float32, src []byte) {
	src = src[:2*len(dst)]
	for i := fastFromF16(dst, src); i < len(dst); i++ {
		dst[i] = widenF16(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// ToBF16 rounds all of src into dst, and returns the index of the first element that is finite but became infinite, or −1.
func ToBF16(dst []byte, src []float32) (beyond int) {
	dst = dst[:2*len(src)]
	beyond = -1
	for i := fastToBF16(dst, src); i < len(src); i++ {
		binary.LittleEndian.PutUint16(dst[2*i:], narrowBF16(src[i]))
		if m := math.Float32bits(src[i]) & 0x7fffffff; beyond < 0 && m > 0x7f7f7fff && m < infinity {
			beyond = i
		}
	}
	return beyond
}

// ToF16 rounds all of src into dst, and returns the index of the first element that is finite but became infinite, or −1.
func ToF16(dst []byte, src []float32) (beyond int) {
	dst = dst[:2*len(src)]
	beyond = -1
	for i := fastToF16(dst, src); i < len(src); i++ {
		binary.LittleEndian.PutUint16(dst[2*i:], narrowF16(src[i]))
		if m := math.Float32bits(src[i]) & 0x7fffffff; beyond < 0 && m > 0x477fefff && m < infinity { // 65520 rounds to infinity
			beyond = i
		}
	}
	return beyond
}
