package vec

import "unsafe"

// Term is one addend of [Merge]: a task vector, or a model whose difference from the base is one, and its weight.
type Term struct {
	X      []float32
	Weight float32
	less   uint32 // all ones where the base is to be subtracted: kernels mask it with that
}

// Difference is the term w·x.
func Difference(x []float32, w float32) Term { return Term{X: x, Weight: w} }

// Model is the term w·(x − base).
func Model(x []float32, w float32) Term { return Term{x, w, ^uint32(0)} }

// Merge computes dst[i] = base[i] + c·Σ_t d_t[i], where d_t is weight·x of a difference and weight·(x − base) of a model, in one pass
// over all operands: the sum begins with the first term and takes the others in order. dst may be base. It tells whether all of dst
// is finite, which it is not where a value that took part was not.
//
// With stream, dst may be written past the caches: for a caller who does not read it soon.
func Merge(dst, base []float32, c float32, terms []Term, stream bool) (finite bool) {
	mustMatch(dst, base)
	for _, t := range terms {
		mustMatch(dst, t.X)
	}
	if len(terms) == 0 {
		panic("vec: a merge of nothing")
	}
	most, i := fastMerge(dst, base, c, terms, stream)
	base = base[:len(dst)]
	for ; i < len(dst); i++ {
		b := base[i]
		sum := terms[0].of(i, b)
		for _, t := range terms[1:] {
			sum += t.of(i, b)
		}
		dst[i] = b + float32(c*sum)
		most = max(most, Magnitude(dst[i]))
	}
	return most < 0x7f800000
}

// of is the term's element i; b is the base's.
func (t *Term) of(i int, b float32) float32 {
	x := t.X[i]
	if t.less != 0 {
		x -= b
	}
	return float32(t.Weight * x)
}

// aligned tells whether x begins at a multiple of 32 bytes.
func aligned(x []float32) bool { return uintptr(unsafe.Pointer(unsafe.SliceData(x)))%32 == 0 }
