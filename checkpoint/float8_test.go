package checkpoint

import (
	"math"
	"path/filepath"
	"sort"
	"testing"
)

// eight is one 8-bit type as a test sees it.
type eight struct {
	dtype    DType
	to       func(float32) (uint8, bool)
	from     func(uint8) float32
	infinity bool
	limit    float64 // the least number that becomes what the type does not hold
	open     bool    // limit itself is still held
}

func eights() []eight {
	return []eight{
		{F8E4M3, toF8E4M3, fromF8E4M3, false, 464, true},
		{F8E5M2, toF8E5M2, fromF8E5M2, true, 61440, false},
	}
}

// Every code but NaNs is the code of its number.
func TestEightBitCodesRoundTrip(t *testing.T) {
	for _, e := range eights() {
		numbers := 0
		for code := range 256 {
			x := e.from(uint8(code))
			got, ok := e.to(x)
			if !ok {
				t.Errorf("%s %#02x is %v, which is refused", e.dtype, code, x)
			}
			if x != x {
				if y := e.from(got); y == y || got>>7 != uint8(code)>>7 {
					t.Errorf("%s: NaN %#02x became %#02x", e.dtype, code, got)
				}
				continue
			}
			numbers++
			if got != uint8(code) {
				t.Errorf("%s %#02x is %v, whose code is %#02x", e.dtype, code, x, got)
			}
		}
		if want := map[bool]int{false: 254, true: 250}[e.infinity]; numbers != want {
			t.Errorf("%s: %d codes are numbers or infinite, want %d", e.dtype, numbers, want)
		}
	}
}

// Four million float32 numbers, of every sign, exponent and first eleven digits, round to the nearest code; where two are equally
// near, to the even one.
func TestEightBitRounding(t *testing.T) {
	for _, e := range eights() {
		var codes []uint8 // of numbers 0 and above, rising
		for code := range uint8(0x80) {
			if x := float64(e.from(code)); !math.IsInf(x, 0) && x == x {
				codes = append(codes, code)
			}
		}
		nearest := func(x float64) uint8 {
			i := sort.Search(len(codes), func(i int) bool { return float64(e.from(codes[i])) >= x })
			switch {
			case i == len(codes):
				return codes[i-1]
			case i == 0:
				return codes[0]
			}
			below, above := x-float64(e.from(codes[i-1])), float64(e.from(codes[i]))-x
			if below < above || below == above && codes[i-1]&1 == 0 {
				return codes[i-1]
			}
			return codes[i]
		}
		ties := 0
		for top := range uint32(1 << 20) {
			for _, low := range []uint32{0, 1, 0x800, 0xfff} {
				x := math.Float32frombits(top<<12 | low)
				size := math.Abs(float64(x))
				got, ok := e.to(x)
				held := size < e.limit || size == e.limit && e.open || x != x || math.IsInf(size, 0) && e.infinity
				switch {
				case ok != held:
					t.Fatalf("%s(%v): held %v, want %v", e.dtype, x, ok, held)
				case !held:
				case x != x || math.IsInf(size, 0):
					if y := e.from(got); !sameFloat(x, y) {
						t.Fatalf("%s(%v) = %#02x, which is %v", e.dtype, x, got, y)
					}
				case got != nearest(size)|uint8(math.Float32bits(x)>>24&0x80):
					t.Fatalf("%s(%v) = %#02x, want %#02x", e.dtype, x, got, nearest(size))
				default:
					if back := math.Abs(float64(e.from(got))); back != size && 2*size-back != back && isCode(e, codes, 2*size-back) {
						ties++
					}
				}
			}
		}
		if ties < 200 {
			t.Errorf("%s: %d ties were met, want at least 200", e.dtype, ties)
		}
	}
}

func isCode(e eight, codes []uint8, x float64) bool {
	i := sort.Search(len(codes), func(i int) bool { return float64(e.from(codes[i])) >= x })
	return i < len(codes) && float64(e.from(codes[i])) == x
}

// PyTorch rounds the same numbers to the same codes.
func TestGoldenEightBitRounding(t *testing.T) {
	m := open(t, "testdata/rounding8.safetensors")
	x, err := ReadAll(m, "x")
	if err != nil || len(x) < 2000 {
		t.Fatalf("%d numbers, %v; want at least 2000", len(x), err)
	}
	for _, e := range eights() {
		raw, err := m.Raw(map[DType]string{F8E4M3: "e4m3", F8E5M2: "e5m2"}[e.dtype])
		if err != nil {
			t.Fatal(err)
		}
		refused := 0
		for i, v := range x {
			got, ok := e.to(v)
			if !ok {
				refused++
				if raw[i]&0x7f < 0x7c { // PyTorch has the greatest number of the one type, infinity of the other
					t.Errorf("%s(%v) is refused, PyTorch has %v", e.dtype, v, e.from(raw[i]))
				}
				continue
			}
			if got != raw[i] && v == v {
				t.Errorf("%s(%v) = %#02x, want %#02x", e.dtype, v, got, raw[i])
			}
		}
		if refused < 10 {
			t.Errorf("%s: %d numbers refused, want at least 10", e.dtype, refused)
		}
	}
}

// A model converts to 8 bits and back; what the type cannot hold names the element.
func TestWriteEightBits(t *testing.T) {
	for _, e := range eights() {
		path := filepath.Join(t.TempDir(), "m.safetensors")
		src := memory(t, Tensor{Name: "w", Shape: []int{4}, Data: []float32{1, -0.3, 0, 300}})
		if err := Write(t.Context(), path, src, WriteOptions{DType: e.dtype}); err != nil {
			t.Fatal(err)
		}
		m := open(t, path)
		got, err := ReadAll(m, "w")
		if info, _ := Find(m, "w"); err != nil || info.DType != e.dtype || info.Bytes() != 4 {
			t.Fatalf("%v, %v; want 4 bytes of %s", info, err, e.dtype)
		}
		for i, x := range []float32{1, -0.3, 0, 300} {
			if code, _ := e.to(x); got[i] != e.from(code) {
				t.Errorf("%s: element %d is %v, want %v", e.dtype, i, got[i], e.from(code))
			}
		}
		big := memory(t, Tensor{Name: "w", Shape: []int{3}, Data: []float32{1, 2, 1e5}})
		err = Write(t.Context(), filepath.Join(t.TempDir(), "m.safetensors"), big, WriteOptions{DType: e.dtype})
		if want := "element 2: 100000 is beyond the range of " + string(e.dtype); !contains(err, want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}
