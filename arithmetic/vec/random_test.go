package vec

import (
	"math"
	"math/bits"
	"slices"
	"testing"
)

const draws = 1 << 20

// keys are close to each other and far apart.
var keys = [...]uint64{0, 1, 2, 3, 1 << 32, 1 << 63, 0x0123456789abcdef, math.MaxUint64}

func stream(key uint64, n int) []uint32 {
	d := make([]uint32, n)
	Random(key, 0, d)
	return d
}

// The known answers of SplitMix64 for the seed 1234567, whose counter is advanced before its first output.
func TestRandomIsSplitMix64(t *testing.T) {
	got := stream(1234567+0x9e3779b97f4a7c15, 10)
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		if v := uint64(got[2*i]) | uint64(got[2*i+1])<<32; v != want {
			t.Errorf("number %d is %d, want %d", i, v, want)
		}
	}
}

// TestAnyRangeOfAStream takes ranges at every length and from odd places, also beyond 2³², and single elements, which no kernel
// makes.
func TestAnyRangeOfAStream(t *testing.T) {
	for _, key := range keys {
		for _, n := range lengths() {
			for _, offset := range []int{0, 1, 2, 7, 1<<33 + 5} {
				got := make([]uint32, n+1)
				Random(key, offset, got[:n])
				for i := range n {
					var one [1]uint32
					if Random(key, offset+i, one[:]); got[i] != one[0] {
						t.Fatalf("key %x: element %d of %d from %d is %x, alone %x", key, i, n, offset, got[i], one[0])
					}
				}
				if got[n] != 0 {
					t.Fatalf("%d elements were asked for and more written", n)
				}
			}
		}
	}
}

func TestBernoulliFollowsTheDraws(t *testing.T) {
	for _, p := range []float64{0, -1, math.NaN(), math.Inf(-1), 0x1p-33, 0x1p-32, 0.1, 1.0 / 3, 0.5, 0.9, 1 - 0x1p-32, 1 - 0x1p-33, 1, 2, math.Inf(1)} {
		for _, n := range lengths() {
			for _, offset := range []int{0, 1, 30, 1<<33 + 5} {
				x := numbers(5, n+2)
				got := slices.Clone(x)
				Bernoulli(got[1:n+1], 9, offset, p)
				d := make([]uint32, n)
				Random(9, offset, d)
				for i := range x {
					want := x[i]
					if i >= 1 && i <= n && !(float64(d[i-1]) < p*0x1p32) {
						want = 0
					}
					if !same(got[i], want) {
						t.Fatalf("p %v, %d elements from %d: element %d is %v, want %v", p, n, offset, i-1, got[i], want)
					}
				}
			}
		}
	}
}

// An element's own draw is the edge: at p = draw/2³² it goes, above it stays.
func TestBernoulliAtTheEdge(t *testing.T) {
	for i, u := range stream(9, 16) {
		for _, n := range []int{1, 16} { // portable code, kernel
			offset := i / n * n
			for above, want := range []float32{0, 1} {
				x := slices.Repeat([]float32{1}, n)
				Bernoulli(x, 9, offset, (float64(u)+0.5*float64(above))*0x1p-32)
				if x[i-offset] != want {
					t.Errorf("element %d of %d, draw %x: %v, want %v", i-offset, n, u, x[i-offset], want)
				}
			}
		}
	}
}

// sigmas is how far a statistic may lie from its expectation, in its standard deviations. The streams are fixed, so it is decided
// once whether they pass.
const sigmas = 5

// TestDrawsAreUniform counts each byte and each half byte of the draws: χ² with k − 1 degrees of freedom has mean k − 1 and
// variance 2(k − 1).
func TestDrawsAreUniform(t *testing.T) {
	for _, key := range keys {
		d := stream(key, draws)
		for _, width := range []int{4, 8} {
			for shift := 0; shift < 32; shift += width {
				counts := make([]int, 1<<width)
				for _, u := range d {
					counts[u>>shift&(1<<width-1)]++
				}
				expected, chi := float64(draws)/float64(len(counts)), 0.0
				for _, c := range counts {
					chi += (float64(c) - expected) * (float64(c) - expected) / expected
				}
				free := float64(len(counts) - 1)
				if z := (chi - free) / math.Sqrt(2*free); math.Abs(z) > sigmas {
					t.Errorf("key %x, bits %d to %d: χ² is %.1f, %.1f standard deviations from %v", key, shift, shift+width-1, chi, z, free)
				}
			}
		}
	}
}

// correlation of two streams of uniform numbers, in standard deviations of that of independent ones.
func correlation(a, b []uint32) float64 {
	const mean = 0x1p31 - 0.5
	sum := 0.0
	for i := range a {
		sum += (float64(a[i]) - mean) * (float64(b[i]) - mean)
	}
	return sum / (0x1p64 / 12) / math.Sqrt(float64(len(a)))
}

// agreement of the bits of two streams, in standard deviations of that of independent ones.
func agreement(a, b []uint32) float64 {
	equal := 0
	for i := range a {
		equal += 32 - bits.OnesCount32(a[i]^b[i])
	}
	n := 32 * float64(len(a))
	return (float64(equal) - n/2) / math.Sqrt(n/4)
}

func TestDrawsAreIndependent(t *testing.T) {
	for _, key := range keys {
		d := stream(key, draws)
		for _, lag := range []int{1, 2, 3, 4, 8, 64, 768, 1024} {
			a, b := d[lag:], d[:draws-lag]
			if z, y := correlation(a, b), agreement(a, b); math.Abs(z) > sigmas || math.Abs(y) > sigmas {
				t.Errorf("key %x: elements %d apart correlate, by %.1f standard deviations; their bits by %.1f", key, lag, z, y)
			}
		}
		for _, other := range keys {
			if other == key {
				continue
			}
			e := stream(other, draws)
			if z, y := correlation(d, e), agreement(d, e); math.Abs(z) > sigmas || math.Abs(y) > sigmas {
				t.Errorf("keys %x and %x correlate, by %.1f standard deviations; their bits by %.1f", key, other, z, y)
			}
		}
	}
}

// TestBernoulliKeepsItsShare checks how many elements stay, and that neighbours stay independently.
func TestBernoulliKeepsItsShare(t *testing.T) {
	x := make([]float32, draws)
	for _, key := range keys {
		for _, p := range []float64{0.001, 0.1, 0.5, 0.53, 0.9, 0.999} {
			for i := range x {
				x[i] = 1
			}
			Bernoulli(x, key, 0, p)
			kept, pairs := 0.0, 0.0
			for i, v := range x {
				kept += float64(v)
				if i > 0 {
					pairs += (float64(v) - p) * (float64(x[i-1]) - p)
				}
			}
			if z := (kept - draws*p) / math.Sqrt(draws*p*(1-p)); math.Abs(z) > sigmas {
				t.Errorf("key %x: %v of %v stay, %.1f standard deviations from %v", key, kept, draws, z, p)
			}
			if z := pairs / (p * (1 - p) * math.Sqrt(draws)); math.Abs(z) > sigmas {
				t.Errorf("key %x, p %v: neighbours correlate by %.1f standard deviations", key, p, z)
			}
		}
	}
}
