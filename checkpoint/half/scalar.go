package half

import "math"

// infinity is the bits of +Inf; larger ones are NaN. quiet is the bit that marks a quiet NaN. noSign masks the sign away.
const (
	infinity = 0x7f800000
	quiet    = 0x00400000
	noSign   = 0x7fffffff
)

func widenBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

func narrowBF16(x float32) uint16 {
	u := math.Float32bits(x)
	if u&noSign > infinity {
		return uint16((u | quiet) >> 16)
	}
	return roundBF16(u)
}

// roundBF16 rounds the bits of what is not NaN.
func roundBF16(u uint32) uint16 { return uint16((u + 0x7fff + u>>16&1) >> 16) }

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

// leastNormal is the bits of 2^-14, the least normal half.
const leastNormal = 0x38800000

// roundNormal makes a normal half of the bits of a positive float32: re-bias, then round away 13 bits.
func roundNormal(u uint32) uint16 {
	u -= 112 << 23
	return uint16((u + 0xfff + u>>13&1) >> 13)
}

// narrowF16 gives infinity beyond 65519.99.
func narrowF16(x float32) uint16 {
	u := math.Float32bits(x)
	sign := uint16(u >> 16 & 0x8000)
	u &= noSign
	switch {
	case u > infinity:
		return sign | 0x7e00 | uint16(u>>13&0x3ff)
	case u >= 0x47800000: // 65536 and above
		return sign | 0x7c00
	case u >= leastNormal:
		return sign | roundNormal(u)
	}
	// Subnormal halves count steps of 2^-24, and 0.5 has that unit in the last place: the adder does the rounding.
	return sign | uint16(math.Float32bits(math.Float32frombits(u)+0.5)-math.Float32bits(0.5))
}
