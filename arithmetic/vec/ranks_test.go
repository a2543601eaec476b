package vec

import (
	"math"
	"slices"
	"testing"
)

func TestAtLeast(t *testing.T) {
	for _, n := range lengths() {
		for _, c := range []float32{0, 1e-6, -0.5, math.MaxFloat32} {
			x := numbers(3, n+2)
			want := slices.Clone(x)
			for i := 1; i <= n; i++ {
				if want[i] < c {
					want[i] = c
				}
			}
			if AtLeast(cut(x, 1, n), c); !slices.EqualFunc(x, want, func(a, b float32) bool { return a == b || a != a && b != b }) {
				t.Fatalf("%d elements, at least %v: %v, want %v", n, c, x, want)
			}
		}
	}
}

func TestMagnitudesAreCounted(t *testing.T) {
	for _, n := range lengths() {
		x := numbers(4, n+2)[1 : n+1]
		most := uint32(0)
		for _, v := range x {
			most = max(most, Magnitude(v))
		}
		if got := MaxMagnitude(x); got != most {
			t.Fatalf("%d elements: largest magnitude %x, want %x", n, got, most)
		}
		for _, bound := range []uint32{0, 1, Magnitude(0.5), Magnitude(math.MaxFloat32), 1<<31 - 1, 1 << 31, math.MaxUint32} {
			want := 0
			for _, v := range x {
				if Magnitude(v) >= bound {
					want++
				}
			}
			if got := CountAtLeast(x, bound); got != want {
				t.Fatalf("%d elements: %d of at least %x, want %d", n, got, bound, want)
			}
		}
	}
}

func TestBuckets(t *testing.T) {
	for _, n := range lengths() {
		x := numbers(5, n+2)
		for i, v := range x {
			if m := math.Abs(float64(v)); !(m < 100) {
				x[i] = 0.25
			}
		}
		dst := make([]uint32, n+2)
		Buckets(dst[1:n+1], cut(x, 1, n), 1000.3)
		for i := 1; i <= n; i++ {
			if want := uint32(round(math.Abs(float64(x[i])) * float64(float32(1000.3)))); dst[i] != want {
				t.Fatalf("%d elements: %v is in bucket %d, want %d", n, x[i], dst[i], want)
			}
		}
		if dst[0] != 0 || dst[n+1] != 0 {
			t.Fatalf("%d elements were asked for and more written", n)
		}
	}
}

func TestBelow(t *testing.T) {
	for _, n := range lengths() {
		draws := stream(6, n+1)[1:]
		if n > 2 {
			draws[0], draws[1] = 0, math.MaxUint32
		}
		for _, limit := range []uint32{0, 1, 1 << 31, 3 << 30, math.MaxUint32} {
			bits := slices.Repeat([]uint64{math.MaxUint64}, (n+63)/64+1)
			Below(bits, draws, limit)
			for i, d := range draws {
				if got := bits[i>>6]>>(i&63)&1 == 1; got != (d < limit) {
					t.Fatalf("%d draws: %d below %d is %v", n, d, limit, got)
				}
			}
			if words := len(bits) - 1; n&63 > 0 && bits[words-1]>>(n&63) != 0 || bits[words] != math.MaxUint64 {
				t.Fatalf("%d draws: bits of %x", n, bits)
			}
		}
	}
}
