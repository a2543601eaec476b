package checkpoint

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// Tensor is a tensor in memory: F32 over Data, or integers made by [NewIntegers].
type Tensor struct {
	Name  string
	Shape []int // empty for a scalar
	Data  []float32

	dtype DType  // of raw, "" for F32 over Data
	raw   []byte // little-endian
}

// NewIntegers makes an integer tensor (token files are I64). A value that dtype cannot hold is an error.
func NewIntegers(name string, dtype DType, shape []int, values []int64) (Tensor, error) {
	if !dtype.Integer() {
		return Tensor{}, invalid("tensor %q: dtype %q, want an integer type", name, dtype)
	}
	raw := make([]byte, 0, len(values)*dtype.Size())
	for i, v := range values {
		switch dtype.Size() {
		case 8:
			raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
		case 4:
			raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
		case 2:
			raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
		default:
			raw = append(raw, byte(v))
		}
		if integerAt(dtype, raw, i) != v || dtype == U64 && v < 0 || dtype == Bool && v>>1 != 0 {
			return Tensor{}, invalid("tensor %q: element %d: %d does not fit %s", name, i, v, dtype)
		}
	}
	return Tensor{Name: name, Shape: shape, dtype: dtype, raw: raw}, nil
}

// Memory is a [RawSource] over slices.
type Memory struct {
	infos   []Info
	tensors map[string]Tensor
}

// NewMemory makes a Source of tensors in any order. Their slices are kept, not copied: changes show through, and must
// not race with reads. A name twice, an empty name, and a size that does not fit the shape are errors.
func NewMemory(tensors ...Tensor) (*Memory, error) {
	m := &Memory{tensors: make(map[string]Tensor, len(tensors))}
	for _, t := range tensors {
		if _, ok := m.tensors[t.Name]; ok {
			return nil, invalid("tensor %q: given twice", t.Name)
		}
		if t.Name == "" || t.Name == metadataKey {
			return nil, invalid("tensor %q: this name cannot be stored", t.Name)
		}
		have := len(t.Data)
		if t.dtype == "" {
			t.dtype = F32
		} else {
			have = len(t.raw) / t.dtype.Size()
		}
		if want, ok := measure(t.Shape, t.dtype.Size()); !ok || want != have {
			return nil, invalid("tensor %q: %d elements, want as many as shape %d has", t.Name, have, t.Shape)
		}
		m.tensors[t.Name] = t
		m.infos = append(m.infos, Info{t.Name, t.dtype, slices.Clone(t.Shape)})
	}
	slices.SortFunc(m.infos, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return m, nil
}

// Tensors lists the tensors, sorted by name.
func (m *Memory) Tensors() []Info { return m.infos }

// Read copies (floats) or converts (integers, which must be exact in float32) a range of a tensor.
func (m *Memory) Read(name string, offset int, dst []float32) error {
	t, ok := m.tensors[name]
	if !ok {
		return invalid("tensor %q: not present", name)
	}
	if t.dtype == F32 {
		if err := checkRange(name, offset, len(dst), len(t.Data)); err != nil {
			return err
		}
		copy(dst, t.Data[offset:])
		return nil
	}
	size := t.dtype.Size()
	if err := checkRange(name, offset, len(dst), len(t.raw)/size); err != nil {
		return err
	}
	return within(decode(t.dtype, dst, t.raw[offset*size:]), "tensor %q: from element %d", name, offset)
}

// Raw returns the tensor's bytes, little-endian, sharing memory with its slice where the machine is little-endian too.
func (m *Memory) Raw(name string) ([]byte, error) {
	t, ok := m.tensors[name]
	switch {
	case !ok:
		return nil, invalid("tensor %q: not present", name)
	case t.dtype != F32:
		return t.raw, nil
	case littleEndian():
		return bytesOf(t.Data), nil
	}
	raw := make([]byte, 0, 4*len(t.Data))
	for _, x := range t.Data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return raw, nil
}

// ReadIntegers reads one whole integer tensor. A U64 value above the largest int64 is an error, as is a float tensor.
func ReadIntegers(src Source, name string) ([]int64, error) {
	info, ok := Find(src, name)
	switch {
	case !ok:
		return nil, invalid("tensor %q: not present", name)
	case !info.DType.Integer():
		return nil, invalid("tensor %q: dtype %s, want an integer type", name, info.DType)
	}
	raw, ok, err := rawBytes(src, info)
	if err != nil {
		return nil, err
	}
	if !ok {
		raw = make([]byte, info.Bytes())
		ok, err = gathered(src, name, 0, raw)
	}
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, invalid("tensor %q: its source has no integers as stored", name)
	}
	values := make([]int64, info.Elements())
	for i := range values {
		values[i] = integerAt(info.DType, raw, i)
		if info.DType == U64 && values[i] < 0 {
			return nil, invalid("tensor %q: element %d: %d does not fit int64", name, i, uint64(values[i]))
		}
	}
	return values, nil
}
