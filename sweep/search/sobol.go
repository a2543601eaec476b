package search

import (
	"fmt"
	"math/bits"
	"strconv"
)

// sobol proposes the points of a Sobol sequence, one coordinate a parameter, scrambled by nested uniform (Owen) scrambling.
// Any 2^m points that begin the sequence hit each of 2^m equal intervals of every parameter exactly once, which no grid and
// no random points do in several dimensions. (Owen 1995, "Randomly permuted (t,m,s)-nets and (t,s)-sequences".)
type sobol struct {
	space Space
	seed  uint64
	v     [][32]uint32 // [parameter][bit] direction numbers
}

// indexTag keeps with a trial which point of the sequence it has.
const indexTag = "sobol:index"

// maxIndex bounds the indices that are believed, far below the 2^32 points that the sequence has.
const maxIndex = 1 << 31

func newSobol(cfg Config) (Sampler, error) {
	v := directions()
	if n := len(cfg.Space); n > len(v) {
		return nil, fmt.Errorf("%w: sampler %q: %d parameters, want at most %d", ErrSpace, cfg.Kind, n, len(v))
	}
	return sobol{cfg.Space, cfg.Seed, v[:len(cfg.Space)]}, nil
}

// Ask proposes the point whose index is the number of trials that have not failed, or follows the largest index that a trial
// has, whichever comes later: so a failure neither ends the sequence early nor makes a later point come twice.
func (s sobol) Ask(history []Trial) (Proposal, error) {
	index := counted(history)
	for _, t := range history {
		if i, err := strconv.Atoi(t.Tags[indexTag]); err == nil && i < maxIndex {
			index = max(index, i+1)
		}
	}
	point := s.space.point(func(dim int) float64 {
		return unit(scramble(sequence(&s.v[dim], uint32(index)), mix(s.seed^mix(uint64(dim+1)))))
	})
	return Proposal{Point: point, Tags: map[string]string{indexTag: strconv.Itoa(index)}}, nil
}

// unit maps the 32 bits of a coordinate to the middle of their interval, within (0, 1).
func unit(bits uint32) float64 { return (float64(bits) + 0.5) / (1 << 32) }

// directions returns the direction numbers of every dimension: v_j = m_j 2^(32-j), with the recurrence of Bratley and Fox
// 1988 (ACM Trans. Math. Softw. 14, 88-100), equation 2, for the m that the table does not give.
func directions() [][32]uint32 {
	table := joeKuo()
	all := make([][32]uint32, 1+len(table))
	for j := range all[0] {
		all[0][j] = 1 << (31 - j)
	}
	for d, p := range table {
		v, s := &all[1+d], int(p.s)
		for j := range v {
			if j < s {
				v[j] = p.m[j] << (31 - j)
				continue
			}
			v[j] = v[j-s] ^ v[j-s]>>s
			for k := 1; k < s; k++ {
				if p.a>>(s-1-k)&1 == 1 {
					v[j] ^= v[j-k]
				}
			}
		}
	}
	return all
}

// sequence returns one coordinate of point i, as the 32 bits after the binary point, in the order of the Gray code
// (Antonov and Saleev 1979).
func sequence(v *[32]uint32, i uint32) uint32 {
	var x uint32
	for gray := i ^ i>>1; gray != 0; gray &= gray - 1 {
		x ^= v[bits.TrailingZeros32(gray)]
	}
	return x
}

// scramble flips every bit of x by a fair coin that depends on the key and on the bits before it: Owen's scrambling exactly,
// with the coins of a hash in place of a table of 2^32 of them.
func scramble(x uint32, key uint64) uint32 {
	var flips uint32
	for b := range 32 {
		before := uint64(x) >> (32 - b) // the b bits before this one
		coin := mix(key^(1<<b|before)) >> 63
		flips |= uint32(coin) << (31 - b)
	}
	return x ^ flips
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014) after one step of its counter.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
