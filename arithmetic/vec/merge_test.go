package vec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// mergedBySteps is Merge by the kernels for one operand each.
func mergedBySteps(base []float32, c float32, terms []Term) []float32 {
	var sum []float32
	for _, t := range terms {
		d := slices.Clone(t.X)
		if t.less != 0 {
			Sub(d, base)
		}
		Scale(d, t.Weight)
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
			var terms []Term
			for i := range count {
				x := cut(numbers(uint64(n+1000*(i+1)), n+8), r.IntN(9), n)
				if plain {
					x = normals(r, n)
				}
				if r.IntN(2) == 0 {
					terms = append(terms, Difference(x, float32(r.NormFloat64())))
				} else {
					terms = append(terms, Model(x, float32(r.NormFloat64())))
				}
			}
			c := float32(r.NormFloat64())
			want := mergedBySteps(base, c, terms)
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

// TestMergeTouchesNothingElse: neighbours of dst stay.
func TestMergeTouchesNothingElse(t *testing.T) {
	for _, n := range lengths() {
		for _, stream := range []bool{false, true} {
			room := slices.Repeat([]float32{7}, n+32)
			x := make([]float32, n)
			Merge(room[8:8+n], x, 1, []Term{Difference(x, 1)}, stream)
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
			if Merge(make([]float32, n), make([]float32, n), 1e-38, []Term{Difference(x, 1e-20)}, false) {
				t.Errorf("element %d is %v, and all is said to be finite", i, v)
			}
		}
	}
}
