package checkpoint

import (
	"math"
	"math/bits"
	"slices"
	"strings"
)

// Bits is the number of bits of one element, 0 for a type that the format does not know.
func (d DType) Bits() int {
	switch d {
	case F64, I64, U64, C64:
		return 64
	case F32, I32, U32:
		return 32
	case F16, BF16, I16, U16:
		return 16
	case F8E4M3, F8E5M2, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ, I8, U8, Bool:
		return 8
	case F6E2M3, F6E3M2:
		return 6
	case F4:
		return 4
	}
	return 0
}

// Size is the number of bytes of one element, 0 for a type that the format does not know and for those of 4 and 6 bits, whose
// elements share bytes.
func (d DType) Size() int { return d.Bits() / 8 }

// bytes is the number of bytes of n elements. Of types of 4 and 6 bits n must be what fills whole bytes.
func (d DType) bytes(n int) int64 { return int64(n/8)*int64(d.Bits()) + int64(n%8*d.Bits()/8) }

// Integer tells whether the type holds whole numbers (BOOL counts as 0 and 1): such tensors are never converted.
func (d DType) Integer() bool {
	switch d {
	case I64, I32, I16, I8, U64, U32, U16, U8, Bool:
		return true
	}
	return false
}

// opaque tells the types that are carried as bytes only: never read as numbers, never converted.
func (d DType) opaque() bool {
	switch d {
	case C64, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ, F6E2M3, F6E3M2, F4:
		return true
	}
	return false
}

// Elements is the number of elements: the product of the shape, 1 for a scalar.
func (i Info) Elements() int {
	n := 1
	for _, d := range i.Shape {
		n *= d
	}
	return n
}

// Bytes is the size of the tensor as stored in its DType.
func (i Info) Bytes() int64 { return i.DType.bytes(i.Elements()) }

// measure multiplies a shape of elements of size bytes each, refusing what does not fit an int of bytes.
func measure(shape []int, size int) (elements int, ok bool) { return measureBits(shape, 8*size) }

// measureBits multiplies a shape of elements of some bits each, in order and refusing what does not fit 64 bits, as the
// reference does: a 0 hides only the dimensions after it.
func measureBits(shape []int, width int) (elements int, ok bool) {
	n := uint64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		var over uint64
		if over, n = bits.Mul64(n, uint64(d)); over != 0 {
			return 0, false
		}
	}
	over, total := bits.Mul64(n, uint64(width))
	if over != 0 || total/8 > math.MaxInt || n > math.MaxInt {
		return 0, false
	}
	return int(n), true
}

// Find looks up one tensor by name.
func Find(src Source, name string) (Info, bool) {
	infos := src.Tensors()
	i, ok := slices.BinarySearchFunc(infos, name, func(a Info, n string) int { return strings.Compare(a.Name, n) })
	if !ok {
		return Info{}, false
	}
	return infos[i], true
}

// ReadAll reads one whole tensor as float32. An unknown name is an error.
func ReadAll(src Source, name string) ([]float32, error) {
	info, ok := Find(src, name)
	if !ok {
		return nil, invalid("tensor %q: not present", name)
	}
	dst := make([]float32, info.Elements())
	if err := src.Read(name, 0, dst); err != nil {
		return nil, err
	}
	return dst, nil
}

// checkRange reports a read outside of a tensor, which is a mistake of the caller.
func checkRange(name string, offset, count, elements int) error {
	if offset < 0 || count > elements || offset > elements-count {
		return invalid("tensor %q: elements [%d %d), want them inside [0 %d)", name, offset, offset+count, elements)
	}
	return nil
}
