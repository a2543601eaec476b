package half

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// words are patterns that cover every branch: all halves widened, their neighbours, ties, the ends of ranges, NaN.
func patterns() []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	var x []float32
	for h := range 1 << 16 {
		for _, low := range []uint32{0, 1, 0x7fff, 0x8000, 0x8001, 0xffff} {
			x = append(x, math.Float32frombits(uint32(h)<<16|low))
		}
	}
	for range 1 << 20 {
		x = append(x, math.Float32frombits(r.Uint32()))
	}
	for h := range 1 << 16 {
		w := math.Float32bits(widenF16(uint16(h)))
		for _, d := range []uint32{0, 1, 0xfff, 0x1000, 0x1001} {
			x = append(x, math.Float32frombits(w+d))
		}
	}
	return x
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

func TestNarrow(t *testing.T) {
	for _, k := range []struct {
		name   string
		to     func(dst []byte, src []float32) int
		narrow func(float32) uint16
		widen  func(uint16) float32
		inf    uint16
	}{{"BF16", ToBF16, narrowBF16, widenBF16, 0x7f80}, {"F16", ToF16, narrowF16, widenF16, 0x7c00}} {
		t.Run(k.name, func(t *testing.T) {
			x := patterns()
			got := make([]byte, 2)
			for _, v := range x {
				beyond := k.to(got, []float32{v})
				h := binary.LittleEndian.Uint16(got)
				switch {
				case v != v:
					if w := k.widen(h); w == w {
						t.Fatalf("NaN %08x became %v", math.Float32bits(v), w)
					}
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
					want := k.inf
					if !math.IsInf(float64(v), 0) {
						want = nearest(v, k.widen, lo)
					}
					if math.Signbit(float64(v)) {
						want |= 0x8000
					}
					if h != want {
						t.Fatalf("%v (%08x) became %04x, want %04x", v, math.Float32bits(v), h, want)
					}
					if over := want&0x7fff == k.inf && !math.IsInf(float64(v), 0); (beyond == 0) != over {
						t.Fatalf("%v: beyond is %d", v, beyond)
					}
				}
			}
		})
	}
}

// TestKernels holds whatever this processor runs against the scalar code, for all patterns at once and for every short length and
// alignment.
func TestKernels(t *testing.T) {
	all := patterns()
	check := func(x []float32, shift int) {
		for _, k := range []struct {
			name   string
			to     func([]byte, []float32) int
			from   func([]float32, []byte)
			narrow func(float32) uint16
			widen  func(uint16) float32
		}{{"BF16", ToBF16, FromBF16, narrowBF16, widenBF16}, {"F16", ToF16, FromF16, narrowF16, widenF16}} {
			dst := make([]byte, shift+2*len(x))[shift:]
			k.to(dst, x)
			back := make([]float32, len(x))
			k.from(back, dst)
			for i, v := range x {
				h := binary.LittleEndian.Uint16(dst[2*i:])
				if want := k.narrow(v); h != want {
					t.Fatalf("%s: element %d of %d, %08x: %04x, want %04x", k.name, i, len(x), math.Float32bits(v), h, want)
				}
				if got, want := math.Float32bits(back[i]), math.Float32bits(k.widen(h)); got != want {
					t.Fatalf("%s: %04x widens to %08x, want %08x", k.name, h, got, want)
				}
			}
		}
	}
	check(all, 0)
	var inRange []float32 // so that the narrowing kernels finish their work
	for _, v := range all {
		if m := math.Abs(float64(v)); m < 60000 || v != v {
			inRange = append(inRange, v)
		}
	}
	check(inRange, 1)
	for n := range 71 {
		check(inRange[1000:1000+n], n%3)
	}
}

func TestBeyondIsTheFirst(t *testing.T) {
	x := make([]float32, 100)
	x[70], x[80] = 1e5, 1e6
	if got := ToF16(make([]byte, 200), x); got != 70 {
		t.Errorf("ToF16: %d, want 70", got)
	}
	x[50] = math.MaxFloat32
	if got := ToBF16(make([]byte, 200), x); got != 50 {
		t.Errorf("ToBF16: %d, want 50", got)
	}
}

func BenchmarkConvert(b *testing.B) {
	x := make([]float32, 1<<13)
	for i := range x {
		x[i] = float32(i) / 8192
	}
	h := make([]byte, 2*len(x))
	for name, f := range map[string]func(){
		"FromBF16": func() { FromBF16(x, h) }, "FromF16": func() { FromF16(x, h) }, "ToBF16": func() { ToBF16(h, x) }, "ToF16": func() { ToF16(h, x) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(6 * len(x)))
			for b.Loop() {
				f()
			}
		})
	}
}
