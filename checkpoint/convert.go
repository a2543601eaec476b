package checkpoint

import (
	"encoding/binary"
	"math"
	"unsafe"

	"syncretic/checkpoint/half"
)

// decode converts len(dst) stored elements to float32. F64 is rounded to nearest even. Wide integers must be exact:
// the error says which element is not. The caller has checked that src holds them.
func decode(dtype DType, dst []float32, src []byte) error {
	_, err := decodeFinite(dtype, dst, src)
	return err
}

// decodeFinite is decode that also tells that all are finite, where it learns so by the way.
func decodeFinite(dtype DType, dst []float32, src []byte) (finite bool, err error) {
	switch dtype {
	case F32:
		if littleEndian() {
			copy(bytesOf(dst), src)
			return false, nil
		}
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case BF16:
		return half.FromBF16(dst, src), nil
	case F16:
		return half.FromF16(dst, src), nil
	case F64:
		src = src[:8*len(dst)]
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	case F8E4M3:
		for i, b := range src[:len(dst)] {
			dst[i] = fromF8E4M3(b)
		}
	case F8E5M2:
		for i, b := range src[:len(dst)] {
			dst[i] = fromF8E5M2(b)
		}
	case U64:
		for i := range dst {
			u := binary.LittleEndian.Uint64(src[8*i:])
			dst[i] = float32(u)
			if dst[i] >= 0x1p64 || uint64(dst[i]) != u {
				return false, invalid("element %d: %d has no exact float32: use Raw", i, u)
			}
		}
	default:
		if !dtype.Integer() {
			return false, invalid("dtype %s cannot be read as numbers", dtype)
		}
		for i := range dst {
			v := integerAt(dtype, src, i)
			dst[i] = float32(v)
			if dst[i] >= 0x1p63 || int64(dst[i]) != v {
				return false, invalid("element %d: %d has no exact float32: use Raw", i, v)
			}
		}
	}
	return false, nil
}

// integerAt is element i of an integer tensor; a U64 above the largest int64 wraps.
func integerAt(dtype DType, src []byte, i int) int64 {
	switch dtype {
	case I64, U64:
		return int64(binary.LittleEndian.Uint64(src[8*i:]))
	case I32:
		return int64(int32(binary.LittleEndian.Uint32(src[4*i:])))
	case U32:
		return int64(binary.LittleEndian.Uint32(src[4*i:]))
	case I16:
		return int64(int16(binary.LittleEndian.Uint16(src[2*i:])))
	case U16:
		return int64(binary.LittleEndian.Uint16(src[2*i:]))
	case I8:
		return int64(int8(src[i]))
	}
	return int64(src[i])
}

// encode rounds float32 values to dtype, to nearest even, and returns dst cut to the bytes used. A finite value that
// would become infinite is an error that names the element.
func encode(dtype DType, dst []byte, src []float32) ([]byte, error) {
	dst = dst[:len(src)*dtype.Size()]
	switch dtype {
	case F32:
		if littleEndian() {
			copy(dst, bytesOf(src))
			return dst, nil
		}
		for i, x := range src {
			binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(x))
		}
	case F64:
		for i, x := range src {
			binary.LittleEndian.PutUint64(dst[8*i:], math.Float64bits(float64(x)))
		}
	case BF16:
		if i := half.ToBF16(dst, src); i >= 0 {
			return nil, invalid("element %d: %v is beyond the range of BF16", i, src[i])
		}
	case F16:
		if i := half.ToF16(dst, src); i >= 0 {
			return nil, invalid("element %d: %v is beyond the range of F16", i, src[i])
		}
	case F8E4M3, F8E5M2:
		to := toF8E4M3
		if dtype == F8E5M2 {
			to = toF8E5M2
		}
		if i := encodeF8(dst, src, to); i >= 0 {
			return nil, invalid("element %d: %v is beyond the range of %s", i, src[i], dtype)
		}
	default:
		return nil, invalid("numbers cannot be written as dtype %s", dtype)
	}
	return dst, nil
}

// encodable tells whether encode can write the type.
func encodable(d DType) bool {
	switch d {
	case F64, F32, F16, BF16, F8E4M3, F8E5M2:
		return true
	}
	return false
}

func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

// bytesOf views numbers as the host's bytes, without a copy.
func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
