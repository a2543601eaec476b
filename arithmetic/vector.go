package arithmetic

import (
	"sync"

	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// blockElements is how many elements are worked on at a time: 64 KiB of float32, so that a block stays in cache from
// its first operand to its last.
const blockElements = 1 << 14

// blocks lends buffers of blockElements, so that reads in the steady state allocate nothing.
type blocks struct{ pool sync.Pool }

func (b *blocks) get() *[]float32 {
	if p, ok := b.pool.Get().(*[]float32); ok {
		return p
	}
	block := make([]float32, blockElements)
	return &block
}

// Sub is the task vector tuned − base: F32, lazy, over the tensors of floats. Both must have the same tensors with the
// same shapes (their dtypes may differ), and equal integer tensors, which the vector leaves out; the error names the
// first few differences and wraps [ErrInvalid].
func Sub(tuned, base checkpoint.Source) (checkpoint.Source, error) {
	name := label(tuned, "the tuned model")
	if err := compare(tuned, name, base.Tensors(), label(base, "the base")); err != nil {
		return nil, err
	}
	for _, info := range base.Tensors() {
		if info.DType.Integer() {
			if err := equalIntegers(tuned, name, base, info.Name); err != nil {
				return nil, err
			}
		}
	}
	infos := floats(base)
	for i := range infos {
		infos[i].DType = checkpoint.F32
	}
	return &difference{tuned: tuned, base: base, infos: infos}, nil
}

type difference struct {
	tuned, base checkpoint.Source
	infos       []checkpoint.Info
	blocks      blocks
}

func (d *difference) Tensors() []checkpoint.Info { return d.infos }

func (d *difference) Read(name string, offset int, dst []float32) error {
	if _, ok := checkpoint.Find(d, name); !ok {
		return invalid("task vector: tensor %q: not present", name)
	}
	block := d.blocks.get()
	defer d.blocks.pool.Put(block)
	for len(dst) > 0 {
		n := min(len(dst), blockElements)
		if err := d.tuned.Read(name, offset, dst[:n]); err != nil {
			return err
		}
		if err := d.base.Read(name, offset, (*block)[:n]); err != nil {
			return err
		}
		vec.Sub(dst[:n], (*block)[:n])
		dst, offset = dst[n:], offset+n
	}
	return nil
}

// Scale is λ·v, with λ rounded to float32. The result is F32; integer tensors, which a task vector does not have, pass
// as they are. Scale by 0 gives zeros wherever v is, also where it is infinite or NaN.
func Scale(v checkpoint.Source, lambda float64) checkpoint.Source {
	infos := append([]checkpoint.Info(nil), v.Tensors()...)
	for i := range infos {
		if !infos[i].DType.Integer() {
			infos[i].DType = checkpoint.F32
		}
	}
	return &scaled{vector: v, lambda: lambda, infos: infos}
}

type scaled struct {
	vector checkpoint.Source
	lambda float64
	infos  []checkpoint.Info
}

func (s *scaled) Tensors() []checkpoint.Info { return s.infos }

func (s *scaled) Read(name string, offset int, dst []float32) error {
	info, ok := checkpoint.Find(s, name)
	if !ok {
		return invalid("scaled vector: tensor %q: not present", name)
	}
	if n := info.Elements(); offset < 0 || len(dst) > n || offset > n-len(dst) {
		return invalid("scaled vector: tensor %q: elements [%d %d), want them inside [0 %d)", name, offset, offset+len(dst), n)
	}
	if s.lambda == 0 && !info.DType.Integer() {
		clear(dst)
		return nil
	}
	if err := s.vector.Read(name, offset, dst); err != nil {
		return err
	}
	if !info.DType.Integer() {
		vec.Scale(dst, float32(s.lambda))
	}
	return nil
}

// Raw passes integer tensors through.
func (s *scaled) Raw(name string) ([]byte, error) {
	if info, ok := checkpoint.Find(s, name); ok && !info.DType.Integer() {
		return nil, computed(name)
	}
	return raw(s.vector, name)
}
