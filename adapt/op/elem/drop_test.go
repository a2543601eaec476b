package elem

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// dropScalar is dropout as it was first written, one element after the other: the
// masks of training runs that are to be repeated. Nothing of it is shared with
// what it tests.
func dropScalar(x []float32, p float32, seed uint64, index int) {
	finalise := func(z uint64) uint64 {
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	for i := range x {
		number := finalise(finalise(seed) + uint64((index+i)/2)*0x9e3779b97f4a7c15)
		if (index+i)%2 == 0 {
			number %= 1 << 32
		} else {
			number >>= 32
		}
		if scale := 1 / (1 - p); number < uint64(float64(p)*(1<<32)) {
			x[i] = 0
		} else {
			x[i] *= scale
		}
	}
}

// TestDrop holds the kernel and the portable version to the scalar one, bit for
// bit, at every length, in place and not, and checks that nothing else is written.
func TestDrop(t *testing.T) {
	inf := float32(math.Inf(1))
	special := []float32{float32(math.NaN()), inf, -inf, float32(math.Copysign(0, -1)), 0x1p-149, 0x1.fffffep127}
	almost := math.Nextafter32(1, 0)
	dropped := 0
	for _, p := range []float32{0, 0x1p-33, 0x1p-32, 0.1, 0.5, 0.9, almost} {
		for _, seed := range []uint64{0, 1, 42, 1 << 31, math.MaxUint64} {
			for _, index := range []int{0, 1, 2, 7, 1 << 20, 1<<30 + 1, math.MaxInt - 101} {
				for n := range 71 {
					const guard = 9
					x := draw(n+guard, seed, 1)
					for i := range n {
						if i%5 == 3 {
							x[i] = special[i/5%len(special)]
						}
					}
					want := clone(x)
					dropScalar(want[:n], p, seed, index)
					for _, v := range want[:n] {
						if v == 0 {
							dropped++
						}
					}
					place := fmt.Sprintf("p %v, seed %d, index %d, length %d", p, seed, index, n)
					apart := clone(x)
					Drop(apart[:n], x[:n], p, seed, index)
					sameBits(t, place, apart, want)
					within := clone(x)
					Drop(within[:n], within[:n], p, seed, index)
					sameBits(t, place+", in place", within, want)
					if index%2 == 0 {
						portable := clone(x)
						state := mix(seed) + uint64(index/2)*golden
						dropGo(portable[:n], x[:n], 1/(1-p), uint32(float64(p)*(1<<32)), state)
						sameBits(t, place+", portable", portable, want)
					}
				}
			}
		}
	}
	if dropped == 0 {
		t.Error("nothing was dropped")
	}
}

// TestDropPlace cuts a slice at every place, and begins it there.
func TestDropPlace(t *testing.T) {
	const p, seed, index = 0.3, 5, 11
	x := draw(67, 2, 2)
	whole := make([]float32, len(x))
	Drop(whole, x, p, seed, index)
	for cut := range x {
		parts := clone(x)
		Drop(parts[:cut], parts[:cut], p, seed, index)
		Drop(parts[cut:], parts[cut:], p, seed, index+cut)
		sameBits(t, fmt.Sprintf("cut at %d", cut), parts, whole)
	}
	other := make([]float32, len(x))
	Drop(other, x, p, seed, index+2)
	if slices.Equal(other, whole) {
		t.Error("another index, the same mask")
	}
}

func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, v := range want {
		if math.Float32bits(got[i]) != math.Float32bits(v) {
			t.Fatalf("%s: element %d is %v (%#08x), want %v (%#08x)", what, i, got[i], math.Float32bits(got[i]), v, math.Float32bits(v))
		}
	}
}

func BenchmarkDrop(b *testing.B) {
	x := draw(8192, 1, 1)
	y := make([]float32, len(x))
	b.SetBytes(int64(8 * len(x)))
	for b.Loop() {
		Drop(y, x, 0.1, 1, 0)
	}
}
