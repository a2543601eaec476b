// Package similarity compares what two encoders make of the same items, layer by layer, without labels: by linear centred kernel
// alignment (CKA), which is 1 where one representation is the other but for a rotation, a shift and one factor, and near 0 where
// the two arrange the items in ways that have nothing to do with each other.
//
// Start with [CKA], which takes the pooled features of both encoders from anything that hands out rows; [WritePage] draws its
// result. Adapted, merged and base models compared so show at which depth an adaptation changed what the encoder hears.
//
// # Estimators
//
// Of centred features X [items][d1] and Y [items][d2]
//
//	CKA = HSIC(X, Y) / √(HSIC(X, X)·HSIC(Y, Y))
//
// (Kornblith et al. 2019, arXiv 1905.00414). With the biased estimator HSIC ∝ ‖XᵀY‖² it rises towards 1 when items are few beside
// dimensions, however unlike the two are. The unbiased one (Song et al. 2012, equation 5) of the Gram matrices K and L without
// their diagonals,
//
//	HSIC ∝ tr(KL) + 1ᵀK1·1ᵀL1/((n-1)(n-2)) - 2/(n-2)·1ᵀKL1
//
// is right on average for any number of items from 4, may fall a little below 0, and is the one to quote (Nguyen et al. 2021, arXiv
// 2010.15327). Results carry both.
package similarity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// ErrInvalid reports features that cannot be compared.
var ErrInvalid = errors.New("invalid features")

// Rows hands out the features of items.
type Rows interface {
	// Row returns those of item i as [layers][dim], in buf or in memory of its own that is read at once.
	Row(i int, buf []float32) ([]float32, error)
}

// Features are the pooled features of items under one model.
type Features struct {
	Items, Layers, Dim int
	Rows               Rows
}

// Result is the similarity of each layer of A to each of B, [layers of A][layers of B]. It is NaN, in JSON null, where a layer is the same
// for all items.
type Result struct {
	Items            int
	Unbiased, Biased [][]float64
}

// least is the number of items below which the unbiased estimator does not exist.
const least = 4

// CKA compares every layer of a with every layer of b on the same items in the same order.
//
// What all pairs need is ‖XᵀY‖², which is computed in whichever space takes fewer operations: of items, from tiles of the Gram matrices
// of all layers (many layers, moderately many items), or of features, as the sum of blocks of XᵀY for one pair after another (many
// items). Rows are read in blocks, several times; memory is some tens of MB, or d1·d2 float64. Sums are in float64 in a fixed order, so
// the result is the same for any number of threads.
//
// Errors: those of Rows, ctx's, and ones that wrap [ErrInvalid]: other numbers of items, fewer than 4, a row of another length, a value
// that is not finite or too large to square twice.
func CKA(ctx context.Context, a, b Features) (Result, error) {
	switch {
	case a.Items != b.Items:
		return Result{}, fmt.Errorf("%w: %d items of one model, %d of the other", ErrInvalid, a.Items, b.Items)
	case a.Items < least:
		return Result{}, fmt.Errorf("%w: %d items, want at least %d", ErrInvalid, a.Items, least)
	case a.Layers < 1 || a.Dim < 1 || b.Layers < 1 || b.Dim < 1:
		return Result{}, fmt.Errorf("%w: features are [%d][%d] and [%d][%d]", ErrInvalid, a.Layers, a.Dim, b.Layers, b.Dim)
	}
	x, err := newCentred(ctx, a)
	if err != nil {
		return Result{}, fmt.Errorf("first model: %w", err)
	}
	y, err := newCentred(ctx, b)
	if err != nil {
		return Result{}, fmt.Errorf("second model: %w", err)
	}
	products := overFeatures
	if inItemSpace(a, b) {
		products = overItems
	}
	p, err := products(ctx, x, y)
	if err != nil {
		return Result{}, err
	}
	return p.result(x, y)
}

// inItemSpace tells whether Gram matrices take fewer operations than products of features.
func inItemSpace(a, b Features) bool {
	n, la, da, lb, db := float64(a.Items), float64(a.Layers), float64(a.Dim), float64(b.Layers), float64(b.Dim)
	return n*(la*da+lb*db) <= 2*(la*lb*da*db+la*da*da+lb*db*db)
}

// products are ‖XᵀY‖² of each pair of layers, and of each layer with itself.
type products struct {
	cross      [][]float64 // [layers of A][layers of B]
	ownA, ownB []float64
	items      int
}

func newProducts(a, b Features) *products {
	p := &products{cross: make([][]float64, a.Layers), ownA: make([]float64, a.Layers), ownB: make([]float64, b.Layers), items: a.Items}
	for l := range p.cross {
		p.cross[l] = make([]float64, b.Layers)
	}
	return p
}

// result divides the products, as they are and without bias.
func (p *products) result(x, y *centred) (Result, error) {
	out := Result{Items: p.items, Unbiased: make([][]float64, len(p.ownA)), Biased: make([][]float64, len(p.ownA))}
	for l, row := range p.cross {
		for m, cross := range row {
			biased, unbiased := math.NaN(), math.NaN()
			if x.varies[l] && y.varies[m] {
				biased = ratio(cross, p.ownA[l], p.ownB[m])
				unbiased = ratio(hsic(cross, x.norms[l], y.norms[m]), hsic(p.ownA[l], x.norms[l], x.norms[l]), hsic(p.ownB[m], y.norms[m], y.norms[m]))
			}
			if math.IsInf(p.ownA[l]*p.ownB[m], 0) {
				return Result{}, fmt.Errorf("%w: layers %d and %d: values too large", ErrInvalid, l, m)
			}
			out.Biased[l], out.Unbiased[l] = append(out.Biased[l], biased), append(out.Unbiased[l], unbiased)
		}
	}
	return out, nil
}

// ratio is NaN where one of the two has no variance: the unbiased estimate of it may fall to 0 and below on few items.
func ratio(cross, a, b float64) float64 {
	if !(a > 0 && b > 0) {
		return math.NaN()
	}
	return cross / math.Sqrt(a*b)
}

// hsic is n(n-3) times the unbiased estimator. Of centred features K·1 is 0, so what is left of the sums without the diagonal are the
// squared norms of the items, a and b.
func hsic(product float64, a, b []float64) float64 {
	n := float64(len(a))
	var sumA, sumB, both float64
	for i, v := range a {
		sumA += v
		sumB += b[i]
		both += v * b[i]
	}
	return product - both + sumA*sumB/((n-1)*(n-2)) - 2/(n-2)*both
}

// MarshalJSON writes {"items", "unbiased", "biased"}, with null for NaN.
func (r Result) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Items    int          `json:"items"`
		Unbiased [][]*float64 `json:"unbiased"`
		Biased   [][]*float64 `json:"biased"`
	}{r.Items, orNull(r.Unbiased), orNull(r.Biased)})
}

func orNull(table [][]float64) [][]*float64 {
	out := make([][]*float64, len(table))
	for l, row := range table {
		out[l] = make([]*float64, len(row))
		for m, v := range row {
			if !math.IsNaN(v) {
				out[l][m] = &v
			}
		}
	}
	return out
}
