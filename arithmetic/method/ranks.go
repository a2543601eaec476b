package method

import (
	"math"

	"syncretic/arithmetic/vec"
)

// sorter finds the ranks of magnitudes in rows of one length.
type sorter struct {
	row, next []uint64 // of sort
	bucket    []uint16 // of decide: where each element falls
	start     []uint16 // how many elements the buckets below have
	order     []uint16 // the elements, bucket by bucket
}

// mostBuckets bounds the length of rows that decide takes.
const mostBuckets = 1<<16 - 2

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

// decide sets the bits of the elements of a row that stay. Elements are counted in buckets of equal width of magnitude, so that
// the rank of each is known from both sides; its draw nearly always decides between those, and where it does not the rank is
// counted exactly. Rows whose magnitudes crowd into few buckets are left to sort: done is false.
func (r *ranked) decide(s *sorter, d []float32, draws []uint32, kept bitmask, at int) (done bool) {
	n := len(d)
	if n < 64 || 2*n > mostBuckets {
		return false
	}
	if s.bucket == nil {
		s.bucket, s.order, s.start = make([]uint16, n), make([]uint16, n), make([]uint16, 2*n+2)
	}
	if !s.fill(d) {
		return false
	}
	bucket, start, draws := s.bucket[:n], s.start, draws[:n]
	for i, b := range bucket {
		first, last := int(start[b]), int(start[b+1])-1
		stays := r.stays(draws[i], first)
		if stays != r.stays(draws[i], last) {
			stays = r.stays(draws[i], s.rank(d, i))
		}
		bit := uint64(0)
		if stays {
			bit = 1
		}
		kept[(at+i)>>6] |= bit << ((at + i) & 63)
	}
	return true
}

// fill puts the elements of a row into buckets of equal width, in the order of the elements. It fails where so many share one that
// sorting is cheaper.
func (s *sorter) fill(d []float32) bool {
	const most = 256 // elements of a bucket
	top := uint32(0)
	for _, x := range d {
		top = max(top, vec.Magnitude(x))
	}
	scale := float32(2*len(d)-1) / math.Float32frombits(top)
	if !(scale > 0 && scale < math.MaxFloat32) {
		return false
	}
	start := s.start
	clear(start)
	bucket, order := s.bucket[:len(d)], s.order[:len(d)]
	for i, x := range d {
		b := uint16(int32(math.Float32frombits(vec.Magnitude(x)) * scale))
		bucket[i] = b
		start[b+1]++
	}
	below := uint16(0)
	for i, n := range start[1:] {
		if n > most {
			return false
		}
		start[i+1] = below
		below += n
	}
	for i, b := range bucket { // this moves each start to the next one's place
		order[start[b+1]] = uint16(i)
		start[b+1]++
	}
	return true
}

// rank counts the elements of the row that come before element i.
func (s *sorter) rank(d []float32, i int) int {
	b, m := s.bucket[i], vec.Magnitude(d[i])
	first, last := s.start[b], s.start[b+1]
	rank := int(first)
	for _, j := range s.order[first:last] {
		if o := vec.Magnitude(d[j]); o < m || o == m && int(j) < i {
			rank++
		}
	}
	return rank
}
