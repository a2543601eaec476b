package method

import (
	"slices"

	"syncretic/arithmetic/vec"
)

// trim keeps the largest elements of each task vector: k = max(1, ⌊density·n⌋) of n, and of equal ones the first. It is the
// first step of TIES.
func trim(t *Task, models []Input) ([]mask, error) {
	n := t.Elements()
	var ranks []rank
	masks := make([]mask, len(models))
	for i, in := range models {
		switch density := in.Params["density"]; {
		case density >= 1 || n == 0:
		case density <= 0:
			masks[i] = keepNone{}
		default:
			ranks = append(ranks, rank{model: i, k: max(1, int(density*float64(n)))})
		}
	}
	found, err := cuts(t, models, ranks)
	if err != nil {
		return nil, err
	}
	for i, r := range ranks {
		masks[r.model] = keepAbove(found[i])
	}
	return masks, nil
}

// trimBothEnds keeps the middle of each task vector: ⌊gamma·n⌋ outliers go, then the smallest until ⌊density·n⌋ are left; where
// that asks for more than there are, fewer outliers go. Model Breadcrumbs, arXiv 2312.06795.
func trimBothEnds(t *Task, models []Input) ([]mask, error) {
	n := t.Elements()
	var ranks []rank
	var into []**cut
	masks := make([]mask, len(models))
	for i, in := range models {
		density := in.Params["density"]
		if density >= 1 || n == 0 {
			continue
		}
		keep := int(density * float64(n))
		if keep <= 0 {
			masks[i] = keepNone{}
			continue
		}
		small := max(0, n-keep-int(in.Params["gamma"]*float64(n)))
		b := &band{}
		masks[i] = b
		if small > 0 {
			ranks, into = append(ranks, rank{i, n - small, true}), append(into, &b.low)
		}
		if large := n - small - keep; large > 0 {
			ranks, into = append(ranks, rank{i, large, true}), append(into, &b.high)
		}
	}
	found, err := cuts(t, models, ranks)
	if err != nil {
		return nil, err
	}
	for i, p := range into {
		*p = &found[i]
	}
	return masks, nil
}

// keepNone drops everything.
type keepNone struct{}

func (keepNone) apply(_ int, d []float32) error {
	clear(d)
	return nil
}

// keepAbove keeps what lies above a cut.
type keepAbove cut

func (k keepAbove) apply(offset int, d []float32) error {
	switch c := cut(k); c.ties(offset, len(d)) {
	case noTies:
		vec.KeepAbove(d, c.bits)
	case allTies:
		if c.bits > 0 {
			vec.KeepAbove(d, c.bits-1)
		}
	default:
		for i, x := range d {
			if !c.above(vec.Magnitude(x), offset+i) {
				d[i] = 0
			}
		}
	}
	return nil
}

// band keeps what lies above one cut and not above another; nil stands for no cut.
type band struct{ low, high *cut }

func (b *band) apply(offset int, d []float32) error {
	if b.low != nil {
		if err := keepAbove(*b.low).apply(offset, d); err != nil {
			return err
		}
	}
	if b.high == nil {
		return nil
	}
	switch c := *b.high; {
	case c.ties(offset, len(d)) == noTies:
		vec.ClearAbove(d, c.bits)
	case c.ties(offset, len(d)) == allTies && c.bits > 0:
		vec.ClearAbove(d, c.bits-1)
	default:
		for i, x := range d {
			if c.above(vec.Magnitude(x), offset+i) {
				d[i] = 0
			}
		}
	}
	return nil
}

// rescaled gives the factors that restore each task vector's L1 norm, Σ|d| / Σ|masked d|, as mergekit's rescale does; 1 where
// nothing is masked and where either norm is below 1e-7. It makes a pass for those masks that do not know the norms.
func rescaled(t *Task, models []Input, masks []mask) ([]float32, error) {
	before, after := make([]float64, len(models)), make([]float64, len(models))
	open, p := make([]mask, len(models)), blocks
	for i, m := range masks {
		switch m := m.(type) {
		case *decided:
			before[i], after[i] = m.before, m.after
			continue
		case *ranked:
			p = m.pieces
		}
		open[i] = m
	}
	if slices.ContainsFunc(open, func(m mask) bool { return m != nil }) {
		b, a, err := normPass(t, models, open, p, func(i int, _ *scratch, offset int, d []float32) error { return open[i].apply(offset, d) })
		if err != nil {
			return nil, err
		}
		for i, m := range open {
			if m != nil {
				before[i], after[i] = b[i], a[i]
			}
		}
	}
	factors := slices.Repeat([]float32{1}, len(models))
	for i := range models {
		const least = 1e-7
		if before[i] >= least && after[i] >= least {
			factors[i] = float32(before[i] / after[i])
		}
	}
	return factors, nil
}
