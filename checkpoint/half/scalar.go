package half

import "math"

// infinity is the bits of +Inf; larger ones are NaN. quiet is the bit that marks a quiet NaN.
const (
	infinity = 0x7f800000
	quiet    = 0x00400000
)

func widenBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

func narrowBF16(x float32) uint16 {
	u := math.Float32bits(x)
	if u&0x7fffffff > infinity {
		return uint16((u | quiet) >> 16)
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

// widenF16 moves the fields into a float32's places, which leaves an exponent that is 112 too small, for normal and subnormal
// numbers alike; a product with 2^112 mends both exactly.
func widenF16(h uint16) float32 {
	const lift = 0x1p112
	sign := uint32(h&0x8000) << 16
	low := uint32(h&0x7fff) << 13
	switch {
	case low > 0x0f800000:
		return math.Float32frombits(sign | infinity | low | quiet)
	case low == 0x0f800000:
		return math.Float32frombits(sign | infinity)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(low)*lift))
}

// narrowF16 gives infinity beyond 65519.99.
func narrowF16(x float32) uint16 {
	u := math.Float32bits(x)
	sign := uint16(u >> 16 & 0x8000)
	u &= 0x7fffffff
	switch {
	case u > infinity:
		return sign | 0x7e00 | uint16(u>>13&0x3ff)
	case u >= 0x47800000: // 65536 and above
		return sign | 0x7c00
	case u >= 0x38800000: // normal halves: re-bias, then round away 13 bits
		u -= 112 << 23
		return sign | uint16((u+0xfff+u>>13&1)>>13)
	}
	// Subnormal halves count steps of 2^-24, and 0.5 has that unit in the last place: the adder does the rounding.
	return sign | uint16(math.Float32bits(math.Float32frombits(u)+0.5)-math.Float32bits(0.5))
}
