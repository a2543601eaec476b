package vec

import "math"

// Random numbers come from a counter, not from a state: element e of the stream of a key is the low half (e even) or the high half
// (e odd) of SplitMix64's output for the counter key + ⌊e/2⌋·0x9e3779b97f4a7c15 (Steele, Lea and Flood, Fast splittable
// pseudorandom number generators, OOPSLA 2014). Any range of the stream is made by itself, in any order, on any machine. The
// streams of two keys overlap only if the keys differ by a small multiple of that constant: take hashes as keys.

const golden = 0x9e3779b97f4a7c15

// mix is SplitMix64's output for a counter.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// draw is element e of the stream of a key.
func draw(key uint64, e int) uint32 {
	return uint32(mix(next(key, uint64(e>>1))) >> (32 * (e & 1)))
}

// counters are those of eight elements from e on, which is even.
func counters(key uint64, e int) [4]uint64 {
	z := next(key, uint64(e>>1))
	return [4]uint64{z, next(z, 1), next(z, 2), next(z, 3)}
}

// Random fills dst with the draws of elements offset and on.
func Random(key uint64, offset int, dst []uint32) {
	i := 0
	if offset&1 == 1 && len(dst) > 0 {
		dst[0] = draw(key, offset)
		i = 1
	}
	i += fastRandom(key, offset+i, dst[i:])
	for z := next(key, uint64((offset+i)>>1)); i+2 <= len(dst); z, i = z+golden, i+2 {
		two := mix(z)
		dst[i], dst[i+1] = uint32(two), uint32(two>>32)
	}
	if i < len(dst) {
		dst[i] = draw(key, offset+i)
	}
}

// Bernoulli keeps x[i] with probability p and clears it to +0 otherwise: it stays where the draw of element offset+i is below
// p·2³². So p of 1 and more keeps all, and p of 0, less or NaN none.
func Bernoulli(x []float32, key uint64, offset int, p float64) {
	if !(p > 0) {
		clear(x)
		return
	}
	if p > 1-0x1p-32 {
		return
	}
	limit := Limit(p)
	i := 0
	if offset&1 == 1 && len(x) > 0 {
		x[0] = keepBelow(x[0], draw(key, offset), limit)
		i = 1
	}
	i += fastBernoulli(x[i:], key, offset+i, limit)
	for z := next(key, uint64((offset+i)>>1)); i+2 <= len(x); z, i = z+golden, i+2 {
		two := mix(z)
		x[i] = keepBelow(x[i], uint32(two), limit)
		x[i+1] = keepBelow(x[i+1], uint32(two>>32), limit)
	}
	if i < len(x) {
		x[i] = keepBelow(x[i], draw(key, offset+i), limit)
	}
}

// Limit is the least integer of which no smaller draw keeps an element with probability p, which is in [0, 1 − 2⁻³²]: the draws below
// p·2³² are the integers below it.
func Limit(p float64) uint32 { return uint32(math.Ceil(p * 0x1p32)) }

// keepBelow is x where draw < limit and 0 elsewhere, without a branch, which nobody could predict.
func keepBelow(x float32, draw, limit uint32) float32 {
	mask := uint32((int64(draw) - int64(limit)) >> 63)
	return math.Float32frombits(math.Float32bits(x) & mask)
}

// next is the counter n places on, modulo 2⁶⁴.
func next(z, n uint64) uint64 { return z + n*golden }
