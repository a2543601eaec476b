package checkpoint

import "math"

// BF16 is the upper half of a float32.

func fromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// toBF16 rounds to nearest, ties to even. A NaN stays a NaN (made quiet), whatever its payload.
func toBF16(x float32) uint16 {
	u := math.Float32bits(x)
	if u&0x7fffffff > 0x7f800000 {
		return uint16(u>>16) | 0x40
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

// fromF16 widens an IEEE half. Moving the fields into a float32's places leaves an exponent that is 112 too small, for
// normal and subnormal numbers alike; a product with 2^112 mends both exactly.
func fromF16(h uint16) float32 {
	const lift = 0x1p112
	sign := uint32(h&0x8000) << 16
	low := uint32(h&0x7fff) << 13
	if low >= 0x0f800000 { // infinity and NaN
		return math.Float32frombits(sign | 0x7f800000 | low)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(low)*lift))
}

// toF16 rounds to nearest, ties to even; beyond 65519.99 lies infinity. A NaN stays a NaN (made quiet).
func toF16(x float32) uint16 {
	u := math.Float32bits(x)
	sign := uint16(u >> 16 & 0x8000)
	u &= 0x7fffffff
	switch {
	case u > 0x7f800000:
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

// fromF8E4M3 widens the OCP E4M3 type: bias 7, no infinities, S.1111.111 is NaN.
func fromF8E4M3(b uint8) float32 {
	sign := uint32(b&0x80) << 24
	low := uint32(b&0x7f) << 20
	if b&0x7f == 0x7f {
		return math.Float32frombits(sign | 0x7fc00000)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(low)*0x1p120))
}

// fromF8E5M2 widens the OCP E5M2 type, which is the upper half of an IEEE half.
func fromF8E5M2(b uint8) float32 { return fromF16(uint16(b) << 8) }
