package dataset

import "math/bits"

// mt19937 is the Mersenne Twister of Matsumoto and Nishimura 1998 (32 bits), as numpy's RandomState runs it: published splits are
// made with it, and cannot be had another way.
type mt19937 struct {
	state [624]uint32
	at    int
}

// newMT19937 seeds as numpy.random.seed(seed) does: Knuth's recurrence, TAOCP vol. 2, 3rd ed., p. 106, in the 2002 version.
func newMT19937(seed uint32) *mt19937 {
	m := &mt19937{at: 624}
	for i := range m.state {
		m.state[i] = seed
		seed = 1812433253*(seed^seed>>30) + uint32(i) + 1
	}
	return m
}

// uint32 is the next output, tempered.
func (m *mt19937) uint32() uint32 {
	if m.at == len(m.state) {
		m.twist()
	}
	y := m.state[m.at]
	m.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (m *mt19937) twist() {
	const n, shift = 624, 397
	for i := range n {
		y := m.state[i]&0x80000000 | m.state[(i+1)%n]&0x7fffffff
		next := m.state[(i+shift)%n] ^ y>>1
		if y&1 == 1 {
			next ^= 0x9908b0df
		}
		m.state[i] = next
	}
	m.at = 0
}

// upTo is uniform on 0..most: outputs are masked to the bits of most, and drawn again when above it.
func (m *mt19937) upTo(most uint32) uint32 {
	if most == 0 {
		return 0
	}
	mask := uint32(1)<<bits.Len32(most) - 1
	for {
		if v := m.uint32() & mask; v <= most {
			return v
		}
	}
}

// permutation is list(range(n)) after numpy.random.shuffle: Fisher and Yates from the end.
func (m *mt19937) permutation(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := m.upTo(uint32(i))
		order[i], order[j] = order[j], order[i]
	}
	return order
}
