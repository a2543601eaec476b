package method

import (
	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// viewer is a Source that may have a tensor's numbers in memory as they are, which nobody has looked at: whoever uses them must see to
// it that one which is not finite does not pass, and read where one may be.
type viewer interface {
	View(name string) (numbers []float32, ok bool)
}

// view finds a tensor in memory: a mapped file of aligned float32.
func view(src checkpoint.Source, name string) []float32 {
	if v, ok := src.(viewer); ok {
		numbers, _ := v.View(name)
		return numbers
	}
	rs, ok := src.(checkpoint.RawSource)
	if !ok {
		return nil
	}
	if info, ok := checkpoint.Find(src, name); !ok || info.DType != checkpoint.F32 {
		return nil
	}
	raw, err := rs.Raw(name)
	if err != nil {
		return nil
	}
	numbers, _ := checkpoint.Floats(raw)
	return numbers
}

// operand is where a kernel has its numbers from.
type operand struct {
	src  checkpoint.Source
	in   *Input
	view []float32 // nil: they are read
}

func newOperand(in *Input, src checkpoint.Source) operand {
	return operand{src, in, view(src, in.Name)}
}

// at is a range of the numbers, in room where they are not in memory.
func (o *operand) at(offset int, room []float32) ([]float32, error) {
	if o.view != nil {
		return o.view[offset : offset+len(room)], nil
	}
	in := Input{Model: o.in.Model, Source: o.src, Name: o.in.Name}
	return room, in.read(offset, room)
}

// fused is a plain sum of whole task vectors, for which every operand is passed over once and none is copied that lies in memory.
type fused struct {
	*taskVectorKernel
	from  operand   // the base
	parts []operand // what takes part
	terms []vec.Term
}

// fuse looks the operands up; nil where the kernel is of another kind.
func (k *taskVectorKernel) fuse() *fused {
	if _, plain := k.rule.(addAll); !plain || k.normalize {
		return nil
	}
	f := &fused{taskVectorKernel: k}
	still := false
	for i := range k.models {
		switch in := &k.models[i]; {
		case k.masks[i] != nil || k.factors[i] != 1:
			return nil
		case k.weights[i] == 0:
			still = true
		case in.Delta != nil:
			f.parts, f.terms = append(f.parts, newOperand(in, in.Delta)), append(f.terms, vec.Difference(nil, k.weights[i]))
		default:
			f.parts, f.terms = append(f.parts, newOperand(in, in.Source)), append(f.terms, vec.Model(nil, k.weights[i]))
		}
	}
	if len(f.parts) == 0 {
		return nil
	}
	f.from = newOperand(k.base, k.base.Source)
	if still { // what takes no part adds +0, of which a sum of −0 becomes +0: so does base − base
		f.terms = append(f.terms, vec.Model(nil, 0))
	}
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
		for i := range f.parts {
			room := []float32(nil)
			if f.parts[i].view == nil {
				room = w.block(n)
			} else {
				room = dst[:n] // for its length
			}
			if f.terms[i].X, err = f.parts[i].at(offset, room); err != nil {
				return err
			}
		}
		if len(f.terms) > len(f.parts) {
			f.terms[len(f.parts)].X = base
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
