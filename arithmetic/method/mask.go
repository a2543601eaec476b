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
// nothing is masked and where either norm is below 1e-7.
func rescaled(t *Task, models []Input, masks []mask) ([]float32, error) {
	factors := slices.Repeat([]float32{1}, len(models))
	if !slices.ContainsFunc(masks, func(m mask) bool { return m != nil }) {
		return factors, nil
	}
	type norms struct{ before, after []float64 }
	parts, err := scan(t, func(part *norms, offset, n int, w *work) error {
		if part.before == nil {
			*part = norms{make([]float64, len(models)), make([]float64, len(models))}
		}
		base, d := w.block(n), w.block(n)
		if err := t.base().read(offset, base); err != nil {
			return err
		}
		for i := range models {
			if masks[i] == nil {
				continue
			}
			if err := models[i].read(offset, d); err != nil {
				return err
			}
			vec.Sub(d, base)
			part.before[i] += vec.SumAbs(d)
			if err := masks[i].apply(offset, d); err != nil {
				return err
			}
			part.after[i] += vec.SumAbs(d)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range models {
		var before, after float64
		for _, p := range parts {
			if p.before != nil {
				before, after = before+p.before[i], after+p.after[i]
			}
		}
		const least = 1e-7
		if masks[i] != nil && before >= least && after >= least {
			factors[i] = float32(before / after)
		}
	}
	return factors, nil
}
