package checkpoint

import (
	"encoding/binary"
	"math"
	"testing"
)

// Every 8- and 16-bit code is judged as its number is; a C64 has two.
func TestFirstNonFiniteKnowsEveryCode(t *testing.T) {
	for _, dtype := range []DType{F8E4M3, F8E5M2, F16, BF16} {
		size := dtype.Size()
		for code := range 1 << (8 * size) {
			raw := binary.LittleEndian.AppendUint32(nil, uint32(code))[:size]
			var x [1]float32
			if err := decode(dtype, x[:], raw); err != nil {
				t.Fatal(err)
			}
			want := -1
			if v := float64(x[0]); math.IsNaN(v) || math.IsInf(v, 0) {
				want = 0
			}
			if got := firstNonFinite(dtype, raw); got != want {
				t.Errorf("%s %#x is %v: got %d, want %d", dtype, code, x[0], got, want)
			}
		}
	}
	for dtype, bad := range map[DType]int{F8E4M3FNUZ: 0x80, F8E5M2FNUZ: 0x80, F8E8M0: 0xff} {
		for code := range 256 {
			if got := firstNonFinite(dtype, []byte{0, byte(code)}); (got == 1) != (code == bad) || got == 0 {
				t.Errorf("%s %#02x: got %d", dtype, code, got)
			}
		}
	}
}

// At every place of a block, alone and before others, with neighbours of all kinds; whole numbers are never at fault.
func TestFirstNonFiniteFindsThePlace(t *testing.T) {
	for dtype, bad := range map[DType][]uint64{
		F64:    {0x7ff0000000000000, 0xfff0000000000000, 0x7ff0000000000001, 0xffffffffffffffff},
		F32:    {0x7f800000, 0xff800000, 0x7f800001, 0xffffffff},
		C64:    {0x7f800000, 0xff80000000000000, 0xffffffff3f800000, 0x7fc000007fc00000},
		F16:    {0x7c00, 0xfc00, 0x7c01, 0xffff},
		BF16:   {0x7f80, 0xff80, 0x7f81, 0xffff},
		F8E5M2: {0x7c, 0xfc, 0x7d, 0xff},
		F8E4M3: {0x7f, 0xff},
	} {
		size := dtype.Size()
		put := func(raw []byte, i int, v uint64) {
			copy(raw[i*size:(i+1)*size], binary.LittleEndian.AppendUint64(nil, v))
		}
		for _, n := range []int{0, 1, 2, 3, 7, 8, 9, 31, 33} {
			for _, near := range []uint64{0, bad[0] - 1, bad[0] - 1 | 1<<(8*size-1)} { // finite: 0, and the largest of each sign
				if dtype == C64 {
					near = 0x3f8000007f7fffff
				}
				raw := make([]byte, n*size)
				for i := range n {
					put(raw, i, near)
				}
				if got := firstNonFinite(dtype, raw); got != -1 {
					t.Errorf("%s: %d times %#x: got %d, want -1", dtype, n, near, got)
				}
				for _, b := range bad {
					for i := range n {
						one := append([]byte(nil), raw...)
						put(one, n-1, b)
						put(one, i, b)
						if got := firstNonFinite(dtype, one); got != i {
							t.Errorf("%s: %#x at %d of %d among %#x: got %d", dtype, b, i, n, near, got)
						}
					}
				}
			}
		}
	}
	all := make([]byte, 64)
	for i := range all {
		all[i] = 0xff
	}
	for _, dtype := range []DType{I64, U64, I32, U32, I16, U16, I8, U8, Bool, F4, F6E2M3, F6E3M2} {
		if got := firstNonFinite(dtype, all); got != -1 {
			t.Errorf("%s: got %d, want -1", dtype, got)
		}
	}
}

func BenchmarkFirstNonFinite(b *testing.B) {
	for _, dtype := range []DType{F32, BF16, F8E4M3} {
		b.Run(string(dtype), func(b *testing.B) {
			raw := make([]byte, 1<<20)
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if firstNonFinite(dtype, raw) >= 0 {
					b.Fatal("zeros are finite")
				}
			}
		})
	}
}
