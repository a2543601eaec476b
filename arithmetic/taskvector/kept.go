package taskvector

import (
	"math/bits"
	"sort"
)

// blockElements is how many elements are worked on at a time: 64 KiB of float32, and 256 bytes of octets.
const blockElements = 1 << 14

// octetElements is how many elements a byte of mask is about, and flagElements how many a byte of octets is.
const (
	octetElements = 8
	flagElements  = 64
)

// kept are the positions of a sparse tensor's elements: see the package comment for the two levels. They are read block by block;
// in memory is only where each block's bytes and values begin.
type kept struct {
	elements int
	octets   bytesAt
	mask     bytesAt
	before   []count // [blocks + 1]: what all blocks before one have
}

// bytesAt copies bytes from a place on.
type bytesAt func(at int, dst []byte, s *scratch) error

// inMemory are bytes that are at hand.
func inMemory(b []byte) bytesAt {
	return func(at int, dst []byte, _ *scratch) error {
		copy(dst, b[at:])
		return nil
	}
}

// count are bytes of mask and values.
type count struct{ mask, values int }

// errChanged is met where bytes that were checked are others now.
var errChanged = invalid("the file changed while it was read")

// newKept reads positions once and checks that they are what the format allows: octets and mask agree, every byte of mask has a
// bit, and none is about an element that is not there.
func newKept(elements int, octets bytesAt, mask bytesAt, maskBytes int, s *scratch) (*kept, error) {
	blocks := (elements + blockElements - 1) / blockElements
	k := &kept{elements, octets, mask, make([]count, 1, blocks+1)}
	for b := range blocks {
		n := k.before[b]
		flags, err := k.flags(b, s)
		if err != nil {
			return nil, err
		}
		octetsHere := ones(flags)
		if octetsHere > maskBytes-n.mask {
			return nil, invalid("octets has more than the %d set bits that mask has bytes for", maskBytes)
		}
		m := room(&s.mask, octetsHere)
		if err := mask(n.mask, m, s); err != nil {
			return nil, err
		}
		for i, bits := range m {
			if bits == 0 {
				return nil, invalid("byte %d of mask is 0: an octet without kept elements", n.mask+i)
			}
		}
		if b == blocks-1 && !k.insideEnd(flags, m) {
			return nil, invalid("a bit is about an element beyond the %d there are", elements)
		}
		k.before = append(k.before, count{n.mask + octetsHere, n.values + ones(m)})
	}
	if total := k.total(); total.mask != maskBytes {
		return nil, invalid("mask has %d bytes, want the %d set bits of octets", maskBytes, total.mask)
	}
	return k, nil
}

func (k *kept) total() count { return k.before[len(k.before)-1] }

// blockEnd is the end of a block that begins at an element.
func (k *kept) blockEnd(lo int) int { return min(k.elements, lo+blockElements) }

// flags reads a block's octets.
func (k *kept) flags(b int, s *scratch) ([]byte, error) {
	lo := b * blockElements
	flags := room(&s.octets, (k.blockEnd(lo)-lo+flagElements-1)/flagElements)
	return flags, k.octets(lo/flagElements, flags, s)
}

// insideEnd tells whether the last block's bits are about elements that are there.
func (k *kept) insideEnd(flags, mask []byte) bool {
	octets := (k.elements + octetElements - 1) / octetElements
	if rest := octets % 8; rest > 0 && flags[len(flags)-1]>>rest != 0 {
		return false
	}
	last := flags[len(flags)-1]>>((octets-1)%8)&1 == 1 // the last octet has a byte of mask
	rest := k.elements % octetElements
	return rest == 0 || !last || mask[len(mask)-1]>>rest == 0
}

// places lists a block's kept elements, in order, by their place in the block. The list is s's.
func (k *kept) places(b int, s *scratch) ([]int32, error) {
	flags, err := k.flags(b, s)
	if err != nil {
		return nil, err
	}
	at, end := k.before[b], k.before[b+1]
	mask := room(&s.mask, end.mask-at.mask)
	if err := k.mask(at.mask, mask, s); err != nil {
		return nil, err
	}
	if ones(flags) != len(mask) || ones(mask) != end.values-at.values {
		return nil, errChanged
	}
	list := places(flags, mask, s)
	if n := len(list); n > 0 && int(list[n-1]) >= k.blockEnd(b*blockElements)-b*blockElements {
		return nil, errChanged
	}
	return list, nil
}

// blockOf is the block that has a value.
func (k *kept) blockOf(value int) int {
	return sort.Search(len(k.before)-1, func(b int) bool { return k.before[b+1].values > value })
}

// ones counts set bits.
func ones(b []byte) int {
	n := 0
	for _, x := range b {
		n += bits.OnesCount8(x)
	}
	return n
}

// places lists the kept elements of a block, in order, by their place in it.
func places(flags, mask []byte, s *scratch) []int32 {
	list := room(&s.places, blockElements)[:0]
	at := 0
	for flag, octets := range flags {
		for ; octets != 0; octets &= octets - 1 {
			first := int32(flag*flagElements + bits.TrailingZeros8(octets)*octetElements)
			for m := mask[at]; m != 0; m &= m - 1 {
				list = append(list, first+int32(bits.TrailingZeros8(m)))
			}
			at++
		}
	}
	return list
}

// positions makes a block's octets and mask from its elements: those that are not 0 are kept.
func positions(block []float32) (octets, mask []byte) {
	octets = make([]byte, (len(block)+flagElements-1)/flagElements)
	for i := 0; i < len(block); i += octetElements {
		var m byte
		for j, x := range block[i:min(len(block), i+octetElements)] {
			if x != 0 {
				m |= 1 << j
			}
		}
		if m != 0 {
			octets[i/flagElements] |= 1 << (i / octetElements % 8)
			mask = append(mask, m)
		}
	}
	return octets, mask
}
