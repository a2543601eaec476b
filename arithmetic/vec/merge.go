package vec

import (
	"math"
	"unsafe"
)

// Term is one addend of [Merge]: a task vector, or a model whose difference from the base is one, and its weight. Make one with
// [TermF32], [TermBF16] or [TermF16].
type Term struct {
	at     unsafe.Pointer // the first element
	weight float32
	less   uint32 // all ones where the base is to be subtracted: kernels mask it with that
	kind   uint32 // of the elements
	n      uint32
}

// The kinds of elements. Kernels know them by their numbers, and the layout of a Term.
const (
	kindF32 = iota
	kindBF16
	kindF16
)

// mostTerm is the most elements that a term may have.
const mostTerm = math.MaxUint32

func term[T any](x []T, n int, w float32, kind uint32) Term {
	if n > mostTerm {
		panic("vec: a term of too many elements")
	}
	return Term{at: unsafe.Pointer(unsafe.SliceData(x)), weight: w, kind: kind, n: uint32(n)}
}

// TermF32 is the term w·x.
func TermF32(x []float32, w float32) Term { return term(x, len(x), w, kindF32) }

// TermBF16 is the term w·x of bfloat16, little-endian.
func TermBF16(x []byte, w float32) Term { return term(x, len(x)/2, w, kindBF16) }

// TermF16 is the term w·x of IEEE half precision, little-endian.
func TermF16(x []byte, w float32) Term { return term(x, len(x)/2, w, kindF16) }

// LessBase is the term w·(x − base).
func (t Term) LessBase() Term {
	t.less = ^uint32(0)
	return t
}

// Merge computes dst[i] = base[i] + c·Σ_t d_t[i], where d_t is w·x, or w·(x − base) for terms [Term.LessBase], in one pass
// over all operands: the sum begins with the first term and takes the others in order. dst may be base. It tells whether all of dst
// is finite, which it is not where a value that took part was not.
//
// With stream, dst may be written past the caches: for a caller who does not read it soon.
func Merge(dst, base []float32, c float32, terms []Term, stream bool) (finite bool) {
	mustMatch(dst, base)
	for _, t := range terms {
		if int(t.n) != len(dst) {
			panic("vec: slices of different lengths")
		}
	}
	if len(terms) == 0 {
		panic("vec: a merge of nothing")
	}
	most, i := fastMerge(dst, base, c, terms, stream)
	base = base[:len(dst)]
	for ; i < len(dst); i++ {
		b := base[i]
		sum := terms[0].of(i, b)
		for j := 1; j < len(terms); j++ {
			sum += terms[j].of(i, b)
		}
		dst[i] = b + float32(c*sum)
		most = max(most, Magnitude(dst[i]))
	}
	return most < infinity
}

// infinity is the magnitude from which on nothing is finite.
const infinity = 0x7f800000

// of is the term's element i; b is the base's.
func (t *Term) of(i int, b float32) float32 {
	var x float32
	switch t.kind {
	case kindF32:
		x = *(*float32)(unsafe.Add(t.at, 4*i))
	case kindBF16:
		x = math.Float32frombits(uint32(t.half(i)) << 16)
	default:
		x = fromHalf(t.half(i))
	}
	if t.less != 0 {
		x -= b
	}
	return float32(t.weight * x)
}

func (t *Term) half(i int) uint16 {
	b := (*[2]byte)(unsafe.Add(t.at, 2*i))
	return uint16(b[0]) | uint16(b[1])<<8
}

// fromHalf is a number of half precision: 1 bit of sign, 5 of exponent, 10 of fraction.
func fromHalf(h uint16) float32 {
	sign, exponent, fraction := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // subnormal: a multiple of 2⁻²⁴, which is exact
		return math.Float32frombits(math.Float32bits(float32(fraction)*0x1p-24) | sign)
	case 0x1f:
		exponent = 0xff
	default:
		exponent += 127 - 15
	}
	return math.Float32frombits(sign | exponent<<23 | fraction<<13)
}

// aligned tells whether x begins at a multiple of 32 bytes.
func aligned(x []float32) bool { return uintptr(unsafe.Pointer(unsafe.SliceData(x)))%32 == 0 }
