package vec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMagnitude(t *testing.T) {
	order := []float32{0, 1e-45, 1e-38, 1, 2, math.MaxFloat32, float32(math.Inf(1)), float32(math.NaN())}
	for i, x := range order {
		if Magnitude(x) != Magnitude(-x) {
			t.Errorf("%v and its negative differ", x)
		}
		if i > 0 && Magnitude(order[i-1]) >= Magnitude(x) {
			t.Errorf("%v is not below %v", order[i-1], x)
		}
	}
}

func TestBetween(t *testing.T) {
	const top = 1 << 31
	bounds := []uint32{0, 1, Magnitude(0.5), Magnitude(1), Magnitude(1.0001), Magnitude(math.MaxFloat32), Magnitude(float32(math.Inf(1))), top - 1, top, top + 1, math.MaxUint32}
	for _, n := range lengths() {
		x := numbers(1, n+2)[1 : n+1]
		for i, lo := range bounds {
			for _, hi := range bounds[i:] {
				above, inside := 0, []uint32{7} // what is there stays
				for _, v := range x {
					m := math.Float32bits(v) << 1 >> 1
					if m >= hi {
						above++
					} else if m >= lo {
						inside = append(inside, m)
					}
				}
				gotAbove, got := Between(x, lo, hi, []uint32{7})
				if gotAbove != above || !slices.Equal(got, inside) {
					t.Fatalf("%d elements in [%x, %x): %d above and %x, want %d and %x", n, lo, hi, gotAbove, got, above, inside)
				}
			}
		}
	}
}

// The list grows by what is found, not by what was looked at.
func TestBetweenTakesNoMoreRoomThanItFills(t *testing.T) {
	x := make([]float32, 1<<16)
	x[77] = 1
	if _, inside := Between(x, 1, 1<<31, nil); len(inside) != 1 || cap(inside) > 64 {
		t.Errorf("%d found in a list of %d", len(inside), cap(inside))
	}
}

func TestKeepBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	bits := make([]uint64, 40)
	for i := range bits {
		bits[i] = r.Uint64()
	}
	for _, n := range lengths() {
		for _, offset := range []int{0, 1, 2, 4, 7, 8, 63, 64, 65, 200} {
			x := numbers(4, n+2)
			got := slices.Clone(x)
			KeepBits(got[1:n+1], bits[:(offset+n+63)/64], offset)
			for i := range x {
				want := x[i]
				if at := i - 1 + offset; i >= 1 && i <= n && bits[at/64]&(1<<(at%64)) == 0 {
					want = 0
				}
				if !same(got[i], want) {
					t.Fatalf("%d elements from bit %d: element %d is %v, want %v", n, offset, i-1, got[i], want)
				}
			}
		}
	}
}

func TestFirstNonFinite(t *testing.T) {
	for _, n := range lengths() {
		x := ordinary(3, n+1)[1:]
		for i := 0; i < n; i += 3 { // what is as large as finite numbers get
			x[i] = float32(math.Copysign(math.MaxFloat32, float64(x[i])))
		}
		if got := FirstNonFinite(x); got != -1 {
			t.Fatalf("%d finite elements: %d", n, got)
		}
		for _, bad := range []uint32{0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffffffff} {
			for i := n - 1; i >= 0; i -= 1 + n/70 { // from behind, so that others follow
				x[i] = math.Float32frombits(bad)
				if got := FirstNonFinite(x); got != i {
					t.Fatalf("%x at %d of %d: %d", bad, i, n, got)
				}
			}
			copy(x, ordinary(3, n))
		}
	}
}
