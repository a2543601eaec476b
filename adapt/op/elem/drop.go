package elem

import "math"

// golden is the step between the states of neighbouring pairs, 2^64 over the
// golden ratio.
const golden = 0x9e3779b97f4a7c15

// Drop writes x to dst, each element with probability p, below 1, as 0 and
// otherwise divided by 1 − p. index is that of the first element: what becomes of
// an element depends on p, seed and its index alone. One 64-bit number decides
// about two neighbours, an even index and the next. dst may be x. Unlike the other
// functions' results, those of the portable version are the same bits.
func Drop(dst, x []float32, p float32, seed uint64, index int) {
	if len(x) == 0 {
		return
	}
	scale, threshold := 1/(1-p), uint32(float64(p)*(1<<32))
	state := mix(seed) + uint64(index>>1)*golden
	if index&1 == 1 { // the second of a pair alone
		pair := [2]float32{0, x[0]}
		dropGo(pair[:], pair[:], scale, threshold, state)
		dst[0] = pair[1]
		dst, x, state = dst[1:], x[1:], state+golden
	}
	if len(x) > 0 {
		drop(dst[:len(x)], x, scale, threshold, state)
	}
}

// mix is a bijection of the 64-bit integers whose output bits all depend on all
// input bits (SplitMix64's finaliser, Steele, Lea and Flood 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// keep returns v, or 0 where bits is below threshold: without a branch, which
// would be guessed wrong for each element that is dropped.
func keep(v float32, bits, threshold uint32) float32 {
	dropped := uint32((uint64(bits) - uint64(threshold)) >> 32) // all ones where bits < threshold
	return math.Float32frombits(math.Float32bits(v) &^ dropped)
}
