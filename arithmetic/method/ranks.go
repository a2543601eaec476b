package method

import (
	"math"

	"syncretic/arithmetic/vec"
)

// sorter finds the ranks of magnitudes in rows of one length.
type sorter struct {
	row, next []uint64 // of sort
	bucket    []uint16 // of decide: where each element falls
	counts    []int32
}

// mostBuckets bounds the length of rows that decide takes.
const mostBuckets = 1 << 15

func newSorter(length int) *sorter {
	return &sorter{row: make([]uint64, length), next: make([]uint64, length)}
}

// sort lists a row from the smallest magnitude to the largest, of equal ones the first first: magnitude bits above, index
// below. It is a radix sort, the lowest digit first, which leaves out digits that all elements share.
func (s *sorter) sort(d []float32, stride int) []uint64 {
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

// decide sets the bits of the elements of a row that stay. Most draws decide by themselves: below the least probability or above
// the greatest. For the others the number of elements in smaller buckets of magnitude bounds the rank from both sides, which nearly
// always decides; the rest count their rank exactly. Rows whose magnitudes crowd into few buckets are left to sort: done is false.
func (r *ranked) decide(s *sorter, d []float32, draws []uint32, kept bitmask, at int) (done bool) {
	n := len(d)
	if n < 64 || 2*n > mostBuckets {
		return false
	}
	if s.bucket == nil {
		s.bucket, s.counts = make([]uint16, n), make([]int32, 2*n+2)
	}
	if !s.fill(d) {
		return false
	}
	low, high := uint32(r.least*0x1p32), uint32(r.probability(n-1)*0x1p32)
	bucket := s.bucket[:n]
	for i, draw := range draws {
		switch {
		case draw < low:
			kept.set(at + i)
		case draw > high:
		default:
			b := bucket[i]
			first, last := int(s.counts[b]), int(s.counts[b+1])-1
			if r.stays(draw, first) || r.stays(draw, last) && r.stays(draw, s.rank(d, i)) {
				kept.set(at + i)
			}
		}
	}
	return true
}

// fill puts the elements of a row into buckets of equal width, and counts for each bucket the elements below it. It fails where
// that takes a row too unequally.
func (s *sorter) fill(d []float32) bool {
	const most = 64 // elements of a bucket
	top := uint32(0)
	for _, x := range d {
		top = max(top, vec.Magnitude(x))
	}
	scale := float32(2*len(d)-1) / math.Float32frombits(top)
	if !(scale > 0 && scale < math.MaxFloat32) {
		return false
	}
	counts := s.counts
	clear(counts)
	bucket := s.bucket[:len(d)]
	for i, x := range d {
		b := uint16(math.Float32frombits(vec.Magnitude(x)) * scale)
		bucket[i] = b
		counts[b]++
	}
	below := int32(0)
	for i, n := range counts {
		if n > most {
			return false
		}
		counts[i] = below
		below += n
	}
	return true
}

// rank counts the elements of the row that come before element i.
func (s *sorter) rank(d []float32, i int) int {
	b, m := s.bucket[i], vec.Magnitude(d[i])
	rank := int(s.counts[b])
	for j, c := range s.bucket[:len(d)] {
		if c == b {
			if o := vec.Magnitude(d[j]); o < m || o == m && j < i {
				rank++
			}
		}
	}
	return rank
}
