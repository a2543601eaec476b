package lora

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// Apply is the base with the adapter merged in: for each module's weight W [out][in...]
//
//	W + strength · s · B·A      B [out][r], A [r][in...], s = alpha/r (or alpha/√r)
//
// with B·A transposed for embeddings and where PEFT's fan_in_fan_out says so, and tensors that the adapter holds in full (modules_to_save,
// biases) in place of the base's, moved there by strength: W + strength·(full − W). Strength 1 is PEFT's merge_and_unload, 0 the base.
//
// The result is lazy, in the base's dtypes. A range costs memory for the adapter's factors of that tensor; the base's tensors that
// it does not change pass as stored. An adapter's tensor that finds no tensor of the base, or one of another shape, is an error that
// names both. Both inputs must stay open.
func Apply(base checkpoint.Source, a *Adapter, strength float64) (checkpoint.Source, error) {
	if math.IsNaN(strength) || math.IsInf(float64(float32(strength)), 0) {
		return nil, invalid("strength %v, want a finite float32", strength)
	}
	m := &applied{base: base, adapter: a, strength: strength, changes: map[string]fitted{}}
	for _, name := range slices.Sorted(maps.Keys(a.changes)) {
		c := a.changes[name]
		info, ok := checkpoint.Find(base, name)
		if !ok {
			return nil, invalid("%s: tensor %q: the base has no tensor %q", a.dir, c.first(), name)
		}
		if info.DType.Integer() {
			return nil, invalid("%s: tensor %q: the base's %q is %s, want floats", a.dir, c.first(), name, info.DType)
		}
		f, err := a.fit(c, info)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.dir, err)
		}
		m.changes[name] = f
	}
	return m, nil
}

// first names a tensor of the change.
func (c *change) first() string {
	for _, name := range []string{c.full, c.bias, c.a, c.b} {
		if name != "" {
			return name
		}
	}
	return ""
}

// fitted is a change of a tensor seen as [rows][width].
type fitted struct {
	*change
	transposed  bool // (B·A)ᵀ is added
	rows, width int
}

// fit holds a change against the tensor of the base.
func (a *Adapter) fit(c *change, base checkpoint.Info) (fitted, error) {
	f := fitted{change: c, rows: 1, width: base.Elements()}
	if c.a == "" {
		name := c.full + c.bias
		if info, _ := checkpoint.Find(a.weights, name); !slices.Equal(info.Shape, base.Shape) {
			return f, invalid("tensor %q: shape %d, but the base's %q has %d", name, info.Shape, base.Name, base.Shape)
		}
		return f, nil
	}
	left, _ := checkpoint.Find(a.weights, c.b)
	right, _ := checkpoint.Find(a.weights, c.a)
	product := slices.Concat(left.Shape[:1], right.Shape[1:])
	turned := []int{right.Shape[1], left.Shape[0]}
	plain := slices.Equal(product, base.Shape)
	other := len(left.Shape) == 2 && slices.Equal(turned, base.Shape)
	switch { // as PEFT does, a layer whose shape fits one way only is taken that way
	case c.embedding && other, a.config.FanInFanOut && other, other && !plain:
		f.transposed = true
	case c.embedding || !plain:
		want := product
		if c.embedding {
			want = turned
		}
		return f, invalid("tensors %q and %q: together shape %d, but the base's %q has %d", c.b, c.a, want, base.Name, base.Shape)
	}
	f.rows = base.Shape[0]
	f.width = right.Elements() / c.rank
	if f.transposed {
		f.width = left.Shape[0]
	}
	return f, nil
}

// applied is a base with an adapter merged in.
type applied struct {
	base     checkpoint.Source
	adapter  *Adapter
	strength float64
	changes  map[string]fitted
}

func (m *applied) Tensors() []checkpoint.Info { return m.base.Tensors() }

// Raw passes what is not changed.
func (m *applied) Raw(name string) ([]byte, error) {
	if _, changed := m.changes[name]; !changed || m.strength == 0 {
		if raw, ok := m.base.(checkpoint.RawSource); ok {
			return raw.Raw(name)
		}
	}
	return nil, fmt.Errorf("tensor %q: computed, not stored: %w", name, errors.ErrUnsupported)
}

func (m *applied) Read(name string, offset int, dst []float32) error {
	f, changed := m.changes[name]
	if err := m.base.Read(name, offset, dst); err != nil || !changed || m.strength == 0 || len(dst) == 0 {
		return err
	}
	if f.full != "" && m.strength == 1 {
		return m.adapter.weights.Read(f.full, offset, dst)
	}
	if f.a != "" {
		return m.addProduct(f, offset, dst)
	}
	x := make([]float32, len(dst))
	if err := m.adapter.weights.Read(f.full+f.bias, offset, x); err != nil {
		return err
	}
	scale := f.scale
	if f.full != "" {
		vec.Sub(x, dst)
		scale = 1
	}
	vec.AddScaled(dst, float32(m.strength*scale), x)
	return nil
}

// addProduct adds elements [offset, offset+len(dst)) of strength·s·B·A to dst, row by row: the product is summed over the rank in
// order, each operation rounded to float32, and scaled.
func (m *applied) addProduct(f fitted, offset int, dst []float32) error {
	first, last := offset/f.width, (offset+len(dst)-1)/f.width
	left, right, err := m.factors(f, first, last-first+1)
	if err != nil {
		return err
	}
	sum := make([]float32, f.width)
	scale := float32(m.strength * f.scale)
	for row := first; row <= last; row++ {
		lo, hi := max(offset, row*f.width), min(offset+len(dst), (row+1)*f.width)
		from, n := lo-row*f.width, hi-lo
		clear(sum[:n])
		for k := range f.rank {
			vec.AddScaled(sum[:n], left[(row-first)*f.rank+k], right[k*f.width+from:k*f.width+from+n])
		}
		vec.AddScaled(dst[lo-offset:hi-offset], scale, sum[:n])
	}
	return nil
}

// factors reads rows [first, first+n) of the left factor, [n][r], and the whole right one, [r][width].
func (m *applied) factors(f fitted, first, n int) (left, right []float32, err error) {
	w, r := m.adapter.weights, f.rank
	left, right = make([]float32, n*r), make([]float32, r*f.width)
	if !f.transposed {
		if err := w.Read(f.b, first*r, left); err != nil {
			return nil, nil, err
		}
		return left, right, w.Read(f.a, 0, right)
	}
	column := make([]float32, n) // left is Aᵀ, of A [r][rows]
	for k := range r {
		if err := w.Read(f.a, k*f.rows+first, column); err != nil {
			return nil, nil, err
		}
		for i, x := range column {
			left[i*r+k] = x
		}
	}
	b := make([]float32, r*f.width) // right is Bᵀ, of B [width][r]
	if err := w.Read(f.b, 0, b); err != nil {
		return nil, nil, err
	}
	for i := range f.width {
		for k := range r {
			right[k*f.width+i] = b[i*r+k]
		}
	}
	return left, right, nil
}
