package similarity

import (
	"context"
	"fmt"
	"math"
)

// centred are features with the mean of each dimension over the items taken off.
type centred struct {
	Features
	means  []float64   // [layers][dim]
	norms  [][]float64 // [layers][items], squared
	varies []bool      // by layer: two items differ. A mean of equals may be off by a rounding, and norms are not quite 0 then.
	buf    []float32
}

// newCentred reads all rows twice: for the means, and for the norms about them.
func newCentred(ctx context.Context, f Features) (*centred, error) {
	c := &centred{Features: f, means: make([]float64, f.Layers*f.Dim), norms: make([][]float64, f.Layers),
		varies: make([]bool, f.Layers), buf: make([]float32, f.Layers*f.Dim)}
	first := make([]float32, len(c.buf))
	for i := range f.Items {
		row, err := c.row(ctx, i)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			copy(first, row)
		}
		for k, v := range row {
			c.varies[k/f.Dim] = c.varies[k/f.Dim] || v != first[k]
			if v64 := float64(v); math.IsNaN(v64) || math.IsInf(v64, 0) {
				return nil, fmt.Errorf("%w: item %d, layer %d: value is %v, want a finite number", ErrInvalid, i, k/f.Dim, v)
			}
			c.means[k] += float64(v)
		}
	}
	for k := range c.means {
		c.means[k] /= float64(f.Items)
	}
	for l := range c.norms {
		c.norms[l] = make([]float64, f.Items)
	}
	for i := range f.Items {
		row, err := c.row(ctx, i)
		if err != nil {
			return nil, err
		}
		for k, v := range row {
			d := float64(v) - c.means[k]
			c.norms[k/f.Dim][i] += d * d
		}
	}
	return c, nil
}

func (c *centred) row(ctx context.Context, i int) ([]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	row, err := c.Rows.Row(i, c.buf)
	if err != nil {
		return nil, err
	}
	if len(row) != len(c.buf) {
		return nil, fmt.Errorf("%w: item %d has %d values, want [%d][%d]", ErrInvalid, i, len(row), c.Layers, c.Dim)
	}
	return row, nil
}

// block writes the items [first, first+n) of one layer to dst [n][dim].
func (c *centred) block(ctx context.Context, layer, first, n int, dst []float64) error {
	return c.read(ctx, first, n, layer, layer+1, func(i, _ int, centred []float64) { copy(dst[i*c.Dim:], centred) }, make([]float64, c.Dim))
}

// blocks writes the items [first, first+n) to dst [layers][n][dim].
func (c *centred) blocks(ctx context.Context, first, n int, dst []float64) error {
	return c.read(ctx, first, n, 0, c.Layers, func(i, l int, centred []float64) { copy(dst[(l*n+i)*c.Dim:], centred) }, make([]float64, c.Dim))
}

// read hands out the centred features of items and layers.
func (c *centred) read(ctx context.Context, first, n, from, to int, take func(i, layer int, centred []float64), scratch []float64) error {
	for i := range n {
		row, err := c.row(ctx, first+i)
		if err != nil {
			return err
		}
		for l := from; l < to; l++ {
			for d := range scratch {
				scratch[d] = float64(row[l*c.Dim+d]) - c.means[l*c.Dim+d]
			}
			take(i, l, scratch)
		}
	}
	return nil
}
