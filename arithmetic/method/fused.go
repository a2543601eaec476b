package method

import (
	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// viewer is a Source that may have a tensor in memory as it is stored, which nobody has looked at: whoever uses that must see to it
// that a number which is not finite does not pass, and read where one may be.
type viewer interface {
	View(name string) (raw []byte, dtype checkpoint.DType, ok bool)
}

// view finds a tensor in memory, such as a mapped file.
func view(src checkpoint.Source, name string) (raw []byte, dtype checkpoint.DType) {
	if v, ok := src.(viewer); ok {
		raw, dtype, _ = v.View(name)
		return raw, dtype
	}
	rs, ok := src.(checkpoint.RawSource)
	info, found := checkpoint.Find(src, name)
	if !ok || !found {
		return nil, ""
	}
	raw, err := rs.Raw(name)
	if err != nil {
		return nil, ""
	}
	return raw, info.DType
}

// operand is where a kernel has an input's numbers from: they lie in memory, in one of the types that kernels read, or are read.
type operand struct {
	in     Input // with the source of these numbers
	floats []float32
	halves []byte // in dtype
	dtype  checkpoint.DType
}

func newOperand(in *Input, src checkpoint.Source) operand {
	o := operand{in: Input{Model: in.Model, Source: src, Name: in.Name}}
	raw, dtype := view(src, in.Name)
	switch o.dtype = dtype; dtype {
	case checkpoint.F32:
		o.floats, _ = checkpoint.Floats(raw)
	case checkpoint.BF16, checkpoint.F16:
		o.halves = raw
	}
	return o
}

// at is a range of the numbers as float32, in room where they do not lie in memory as such.
func (o *operand) at(offset int, room []float32) ([]float32, error) {
	if o.floats != nil {
		return o.floats[offset : offset+len(room)], nil
	}
	return room, o.in.read(offset, room)
}

// term is a range of n numbers times a weight.
func (o *operand) term(offset, n int, weight float32, w *work) (vec.Term, error) {
	if o.halves != nil {
		raw := o.halves[2*offset : 2*(offset+n)]
		if o.dtype == checkpoint.BF16 {
			return vec.TermBF16(raw, weight), nil
		}
		return vec.TermF16(raw, weight), nil
	}
	if o.floats != nil {
		return vec.TermF32(o.floats[offset:offset+n], weight), nil
	}
	x := w.block(n)
	return vec.TermF32(x, weight), o.in.read(offset, x)
}

// fused is a plain sum of whole task vectors, for which every operand is passed over once and none is copied that lies in memory.
type fused struct {
	*taskVectorKernel
	from  operand // the base
	parts []part
	still bool // a model takes no part
	terms []vec.Term
}

// part is one task vector that takes part.
type part struct {
	operand
	weight float32
	delta  bool // the numbers are the difference itself
}

// fuse looks the operands up; nil where the kernel is of another kind.
func (k *taskVectorKernel) fuse() *fused {
	if _, plain := k.rule.(addAll); !plain || k.normalize {
		return nil
	}
	f := &fused{taskVectorKernel: k}
	for i := range k.models {
		switch in := &k.models[i]; {
		case k.masks[i] != nil || k.factors[i] != 1:
			return nil
		case k.weights[i] == 0:
			f.still = true
		case in.Delta != nil:
			f.parts = append(f.parts, part{newOperand(in, in.Delta), k.weights[i], true})
		default:
			f.parts = append(f.parts, part{newOperand(in, in.Source), k.weights[i], false})
		}
	}
	if len(f.parts) == 0 {
		return nil
	}
	f.from = newOperand(k.base, k.base.Source)
	return f
}

// read computes a range. A block that is not all finite is computed again step by step, by which the number at fault is found, if it is
// one that a source refuses.
func (f *fused) read(offset int, dst []float32, w *work) error {
	stream := len(dst) >= streamElements
	for len(dst) > 0 {
		n := min(len(dst), blockElements)
		w.reset()
		base, err := f.from.at(offset, dst[:n])
		if err != nil {
			return err
		}
		f.terms = f.terms[:0]
		for i := range f.parts {
			t, err := f.parts[i].term(offset, n, f.parts[i].weight, w)
			if err != nil {
				return err
			}
			if !f.parts[i].delta {
				t = t.LessBase()
			}
			f.terms = append(f.terms, t)
		}
		if f.still { // what takes no part adds +0, of which a sum of −0 becomes +0: so does base − base
			f.terms = append(f.terms, vec.TermF32(base, 0).LessBase())
		}
		if !vec.Merge(dst[:n], base, f.lambda, f.terms, stream) {
			w.reset()
			if err := f.block(offset, dst[:n], w); err != nil {
				return err
			}
		}
		dst, offset = dst[n:], offset+n
	}
	return nil
}

// streamElements is how long a range is that does not stay in a cache until it is used.
const streamElements = 1 << 18
