package taskvector

import (
	"errors"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
)

// entryBytes is about what an entry of the header costs: what a tensor in three parts more has to save.
const entryBytes = 80

// sparse adds the parts of one tensor: its largest elements, in whichever container is smaller.
func (e *encoding) sparse(info checkpoint.Info) error {
	if info.Elements() == 0 {
		e.dense(info, stored{e.tau, info.Name})
		return nil
	}
	k, some, mask, err := e.largest(info)
	if err != nil {
		return err
	}
	e.out.Kept += k.total().values
	size := e.dtype.Size()
	if 8*len(info.Shape)+len(some)+len(mask)+size*k.total().values+3*entryBytes >= size*info.Elements() {
		e.dense(info, trimmed{e.tau, info.Name, k})
		return nil
	}
	shape, err := shapeOf(info)
	if err != nil {
		return err
	}
	e.add(info.Name, partShape, checkpoint.I64, []int{len(info.Shape)}, stored{shape, partShape})
	e.add(info.Name, partOctets, checkpoint.U8, []int{len(some)}, octets(some))
	e.add(info.Name, partMask, checkpoint.U8, []int{len(mask)}, octets(mask))
	e.add(info.Name, partValues, e.dtype, []int{k.total().values}, values{e.tau, info.Name, k})
	return nil
}

// shapeOf is a tensor's shape as a tensor.
func shapeOf(info checkpoint.Info) (*checkpoint.Memory, error) {
	dimensions := make([]int64, len(info.Shape))
	for i, d := range info.Shape {
		dimensions[i] = int64(d)
	}
	t, err := checkpoint.NewIntegers(partShape, checkpoint.I64, []int{len(dimensions)}, dimensions)
	if err != nil {
		return nil, err
	}
	return checkpoint.NewMemory(t)
}

// largest finds a tensor's k = max(1, ⌊density·n⌋) elements of the greatest magnitude, of equal ones the first, without those that
// are 0. The choice is TIES' trim, made by its row of the method table: one vector on a base of zeros with weight and λ of 1, so
// that the elected sign is its own.
func (e *encoding) largest(info checkpoint.Info) (k *kept, some, mask []byte, err error) {
	ties, ok := method.Find("ties")
	if !ok {
		return nil, nil, nil, errors.New("the method ties is not in the table")
	}
	chosen, err := ties.Tensor(method.Task{
		Name: info.Name, Shape: info.Shape, Interrupt: e.o.Interrupt,
		Inputs: []method.Input{
			{Model: "zeros", Source: zeros{e.tau}, Name: info.Name},
			{Model: "task vector", Source: e.tau, Name: info.Name, Params: method.Values{"weight": 1, "density": e.o.Density}},
		},
		Params: method.Values{"lambda": 1},
	})
	if err != nil {
		return nil, nil, nil, err
	}
	n := info.Elements()
	type part struct{ some, mask []byte }
	parts := make([]part, (n+blockElements-1)/blockElements)
	if err := each(len(parts), func(b int, s *scratch) error {
		lo := b * blockElements
		block := room(&s.block, min(blockElements, n-lo))
		if err := e.interrupted(); err != nil {
			return err
		}
		if err := chosen.Read(lo, block); err != nil {
			return err
		}
		parts[b].some, parts[b].mask = positions(block)
		return nil
	}); err != nil {
		if bad := (*nonFinite)(nil); errors.As(err, &bad) {
			err = bad // which says all that those who passed it on say
		}
		return nil, nil, nil, err
	}
	for _, p := range parts {
		some, mask = append(some, p.some...), append(mask, p.mask...)
	}
	k, err = newKept(n, inMemory(some), inMemory(mask), len(mask), new(scratch))
	return k, some, mask, err
}

// zeros has a source's tensors with nothing in them.
type zeros struct{ checkpoint.Source }

func (zeros) Read(_ string, _ int, dst []float32) error {
	clear(dst)
	return nil
}

// values are the kept elements of a tensor, in order.
type values struct {
	src  checkpoint.Source
	name string
	kept *kept
}

func (t values) read(offset int, dst []float32, s *scratch) error {
	for b := t.kept.blockOf(offset); len(dst) > 0; b++ {
		block, places, err := t.kept.block(t.src, t.name, b, s)
		if err != nil {
			return err
		}
		places = places[offset-t.kept.before[b].values:]
		n := min(len(dst), len(places))
		for i, at := range places[:n] {
			dst[i] = block[at]
		}
		dst, offset = dst[n:], offset+n
	}
	return nil
}

// block reads a block of a dense tensor, and which of its elements are kept.
func (k *kept) block(src checkpoint.Source, name string, b int, s *scratch) (block []float32, places []int32, err error) {
	lo := b * blockElements
	block = room(&s.block, k.blockEnd(lo)-lo)
	if err := src.Read(name, lo, block); err != nil {
		return nil, nil, err
	}
	places, err = k.places(b, s)
	return block, places, err
}

// trimmed is a tensor with 0 for what is not kept.
type trimmed struct {
	src  checkpoint.Source
	name string
	kept *kept
}

func (t trimmed) read(offset int, dst []float32, s *scratch) error {
	return t.kept.blocks(offset, dst, s, func(b int, dst []float32) error {
		block, places, err := t.kept.block(t.src, t.name, b, s)
		if err != nil {
			return err
		}
		clear(dst)
		for _, at := range places {
			dst[at] = block[at]
		}
		return nil
	})
}

// blocks has f make each block of a range; those that the range has a part of only, aside.
func (k *kept) blocks(offset int, dst []float32, s *scratch, f func(b int, dst []float32) error) error {
	for len(dst) > 0 {
		b := offset / blockElements
		lo := b * blockElements
		end := k.blockEnd(lo)
		n := min(len(dst), end-offset)
		if n == end-lo {
			if err := f(b, dst[:n]); err != nil {
				return err
			}
		} else {
			whole := room(&s.part, end-lo)
			if err := f(b, whole); err != nil {
				return err
			}
			copy(dst[:n], whole[offset-lo:])
		}
		dst, offset = dst[n:], offset+n
	}
	return nil
}

// spread is a sparse tensor as a dense one.
type spread struct {
	src    checkpoint.Source
	values string
	kept   *kept
}

func (t spread) read(offset int, dst []float32, s *scratch) error {
	return t.kept.blocks(offset, dst, s, func(b int, dst []float32) error {
		places, err := t.kept.places(b, s)
		if err != nil {
			return err
		}
		values := room(&s.values, len(places))
		if err := t.src.Read(t.values, t.kept.before[b].values, values); err != nil {
			return err
		}
		clear(dst)
		for i, at := range places {
			dst[at] = values[i]
		}
		return nil
	})
}
