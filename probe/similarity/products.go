package similarity

import (
	"context"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// tile is the number of items whose features, and whose Gram matrices with as many others, are in memory at once.
const tile = 128

// overItems sums ‖XᵀY‖² = Σ K∘L over tiles of the Gram matrices K = XXᵀ and L = YYᵀ, of which the lower triangle counts twice.
func overItems(ctx context.Context, x, y *centred) (*products, error) {
	p := newProducts(x.Features, y.Features)
	models := []*centred{x, y}
	var rows, others [2][]float64 // [layers][tile][dim]
	var grams [2][]float64        // [layers][tile][tile]
	for k, c := range models {
		rows[k], others[k] = make([]float64, c.Layers*tile*c.Dim), make([]float64, c.Layers*tile*c.Dim)
		grams[k] = make([]float64, c.Layers*tile*tile)
	}
	for i := 0; i < p.items; i += tile {
		n := min(tile, p.items-i)
		for k, c := range models {
			if err := c.blocks(ctx, i, n, rows[k]); err != nil {
				return nil, err
			}
		}
		for j := 0; j <= i; j += tile {
			m, weight := min(tile, p.items-j), 2.0
			for k, c := range models {
				right := rows[k]
				if j == i {
					weight = 1
				} else {
					right = others[k]
					if err := c.blocks(ctx, j, m, right); err != nil {
						return nil, err
					}
				}
				for l := range c.Layers {
					blas64.Gemm(blas.NoTrans, blas.Trans, 1, matrix(n, c.Dim, rows[k][l*n*c.Dim:]), matrix(m, c.Dim, right[l*m*c.Dim:]),
						0, matrix(n, m, grams[k][l*n*m:]))
				}
			}
			p.add(weight, n*m, grams[0], grams[1])
		}
	}
	return p, nil
}

// add adds the products of Gram tiles of a size.
func (p *products) add(weight float64, size int, a, b []float64) {
	dot := func(v, w []float64) float64 {
		return weight * blas64.Dot(blas64.Vector{N: size, Inc: 1, Data: v[:size]}, blas64.Vector{N: size, Inc: 1, Data: w[:size]})
	}
	for l := range p.ownA {
		p.ownA[l] += dot(a[l*size:], a[l*size:])
		for m := range p.ownB {
			p.cross[l][m] += dot(a[l*size:], b[m*size:])
		}
	}
	for m := range p.ownB {
		p.ownB[m] += dot(b[m*size:], b[m*size:])
	}
}

// overFeatures sums XᵀY over blocks of items, for one pair of layers after another.
func overFeatures(ctx context.Context, x, y *centred) (*products, error) {
	p := newProducts(x.Features, y.Features)
	widest := max(x.Dim, y.Dim)
	left, right, sum := make([]float64, tile*widest), make([]float64, tile*widest), make([]float64, widest*widest)
	of := func(a, b *centred, l, m int) (float64, error) {
		product := matrix(a.Dim, b.Dim, sum)
		clear(product.Data)
		for i := 0; i < p.items; i += tile {
			n := min(tile, p.items-i)
			if err := a.block(ctx, l, i, n, left); err != nil {
				return 0, err
			}
			if err := b.block(ctx, m, i, n, right); err != nil {
				return 0, err
			}
			blas64.Gemm(blas.Trans, blas.NoTrans, 1, matrix(n, a.Dim, left), matrix(n, b.Dim, right), 1, product)
		}
		whole := blas64.Vector{N: len(product.Data), Inc: 1, Data: product.Data}
		return blas64.Dot(whole, whole), nil
	}
	var err error
	for l := range p.ownA {
		if p.ownA[l], err = of(x, x, l, l); err != nil {
			return nil, err
		}
		for m := range p.ownB {
			if p.cross[l][m], err = of(x, y, l, m); err != nil {
				return nil, err
			}
		}
	}
	for m := range p.ownB {
		if p.ownB[m], err = of(y, y, m, m); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func matrix(rows, cols int, data []float64) blas64.General {
	return blas64.General{Rows: rows, Cols: cols, Stride: cols, Data: data[:rows*cols]}
}
