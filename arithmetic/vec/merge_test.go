package vec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// addend is a term with its numbers, as they are and as bytes of a type.
type addend struct {
	Term
	x []float32
}

func (a addend) of16(to func(x []byte, w float32) Term, decode func(uint16) float32, bits []uint16) addend {
	raw := make([]byte, 1, 2*len(bits)+1) // so that elements are not aligned
	a.x = a.x[:0:0]
	for _, b := range bits {
		raw = append(raw, byte(b), byte(b>>8))
		a.x = append(a.x, decode(b))
	}
	return addend{to(raw[1:], a.weight), a.x}
}

func bfloat(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// mergedBySteps is Merge by the kernels for one operand each.
func mergedBySteps(base []float32, c float32, terms []addend) []float32 {
	var sum []float32
	for _, t := range terms {
		d := slices.Clone(t.x)
		if t.less != 0 {
			Sub(d, base)
		}
		Scale(d, t.weight)
		if sum == nil {
			sum = d
		} else {
			Add(sum, d)
		}
	}
	dst := slices.Clone(base)
	AddScaled(dst, c, sum)
	return dst
}

// TestMergeIsItsSteps: bit for bit, with all special values, any number of terms of both kinds, any length and alignment, in place.
func TestMergeIsItsSteps(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	finite := 0
	for _, n := range lengths() {
		for count := 1; count <= 5; count++ {
			shift := r.IntN(9)
			base, dst := cut(numbers(uint64(n), n+8), r.IntN(9), n), cut(make([]float32, n+16), shift, n)
			plain := r.IntN(2) == 0 // nothing special
			if plain {
				base = normals(r, n)
			}
			var addends []addend
			for i := range count {
				x := cut(numbers(uint64(n+1000*(i+1)), n+8), r.IntN(9), n)
				bits := make([]uint16, n)
				for i := range bits {
					bits[i] = uint16(r.Uint32())
				}
				if plain {
					x = normals(r, n)
					for i := range bits {
						bits[i] &= 0xbfff // no exponent of ones, no large number
					}
				}
				w := float32(r.NormFloat64())
				a := addend{TermF32(x, w), x}
				switch r.IntN(3) {
				case 1:
					a = a.of16(TermBF16, bfloat, bits)
				case 2:
					a = a.of16(TermF16, fromHalf, bits)
				}
				if r.IntN(2) == 0 {
					a.Term = a.LessBase()
				}
				addends = append(addends, a)
			}
			c := float32(r.NormFloat64())
			want := mergedBySteps(base, c, addends)
			var terms []Term
			for _, a := range addends {
				terms = append(terms, a.Term)
			}
			if r.IntN(2) == 0 {
				copy(dst, base)
				base = dst
			}
			got := Merge(dst, base, c, terms, r.IntN(2) == 0)
			for i := range want {
				if !same(dst[i], want[i]) {
					t.Fatalf("%d elements, %d terms: element %d is %v, want %v", n, count, i, dst[i], want[i])
				}
			}
			if all := FirstNonFinite(want) < 0; got != all {
				t.Fatalf("%d elements, %d terms: finite is %v, want %v", n, count, got, all)
			}
			if got && n > 0 {
				finite++
			}
		}
	}
	if finite == 0 {
		t.Error("no merge was finite")
	}
}

func normals(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// TestFromHalf: the format's landmarks (IEEE 754-2019, table 3.5), and what is between neighbours.
func TestFromHalf(t *testing.T) {
	for bits, want := range map[uint16]float32{
		0: 0, 0x8000: float32(math.Copysign(0, -1)), 1: 0x1p-24, 0x3ff: 1023 * 0x1p-24, 0x400: 0x1p-14, 0x3c00: 1, 0xc000: -2, 0x3555: 0.333251953125,
		0x7bff: 65504, 0x7c00: float32(math.Inf(1)), 0xfc00: float32(math.Inf(-1)), 0x7e01: float32(math.NaN()),
	} {
		if got := fromHalf(bits); !same(got, want) {
			t.Errorf("%#x is %v, want %v", bits, got, want)
		}
	}
	for bits := range uint16(0x7c00) {
		if next := fromHalf(bits + 1); !(fromHalf(bits) < next) || fromHalf(bits|0x8000) != -fromHalf(bits) {
			t.Fatalf("%#x is %v, the next %v", bits, fromHalf(bits), next)
		}
	}
}

// TestMergeTouchesNothingElse: neighbours of dst stay.
func TestMergeTouchesNothingElse(t *testing.T) {
	for _, n := range lengths() {
		for _, stream := range []bool{false, true} {
			room := slices.Repeat([]float32{7}, n+32)
			x := make([]float32, n)
			Merge(room[8:8+n], x, 1, []Term{TermF32(x, 1)}, stream)
			for i, v := range room {
				if inside := i >= 8 && i < 8+n; v != 7 && !inside || inside && v != 0 {
					t.Fatalf("%d elements: element %d is %v", n, i-8, v)
				}
			}
		}
	}
}

// TestMergeSeesOneNonFinite wherever it stands.
func TestMergeSeesOneNonFinite(t *testing.T) {
	const n = 200
	for i := range n {
		for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			x := make([]float32, n)
			x[i] = v
			if Merge(make([]float32, n), make([]float32, n), 1e-38, []Term{TermF32(x, 1e-20)}, false) {
				t.Errorf("element %d is %v, and all is said to be finite", i, v)
			}
		}
	}
}
