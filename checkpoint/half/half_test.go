package half

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// types are the two types, and what their numbers are made of.
var types = []struct {
	name     string
	from     func(dst []float32, src []byte) bool
	to       func(dst []byte, src []float32) int
	narrow   func(float32) uint16
	widen    func(uint16) float32
	fraction int    // bits of it
	inf      uint16 // bits of infinity
	over     uint32 // bits of the least float32 that rounds to infinity
	quieten  bool   // what widening does with a signalling NaN
}{
	{"BF16", FromBF16, ToBF16, narrowBF16, widenBF16, 7, 0x7f80, 0x7f7f8000, false},
	{"F16", FromF16, ToF16, narrowF16, widenF16, 10, 0x7c00, 0x477ff000, true},
}

// patterns cover every branch: all halves widened, their neighbours, ties, the ends of ranges, NaN; and many at random.
func patterns(random int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	var x []float32
	for h := range 1 << 16 {
		for _, low := range []uint32{0, 1, 0x7fff, 0x8000, 0x8001, 0xffff} {
			x = append(x, math.Float32frombits(uint32(h)<<16|low))
		}
	}
	for h := range 1 << 16 {
		w := math.Float32bits(widenF16(uint16(h)))
		for _, d := range []uint32{0, 1, 0xfff, 0x1000, 0x1001} {
			x = append(x, math.Float32frombits(w+d))
		}
	}
	for range random {
		x = append(x, math.Float32frombits(r.Uint32()))
	}
	return x
}

// TestWiden holds all 65,536 codes of each type to the definition of a binary floating-point number, bit for bit.
func TestWiden(t *testing.T) {
	for _, k := range types {
		src := make([]byte, 1, 1+2<<16) // from an odd place
		for h := range 1 << 16 {
			src = binary.LittleEndian.AppendUint16(src, uint16(h))
		}
		got := make([]float32, 1<<16)
		k.from(got, src[1:])
		for h, v := range got {
			exponent, fraction := h&0x7fff>>k.fraction, h&(1<<k.fraction-1)
			bias := int(k.inf) >> k.fraction >> 1
			var want uint32
			switch {
			case h&0x7fff > int(k.inf): // a NaN keeps its payload at the upper end
				want = 0x7f800000 | uint32(fraction)<<(23-k.fraction)
				if k.quieten {
					want |= 0x00400000
				}
			case h&0x7fff == int(k.inf):
				want = 0x7f800000
			case exponent == 0:
				want = math.Float32bits(float32(math.Ldexp(float64(fraction), 1-bias-k.fraction)))
			default:
				want = math.Float32bits(float32(math.Ldexp(float64(fraction+1<<k.fraction), exponent-bias-k.fraction)))
			}
			want |= uint32(h) & 0x8000 << 16
			if math.Float32bits(v) != want {
				t.Fatalf("%s: %04x is %08x, want %08x", k.name, h, math.Float32bits(v), want)
			}
			var one [1]float32 // no kernel takes so few
			if finite := k.from(one[:], src[1+2*h:]); finite != (h&0x7fff < int(k.inf)) {
				t.Fatalf("%s: %04x is finite: %v", k.name, h, finite)
			}
			if math.Float32bits(one[0]) != want {
				t.Fatalf("%s: %04x alone is %08x, want %08x", k.name, h, math.Float32bits(one[0]), want)
			}
		}
	}
}

// nearest is the 16-bit number nearest to x by exhaustive rule: widen the two candidates and compare in float64, ties to even.
func nearest(x float32, widen func(uint16) float32, low uint16) uint16 {
	high := low + 1
	a, b := math.Abs(float64(widen(low))), math.Abs(float64(widen(high)))
	if math.IsInf(b, 0) {
		b = 2*a - math.Abs(float64(widen(low-1))) // one step beyond the largest
	}
	m := math.Abs(float64(x))
	switch {
	case m-a < b-m || m-a == b-m && low&1 == 0:
		return low
	}
	return high
}

// TestNarrow holds single numbers to the rule.
func TestNarrow(t *testing.T) {
	x := patterns(1 << 20)
	for _, k := range types {
		t.Run(k.name, func(t *testing.T) {
			got := make([]byte, 2)
			for _, v := range x {
				beyond := k.to(got, []float32{v})
				h, u := binary.LittleEndian.Uint16(got), math.Float32bits(v)
				var want uint16
				switch {
				case v != v: // quiet, with the upper bits of its payload
					want = k.inf | 1<<(k.fraction-1) | uint16(u&0x7fffff>>(23-k.fraction))
				case math.IsInf(float64(v), 0):
					want = k.inf
				default:
					// The largest 16-bit magnitude not above |v|, by bisection.
					lo, hi := uint16(0), k.inf
					for lo+1 < hi {
						mid := lo + (hi-lo)/2
						if math.Abs(float64(k.widen(mid))) <= math.Abs(float64(v)) {
							lo = mid
						} else {
							hi = mid
						}
					}
					want = nearest(v, k.widen, lo)
				}
				want |= uint16(u >> 16 & 0x8000)
				if h != want {
					t.Fatalf("%v (%08x) became %04x, want %04x", v, u, h, want)
				}
				if over := want&0x7fff == k.inf && !math.IsInf(float64(v), 0); (beyond == 0) != over {
					t.Fatalf("%v: beyond is %d", v, beyond)
				}
				if want&0x7fff == k.inf != (u&0x7fffffff >= k.over && v == v) {
					t.Fatalf("%v becomes %04x: the test's bound of what is beyond is wrong", v, want)
				}
			}
		})
	}
}

