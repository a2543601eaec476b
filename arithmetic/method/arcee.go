package method

import "math"

// fusion takes the other model's element where it is important enough.
type fusion struct {
	span                // the other model's task vector
	rows      partition // along the last dimension
	surprise  []float32 // a row: KL(softmax(θ_1) ‖ softmax(θ_0))
	threshold float32   // of importance |d|·surprise
}

// arceeFusion measures an element's importance by how far it moved and by how much the distribution that softmax makes of its
// row changed, and takes it over where that is at least median + 1.5·(third − first quartile) of the tensor. Quantiles are
// elements: number ⌊q(n−1)⌋ in ascending order.
//
// Unlike mergekit, which draws a million elements at random from larger tensors, the quantiles are exact; and divergences are
// summed in float64, so that they are not negative.
func arceeFusion(t *Task) (kernel, error) {
	f := &fusion{span: span{t.others(), t.base()}, rows: t.byRow()}
	n := t.Elements()
	if n == 0 {
		return f, nil
	}
	if err := f.surprises(t); err != nil {
		return nil, err
	}
	var quartiles []rank
	for i := range 3 {
		quartiles = append(quartiles, rank{k: n - (i+1)*(n-1)/4})
	}
	found, err := cutsOf(t, f.importances, quartiles)
	if err != nil {
		return nil, err
	}
	var q [3]float32
	for i, c := range found {
		q[i] = math.Float32frombits(c.bits)
	}
	f.threshold = q[1] + float32(1.5*float32(q[2]-q[0]))
	if f.threshold != f.threshold { // ∞ − ∞
		return nil, invalid("%s: differences from the base exceed what float32 holds", f.models[0].Model)
	}
	return f, nil
}

// surprises makes the pass over the rows. Where rows have one element, softmax is 1 whatever it is, and no row is kept.
func (f *fusion) surprises(t *Task) error {
	if f.rows.length == 1 {
		return nil
	}
	f.surprise = make([]float32, f.rows.vectors)
	other, base := &f.models[0], f.origin
	size := max(1, chunkElements/f.rows.length)
	return overChunks(f.rows.vectors, size, t.Interrupt, func(c chunk, w *work) error {
		var p, q [blockElements]float64
		for row := c.lo; row < c.hi; row++ {
			lo, end := row*f.rows.length, (row+1)*f.rows.length
			// each calls g with the blocks of the row, which are read again only where they are more than one.
			var x, y []float32
			each := func(g func(x, y []float32)) error {
				for at := lo; at < end; at += blockElements {
					if x == nil || f.rows.length > blockElements {
						w.reset()
						n := min(blockElements, end-at)
						x, y = w.block(n), w.block(n)
						if err := other.read(at, x); err != nil {
							return err
						}
						if err := base.read(at, y); err != nil {
							return err
						}
					}
					g(x, y)
				}
				return nil
			}
			kl, err := divergence(each, p[:], q[:], f.rows.length <= blockElements)
			if err != nil {
				return err
			}
			if math.IsNaN(kl) || math.IsInf(kl, 0) {
				return invalid("%s: row %d or the base's holds values that are not finite", other.Model, row)
			}
			f.surprise[row] = float32(max(0, kl))
		}
		return nil
	})
}

// divergence is Σ p log(p/q) with p and q the softmax of x and y, plus 1e-8 each. Pieces of x and y come from each; p and q are
// room for one, and whole says that there is only one.
func divergence(each func(func(x, y []float32)) error, p, q []float64, whole bool) (float64, error) {
	const smoothing = 1e-8
	xMax, yMax := float32(math.Inf(-1)), float32(math.Inf(-1))
	if err := each(func(x, y []float32) {
		for i := range x {
			xMax, yMax = max(xMax, x[i]), max(yMax, y[i])
		}
	}); err != nil {
		return 0, err
	}
	var xSum, ySum float64
	if err := each(func(x, y []float32) {
		xSum += exponentials(p[:len(x)], x, xMax)
		ySum += exponentials(q[:len(y)], y, yMax)
	}); err != nil {
		return 0, err
	}
	var kl float64
	err := each(func(x, y []float32) {
		if !whole {
			exponentials(p[:len(x)], x, xMax)
			exponentials(q[:len(y)], y, yMax)
		}
		for i := range x {
			a, b := p[i]/xSum+smoothing, q[i]/ySum+smoothing
			kl += float64(a * math.Log(a/b))
		}
	})
	return kl, err
}

// exponentials computes dst[i] = exp(x[i] − top) and their sum.
func exponentials(dst []float64, x []float32, top float32) (sum float64) {
	for i, v := range x {
		dst[i] = math.Exp(float64(v) - float64(top))
		sum += dst[i]
	}
	return sum
}

// importances are the values whose quantiles are sought.
func (f *fusion) importances(offset, n int, w *work) (func(int) ([]float32, error), error) {
	d, _, err := f.read(offset, n, w)
	if err != nil {
		return nil, err
	}
	v := w.block(n)
	return func(int) ([]float32, error) {
		f.importance(v, offset, d[0])
		return v, nil
	}, nil
}

// importance computes |d|·surprise of the elements from offset on.
func (f *fusion) importance(dst []float32, offset int, d []float32) {
	if f.surprise == nil {
		clear(dst)
		return
	}
	f.rows.runs(offset, len(d), func(row, lo, hi int) {
		kl := f.surprise[row]
		for i, x := range d[lo:hi] {
			dst[lo+i] = abs(x) * kl
		}
	})
}

func (f *fusion) block(offset int, dst []float32, w *work) error {
	d, base, err := f.read(offset, len(dst), w)
	if err != nil {
		return err
	}
	f.importance(dst, offset, d[0])
	for i, importance := range dst {
		dst[i] = base[i]
		if importance >= f.threshold {
			dst[i] += d[0][i]
		}
	}
	return nil
}
