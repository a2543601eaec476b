package vec

// Random numbers come from a counter, not from a state: element e of the stream of a key is the low half (e even) or the high half
// (e odd) of SplitMix64's output for the counter key + ⌊e/2⌋·0x9e3779b97f4a7c15 (Steele, Lea and Flood, Fast splittable
// pseudorandom number generators, OOPSLA 2014). Any range of the stream is made by itself, in any order, on any machine.

const golden = 0x9e3779b97f4a7c15

// draw is element e of the stream of a key.
func draw(key uint64, e int) uint32 {
	z := key + uint64(e>>1)*golden
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return uint32(z >> (32 * (e & 1)))
}

// counters are those of eight elements from e on, which is even.
func counters(key uint64, e int) [4]uint64 {
	z := key + uint64(e>>1)*golden
	return [4]uint64{z, next(z, 1), next(z, 2), next(z, 3)}
}

// Random fills dst with the draws of elements offset and on.
func Random(key uint64, offset int, dst []uint32) {
	i := 0
	if offset&1 == 1 && len(dst) > 0 {
		dst[0] = draw(key, offset)
		i = 1
	}
	for i += fastRandom(key, offset+i, dst[i:]); i < len(dst); i++ {
		dst[i] = draw(key, offset+i)
	}
}

// Bernoulli keeps x[i] with probability p, from 0 to 1, and clears it to +0 otherwise: it stays where the draw of element offset+i
// is below p·2³².
func Bernoulli(x []float32, key uint64, offset int, p float64) {
	limit := uint64(p * 0x1p32)
	if limit > 0xffffffff {
		return
	}
	i := 0
	if offset&1 == 1 && len(x) > 0 {
		if uint64(draw(key, offset)) >= limit {
			x[0] = 0
		}
		i = 1
	}
	for i += fastBernoulli(x[i:], key, offset+i, uint32(limit)); i < len(x); i++ {
		if uint64(draw(key, offset+i)) >= limit {
			x[i] = 0
		}
	}
}

// next is the counter n places on, modulo 2⁶⁴.
func next(z, n uint64) uint64 { return z + n*golden }
