package metric

import (
	"math"
	"slices"
)

// key maps finite floats to integers of the same order, and -0 to the key of 0, so that scores are sorted by their digits.
func key(score float64) uint64 {
	bits := math.Float64bits(score + 0) // -0 + 0 is 0
	if bits>>63 != 0 {
		return ^bits
	}
	return bits | 1<<63
}

// few is the number of keys below which the counts of a radix sort cost more than comparisons.
const few = 512

// sortKeys sorts keys, rising, by bytes from the lowest up (LSD radix sort), and returns the sorted slice and the other one, for the next
// call: of keys and scratch, whose contents are lost. A byte that all keys share costs nothing: of float32 scores these are three of
// eight.
func sortKeys(keys, scratch []uint64) (sorted, other []uint64) {
	if len(keys) < few {
		slices.Sort(keys)
		return keys, scratch
	}
	scratch = slices.Grow(scratch[:0], len(keys))[:len(keys)]
	var counts [8][256]int
	for _, k := range keys {
		for b := range counts {
			counts[b][byte(k>>(8*b))]++
		}
	}
	for b := range counts {
		count, shift := &counts[b], 8*b
		if count[byte(keys[0]>>shift)] == len(keys) {
			continue
		}
		at := 0
		for v, n := range count {
			count[v], at = at, at+n
		}
		for _, k := range keys {
			v := byte(k >> shift)
			scratch[count[v]] = k
			count[v]++
		}
		keys, scratch = scratch, keys
	}
	return keys, scratch
}
