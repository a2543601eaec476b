package method

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

// kthLargest is the k-th largest magnitude, how many equal it, and how many of those the k largest hold. It counts digits of
// 11 bits, the highest first.
func kthLargest(all []uint32, k int) (value uint32, equal, rest int) {
	const bits = 11
	counts := make([]int, 1<<bits)
	for shift := 2 * bits; ; shift -= bits {
		clear(counts)
		for _, m := range all {
			if uint64(m)>>(shift+bits) == uint64(value)>>(shift+bits) {
				counts[m>>shift&(1<<bits-1)]++
			}
		}
		digit := len(counts) - 1
		for ; counts[digit] < k; digit-- {
			k -= counts[digit]
		}
		value |= uint32(digit) << shift
		if shift == 0 {
			return value, counts[digit], k
		}
	}
}
