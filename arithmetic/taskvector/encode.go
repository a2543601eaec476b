package taskvector

import (
	"errors"
	"fmt"
	"maps"
	"strconv"

	"syncretic/checkpoint"
	"syncretic/checkpoint/half"
)

// Options say how a task vector is stored. The zero value is dense and F32, which keeps every bit.
type Options struct {
	DType   checkpoint.DType // of floats: F32, BF16 or F16; "" is F32
	Density float64          // sparse: the share of each tensor's elements to keep, above 0 and at most 1; 0 is not sparse
	Rank    int              // low rank: the most rank of a tensor, 1 or more; 0 is not of low rank

	Interrupt func() error          // asked often while Encode works; an error ends it. nil never ends
	Progress  func(done, total int) // tensors that are done; nil for none
}

// form is what the options ask for.
func (o Options) form() (Form, error) {
	switch {
	case o.DType != checkpoint.F32 && o.DType != checkpoint.BF16 && o.DType != checkpoint.F16:
		return "", invalid("dtype %s, want F32, BF16 or F16", o.DType)
	case o.Density != 0 && o.Rank != 0:
		return "", invalid("a density and a rank: a task vector is sparse or of low rank")
	case o.Rank < 0:
		return "", invalid("rank %d, want 1 or more", o.Rank)
	case o.Rank > 0:
		return LowRank, nil
	case o.Density == 0:
		return Dense, nil
	case o.Density > 0 && o.Density <= 1:
		return Sparse, nil
	}
	return "", invalid("density %v, want more than 0 and at most 1", o.Density)
}

// Encoded is a task vector as a file has it: its tensors are the parts that the package comment lists.
type Encoded struct {
	*source
	Form     Form
	Kept     int // elements that the sparse form keeps
	Factored int // tensors that the low-rank form holds as factors

	metadata map[string]string
}

// Metadata is what the file's metadata must have, beside the provenance.
func (e *Encoded) Metadata() map[string]string { return maps.Clone(e.metadata) }

// Read gives elements of a tensor as the file will have them: rounded once, to nearest even. A finite one that the dtype cannot hold
// is an error.
func (e *Encoded) Read(name string, offset int, dst []float32) error {
	if err := e.source.Read(name, offset, dst); err != nil {
		return err
	}
	info, _ := checkpoint.Find(e, name)
	s := e.get()
	defer e.put(s)
	var beyond int
	bytes := room(&s.halves, 2*len(dst))
	switch info.DType {
	case checkpoint.BF16:
		beyond = half.ToBF16(bytes, dst)
	case checkpoint.F16:
		beyond = half.ToF16(bytes, dst)
	default:
		return nil
	}
	if beyond >= 0 {
		return invalid("tensor %q: element %d: %v is beyond the range of %s", name, offset+beyond, dst[beyond], info.DType)
	}
	if info.DType == checkpoint.BF16 {
		half.FromBF16(dst, bytes)
	} else {
		half.FromF16(dst, bytes)
	}
	return nil
}

// Raw gives integer tensors; all others are computed.
func (e *Encoded) Raw(name string) ([]byte, error) {
	switch t := e.tensors[name].(type) {
	case octets:
		return t, nil
	case stored:
		if m, ok := t.src.(*checkpoint.Memory); ok {
			return m.Raw(t.name)
		}
	}
	return nil, fmt.Errorf("tensor %q: computed, not stored: %w", name, errors.ErrUnsupported)
}

// Encode puts tau, which arithmetic's Sub gives, into a form. Write the result with its Metadata.
//
// Dense: every element, rounded to the dtype.
//
// Sparse: of each tensor of n elements the max(1, ⌊density·n⌋) of the greatest magnitude, of equal ones the first, and of those the
// ones that are not 0. Encode passes over tau twice, now and then once more, and each read of the result once; until then at most
// 1.13 bits an element of tau are held in memory.
//
// Low rank: of each tensor of two or more dimensions, seen as [first][rest], the leading part of the singular value decomposition,
// which is the nearest matrix of that rank (Eckart and Young 1936). Vectors, and matrices that factors would not make smaller, stay dense.
// The factors, and one decomposition at a time, are held in memory: see [svd.Solver.Leading] for its cost.
//
// But for dense F32, elements that are not finite are an error, which names tensor and element: here, or where the result is read.
// Errors about tau and the options wrap [ErrInvalid].
func Encode(tau checkpoint.Source, o Options) (*Encoded, error) {
	if o.DType == "" {
		o.DType = checkpoint.F32
	}
	form, err := o.form()
	if err != nil {
		return nil, err
	}
	e := &encoding{tau: tau, o: o, dtype: o.DType, out: &Encoded{source: newSource("task vector"), Form: form}}
	e.out.metadata = map[string]string{FormKey: string(form), VersionKey: Version}
	if form != Dense || o.DType != checkpoint.F32 {
		e.tau = finite{tau}
	}
	encode := func(info checkpoint.Info) error {
		info.DType = e.dtype
		e.out.add(info, stored{e.tau, info.Name})
		return nil
	}
	switch form {
	case Sparse:
		e.out.metadata[DensityKey] = strconv.FormatFloat(o.Density, 'g', -1, 64)
		encode = e.sparse
	case LowRank:
		e.out.metadata[RankKey] = strconv.Itoa(o.Rank)
		encode = e.lowRank
	}
	infos := tau.Tensors()
	for i, info := range infos {
		if info.DType.Integer() {
			return nil, invalid("tensor %q: dtype %s: integers are no part of a task vector", info.Name, info.DType)
		}
		if err := e.interrupted(); err != nil {
			return nil, err
		}
		if err := encode(info); err != nil {
			return nil, err
		}
		if o.Progress != nil {
			o.Progress(i+1, len(infos))
		}
	}
	e.out.sort()
	return e.out, nil
}

// encoding is a vector on its way into a form.
type encoding struct {
	tau   checkpoint.Source
	o     Options
	dtype checkpoint.DType
	out   *Encoded
}

func (e *encoding) interrupted() error {
	if e.o.Interrupt == nil {
		return nil
	}
	return e.o.Interrupt()
}

// add adds a part of a tensor.
func (e *encoding) add(name, part string, dtype checkpoint.DType, shape []int, t tensor) {
	e.out.add(checkpoint.Info{Name: name + "." + part, DType: dtype, Shape: shape}, t)
}

// dense adds a tensor in one part.
func (e *encoding) dense(info checkpoint.Info, t tensor) {
	e.add(info.Name, partDense, e.dtype, info.Shape, t)
}