// TestKernels holds whatever this processor runs against the scalar code, for all patterns at once and for every short length and
// alignment, and checks that nothing is written around.
func TestKernels(t *testing.T) {
	all := patterns(4 << 20)
	for _, k := range types {
		check := func(x []float32, shift int) {
			t.Helper()
			const guard = 0xa5
			around := make([]byte, shift+2*len(x)+3)
			for i := range around {
				around[i] = guard
			}
			dst := around[shift : shift+2*len(x)]
			beyond := -1
			for i, v := range x {
				if m := math.Float32bits(v) & 0x7fffffff; m >= k.over && m < 0x7f800000 {
					beyond = i
					break
				}
			}
			if got := k.to(dst, x); got != beyond {
				t.Fatalf("%s of %d: beyond is %d, want %d", k.name, len(x), got, beyond)
			}
			back := make([]float32, len(x)+1)
			k.from(back[:len(x)], dst)
			for i, v := range x {
				h := binary.LittleEndian.Uint16(dst[2*i:])
				if want := k.narrow(v); h != want {
					t.Fatalf("%s: element %d of %d, %08x: %04x, want %04x", k.name, i, len(x), math.Float32bits(v), h, want)
				}
				if got, want := math.Float32bits(back[i]), math.Float32bits(k.widen(h)); got != want {
					t.Fatalf("%s: %04x widens to %08x, want %08x", k.name, h, got, want)
				}
			}
			for i, b := range around {
				if (i < shift || i >= shift+2*len(x)) && b != guard {
					t.Fatalf("%s of %d wrote around its slice", k.name, len(x))
				}
			}
			if back[len(x)] != 0 {
				t.Fatalf("%s of %d widened more than that", k.name, len(x))
			}
		}
		check(all, 0)
		var inRange []float32 // so that the narrowing kernels finish their work
		for _, v := range all {
			if m := math.Float32bits(v) & 0x7fffffff; m < k.over || m >= 0x7f800000 {
				inRange = append(inRange, v)
			}
		}
		check(inRange, 1)
		for n := range 71 {
			for shift := range 4 {
				check(all[len(all)-1000-7*n:][:n], shift)
				check(inRange[len(inRange)-1000-7*n:][:n], shift)
			}
		}
	}
}

// TestBeyondIsTheFirst puts numbers that are too large at every place, before others.
func TestBeyondIsTheFirst(t *testing.T) {
	for _, k := range types {
		for _, n := range []int{1, 31, 32, 33, 100} {
			for i := range n {
				x := make([]float32, n)
				x[0] = float32(math.Inf(1)) // is no overflow
				x[n-1] = -math.MaxFloat32
				x[i] = math.Float32frombits(k.over)
				if got := k.to(make([]byte, 2*n), x); got != i {
					t.Fatalf("%s: %d of %d, want %d", k.name, got, n, i)
				}
				x[i] = math.Float32frombits(k.over - 1)
				want := n - 1
				if i == want {
					want = -1
				}
				if got := k.to(make([]byte, 2*n), x); got != want {
					t.Fatalf("%s: %v at %d of %d: %d, want %d", k.name, x[i], i, n, got, want)
				}
			}
		}
	}
}

// What lies behind a slice in its array is not its own.
func TestShortBytesPanic(t *testing.T) {
	for _, k := range types {
		for name, f := range map[string]func(b []byte){
			"from": func(b []byte) { k.from(make([]float32, 40), b) },
			"to":   func(b []byte) { k.to(b, make([]float32, 40)) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s %s took 79 bytes for 40 numbers", name, k.name)
					}
				}()
				f(make([]byte, 79, 100))
			}()
		}
	}
}

// BenchmarkConvert reports the bytes read and written: 6 an element. The portable code is measured with -tags purego.
func BenchmarkConvert(b *testing.B) {
	const n = 1 << 13
	r := rand.New(rand.NewPCG(5, 6))
	x, wide := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = float32(0.02 * r.NormFloat64()) // as weights are
	}
	bf16, f16, narrow := make([]byte, 2*n), make([]byte, 2*n), make([]byte, 2*n)
	ToBF16(bf16, x)
	ToF16(f16, x)
	for _, k := range []struct {
		name string
		run  func()
	}{
		{"FromBF16", func() { FromBF16(wide, bf16) }},
		{"FromF16", func() { FromF16(wide, f16) }},
		{"ToBF16", func() { ToBF16(narrow, x) }},
		{"ToF16", func() { ToF16(narrow, x) }},
	} {
		b.Run(k.name, func(b *testing.B) {
			b.SetBytes(6 * n)
			for b.Loop() {
				k.run()
			}
		})
	}
}
