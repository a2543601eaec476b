package vec

import "math"

// AtLeast raises what is below c to c. NaN stays.
func AtLeast(x []float32, c float32) {
	for i := fastAtLeast(x, c); i < len(x); i++ {
		if x[i] < c {
			x[i] = c
		}
	}
}

// MaxMagnitude is the largest magnitude, 0 of no elements.
func MaxMagnitude(x []float32) uint32 {
	most, i := fastMaxMagnitude(x)
	for _, v := range x[i:] {
		most = max(most, Magnitude(v))
	}
	return most
}

// CountAtLeast counts the magnitudes at or above the bound.
func CountAtLeast(x []float32, bound uint32) (count int) {
	count, i := fastCountAtLeast(x, bound)
	for _, v := range x[i:] {
		if Magnitude(v) >= bound {
			count++
		}
	}
	return count
}

// Buckets computes dst[i] = ⌊|x[i]|·scale⌋, the product rounded to float32 first. It must be below 2³¹: a NaN or anything beyond has
// an arbitrary bucket.
func Buckets(dst []uint32, x []float32, scale float32) {
	if len(dst) != len(x) {
		panic("vec: slices of different lengths")
	}
	for i := fastBuckets(dst, x, scale); i < len(x); i++ {
		dst[i] = uint32(int32(math.Float32frombits(Magnitude(x[i])) * scale))
	}
}

// Below sets bit i%64 of bits[i/64] where draws[i] is below the limit, and clears it elsewhere. Of the last word all bits are
// written.
func Below(bits []uint64, draws []uint32, limit uint32) {
	bits = bits[: (len(draws)+63)/64 : len(bits)]
	i := fastBelow(bits, draws, limit)
	for ; i < len(draws); i += 64 {
		var word uint64
		for j, d := range draws[i:min(i+64, len(draws))] {
			word |= uint64(int64(d)-int64(limit)) >> 63 << j
		}
		bits[i>>6] = word
	}
}
