package checkpoint

import (
	"math"
	"math/bits"
	"slices"
	"strings"
)

// Size is the number of bytes of one element, 0 for a type that this package does not know.
func (d DType) Size() int {
	switch d {
	case F64, I64, U64, C64:
		return 8
	case F32, I32, U32:
		return 4
	case F16, BF16, I16, U16:
		return 2
	case F8E4M3, F8E5M2, F8E8M0, I8, U8, Bool:
		return 1
	}
	return 0
}

// Integer tells whether the type holds whole numbers (BOOL counts as 0 and 1): such tensors are never converted.
func (d DType) Integer() bool {
	switch d {
	case I64, I32, I16, I8, U64, U32, U16, U8, Bool:
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
func (i Info) Bytes() int64 { return int64(i.Elements()) * int64(i.DType.Size()) }

// measure multiplies a shape, refusing what does not fit an int of bytes.
func measure(shape []int, size int) (elements int, ok bool) {
	n := uint64(1)
	zero := false
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
		if d == 0 {
			zero = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 {
			return 0, false
		}
		n = lo
	}
	if hi, lo := bits.Mul64(n, uint64(size)); hi != 0 || lo > math.MaxInt {
		return 0, false
	}
	if zero {
		return 0, true
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
