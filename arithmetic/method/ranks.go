package method

import (
	"math"
	"math/bits"
	"slices"

	"syncretic/arithmetic/vec"
)

// sorter finds the ranks of magnitudes in rows. Its room grows with the longest.
type sorter struct {
	row, next  []uint64 // of sort
	bucket     []uint32 // of decideRow: where each element falls
	count      []uint32 // how many a bucket has: of elements at even places, then at odd ones
	start      []uint32 // how many elements the buckets below have
	sure, open []uint64 // a bit an element
}

// sort lists a row of n elements from the smallest magnitude to the largest, of equal ones the first first: magnitude bits above,
// index below. It is a radix sort, the lowest digit first, which leaves out digits that all elements share.
func (s *sorter) sort(d []float32, n, stride int) []uint64 {
	s.row, s.next = sized(s.row, n), sized(s.next, n)
	row, next := s.row, s.next
	all, some := ^uint32(0), uint32(0)
	for i := range row {
		m := vec.Magnitude(d[i*stride])
		row[i] = uint64(m)<<32 | uint64(uint32(i))
		all, some = all&m, some|m
	}
	const digit = 8
	var counts [1 << digit]int32
	for shift := 0; shift < 32; shift += digit {
		if (some&^all)>>shift&(1<<digit-1) == 0 {
			continue
		}
		clear(counts[:])
		for _, x := range row {
			counts[x>>(32+shift)&(1<<digit-1)]++
		}
		at := int32(0)
		for i, n := range counts {
			counts[i] = at
			at += n
		}
		for _, x := range row {
			c := &counts[x>>(32+shift)&(1<<digit-1)]
			next[*c] = x
			*c++
		}
		row, next = next, row
	}
	return row
}

// decideRow sets the bits of the elements of a row that stay, which begins at element at. A draw below the probability of the
// smallest rank keeps its element, one not below that of the largest drops it. For those between, elements are counted in buckets
// of equal width of magnitude, which bounds each rank from both sides: that nearly always decides, and where it does not the rank
// is counted exactly. Rows whose magnitudes crowd into few buckets are left to sort: done is false.
func (r *ranked) decideRow(s *sorter, d []float32, draws []uint32, kept bitmask, at int) (done bool) {
	n := len(d)
	sure, open := limit(r.probability(0)), limit(r.probability(n-1))
	if n < 64 || open > math.MaxUint32 || !s.fill(d) {
		return false
	}
	words := (n + 63) / 64
	s.sure, s.open = sized(s.sure, words), sized(s.open, words)
	vec.Below(s.sure, draws, uint32(sure))
	vec.Below(s.open, draws, uint32(open))
	for w, open := range s.open {
		word := s.sure[w]
		for open &^= word; open != 0; open &= open - 1 {
			j := bits.TrailingZeros64(open)
			i := w<<6 + j
			b := s.bucket[i]
			stays := r.stays(draws[i], int(s.start[b]))
			if stays != r.stays(draws[i], int(s.start[b+1])-1) {
				stays = r.stays(draws[i], rankIn(d, i))
			}
			bit := uint64(0)
			if stays {
				bit = 1
			}
			word |= bit << j
		}
		s.sure[w] = word
	}
	kept.put(at, s.sure)
	return true
}

// limit is the least draw that a probability, times 2⁶³, does not keep.
func limit(probability uint64) uint64 { return (probability + 1<<31 - 1) >> 31 }

// fill counts the elements of a row in buckets. It fails where so many share one that sorting is cheaper.
func (s *sorter) fill(d []float32) bool {
	const most = 256 // elements of a bucket, if it does not have its share of them
	n := 1 << min(15, bits.Len(uint(len(d)/4)))
	scale := float32(n-1) / math.Float32frombits(vec.MaxMagnitude(d))
	if !(scale > 0 && scale < math.MaxFloat32) {
		return false
	}
	s.bucket, s.count, s.start = sized(s.bucket, len(d)), sized(s.count, 2*n), sized(s.start, n+1)
	vec.Buckets(s.bucket, d, scale)
	clear(s.count)
	even, odd := s.count[:n], s.count[n:] // two lists, since counts of one bucket in a row wait for each other
	for two := s.bucket; len(two) > 0; two = two[1:] {
		even[two[0]]++
		if two = two[1:]; len(two) == 0 {
			break
		}
		odd[two[0]]++
	}
	below, crowd := uint32(0), max(most, uint32(len(d)/16))
	for i, c := range even {
		c += odd[i]
		if c > crowd {
			return false
		}
		s.start[i] = below
		below += c
	}
	s.start[n] = below
	return true
}

// rankIn counts the elements of a row that come before element i.
func rankIn(d []float32, i int) int {
	m := vec.Magnitude(d[i])
	return len(d) - vec.CountAtLeast(d[:i], m+1) - vec.CountAtLeast(d[i:], m)
}

// sized is a list of n elements, with whatever is in them, in the room of another if that is enough.
func sized[T any](list []T, n int) []T { return slices.Grow(list[:0], n)[:n] }
