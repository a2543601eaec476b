package method

import "math/bits"

// A cut separates elements (of a task vector, say) by magnitude, without sorting them: those above are larger than the cut's
// value, and of those that equal it the ones before the index tie count as above (or those behind it). So "the k largest, and
// of equal ones the first" is one pair of numbers, and any range of the tensor is masked from that range alone.
//
// Magnitudes are compared as the bits of |x|, which order as the numbers do (NaN above infinity).
type cut struct {
	bits uint32
	tie  int
	last bool // of equal magnitudes the later ones count as larger: those from the index tie on
}

// above tells whether element i, with magnitude bits m, lies above the cut.
func (c cut) above(m uint32, i int) bool { return m > c.bits || m == c.bits && (i < c.tie) != c.last }

// Which of the elements that equal a cut lie above it, in some range: away from the tie the rule is one comparison.
const (
	someTies = iota
	noTies
	allTies
)

func (c cut) ties(offset, n int) int {
	switch {
	case !c.last && offset >= c.tie || c.last && offset+n <= c.tie:
		return noTies
	case !c.last && offset+n <= c.tie || c.last && offset >= c.tie:
		return allTies
	}
	return someTies
}

// kthLargest is the k-th largest of the magnitudes in some lists, all in [lo, hi); how many equal it; and how many of those the k
// largest hold. It counts digits of 11 bits, the highest first, and after each leaves only what shares it.
func kthLargest(lists [][]uint32, lo, hi uint32, k int) (value uint32, equal, rest int) {
	const digit = 11
	var counts [1 << digit]int
	for width := bits.Len32(hi - 1 - lo); ; {
		shift := max(0, width-digit)
		clear(counts[:])
		for _, list := range lists {
			for _, m := range list {
				counts[(m-lo)>>shift&(1<<digit-1)]++
			}
		}
		at := len(counts) - 1
		for ; counts[at] < k; at-- {
			k -= counts[at]
		}
		lo += uint32(at) << shift
		if shift == 0 {
			return lo, counts[at], k
		}
		next := make([]uint32, 0, counts[at])
		for _, list := range lists {
			for _, m := range list {
				if (m-lo)>>shift == 0 {
					next = append(next, m)
				}
			}
		}
		lists, width = [][]uint32{next}, shift
	}
}
