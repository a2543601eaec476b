package checkpoint

import "math"

// The two 8-bit types of OCP's "8-bit Floating Point Specification": E4M3 has bias 7, no infinities and one NaN a sign; E5M2 is
// the upper half of an IEEE half.

// toF8E4M3 rounds to nearest, ties to even. ok is false for what the type does not hold: above 464, halfway to the number that
// its NaN took the place of, and infinities. Unlike PyTorch 2.13, which makes 448 of those.
func toF8E4M3(x float32) (code uint8, ok bool) {
	const largest = 464
	u := math.Float32bits(x)
	sign := uint8(u >> 24 & 0x80)
	u &= 0x7fffffff
	switch {
	case x != x:
		return sign | 0x7f, true
	case math.Float32frombits(u) > largest:
		return sign | 0x7f, false
	case u >= 0x3c800000: // 2^-6, the least normal: re-bias, then round away 20 bits
		u -= 120 << 23
		return sign | uint8((u+0x7ffff+u>>20&1)>>20), true
	}
	return sign | steps(u, 0x1p14), true
}

// toF8E5M2 rounds to nearest, ties to even. ok is false for a finite number from 61440 on, which would become infinite.
func toF8E5M2(x float32) (code uint8, ok bool) {
	const tooLarge = 61440
	u := math.Float32bits(x)
	sign := uint8(u >> 24 & 0x80)
	u &= 0x7fffffff
	switch {
	case x != x:
		return sign | 0x7f, true
	case math.Float32frombits(u) >= tooLarge:
		return sign | 0x7c, u == 0x7f800000
	case u >= 0x38800000: // 2^-14, the least normal: re-bias, then round away 21 bits
		u -= 112 << 23
		return sign | uint8((u+0xfffff+u>>21&1)>>21), true
	}
	return sign | steps(u, 0x1p7), true
}

// steps counts a subnormal number's steps. The unit in the last place of lift is one step, so the adder does the rounding.
func steps(u uint32, lift float32) uint8 {
	return uint8(math.Float32bits(math.Float32frombits(u)+lift) - math.Float32bits(lift))
}

// encodeF8 rounds all of src, and returns the first element that the type cannot hold, or -1.
func encodeF8(dst []byte, src []float32, to func(float32) (uint8, bool)) int {
	for i, x := range src {
		code, ok := to(x)
		if !ok {
			return i
		}
		dst[i] = code
	}
	return -1
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

// fromF8E5M2 widens the OCP E5M2 type: bias 15, with infinities.
func fromF8E5M2(b uint8) float32 {
	sign := uint32(b&0x80) << 24
	low := uint32(b&0x7f) << 21
	switch {
	case b&0x7f > 0x7c:
		return math.Float32frombits(sign | 0x7fc00000 | low)
	case b&0x7f == 0x7c:
		return math.Float32frombits(sign | 0x7f800000)
	}
	return math.Float32frombits(sign | math.Float32bits(math.Float32frombits(low)*0x1p112))
}
