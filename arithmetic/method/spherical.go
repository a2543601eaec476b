package method

import "math"

// spherical are the methods that go by norms and angles of whole tensors, or of their rows.
func spherical() []*Method {
	return []*Method{
		{
			Name: "slerp", Rule: "(sin((1−t)φ) θ_0 + sin(tφ) θ_1) / sin φ", Paper: "https://en.wikipedia.org/wiki/Slerp",
			Base: BaseRequired, Min: 1, Max: 1,
			Params:  []Param{{Name: "t", Required: true, Doc: "0 gives the base, 1 the other model"}},
			prepare: slerp,
		},
		{
			Name: "nuslerp", Rule: "slerp of two models, or of their task vectors, at w_2/(w_1+w_2)", Base: BaseOptional, Min: 2, Max: 2,
			Params: []Param{
				shareParam(),
				{Name: "nuslerp_flatten", Kind: Flag, Default: 1, Doc: "the whole tensor is one vector; off: each row is one"},
				{Name: "nuslerp_row_wise", Kind: Flag, Doc: "where flatten is off, vectors lie along the first dimension, not the last"},
			},
			prepare: nuslerp,
		},
		{
			Name: "multislerp", Rule: "exponential map, at the weighted mean direction, of the weighted mean tangent; times the mean norm",
			Paper: "https://goddard.blog/posts/multislerp-wow-what-a-cool-idea", Base: BaseOptional, Min: 1,
			Params: []Param{
				shareParam(),
				{Name: "normalize_weights", Kind: Flag, Default: 1, Doc: "divide the weights by their sum"},
				{Name: "eps", Default: 1e-8, Max: 1, Doc: "is added to norms before they divide"},
			},
			prepare: multislerp,
		},
		{
			Name: "karcher", Rule: "Riemannian mean of the directions, times the mean norm", Paper: arxiv("2603.04972"), Min: 1,
			Params: []Param{
				{Name: "max_iter", Kind: Integer, Default: 10, Max: 100000, Doc: "most steps of the iteration"},
				{Name: "tol", Default: 1e-5, Max: 1, Doc: "steps, angles and norms below it count as 0"},
			},
			prepare: karcher,
		},
		{
			Name: "model_stock", Rule: "t·mean θ_i + (1−t) θ_0, t = n cos/(1+(n−1) cos)", Paper: arxiv("2403.19522"), Base: BaseRequired, Min: 2,
			Params:  []Param{{Name: "filter_wise", Kind: Flag, Doc: "a t for each row, not one for the tensor"}},
			prepare: modelStock,
		},
	}
}

func shareParam() Param {
	return Param{Name: "weight", Scope: PerModel, Required: true, Doc: "the model's share"}
}

// slerp interpolates along the great circle from the base to the other model. Directions decide on the angle, the tensors are
// not normalised. Where |cos| > 0.9995, opposite directions included, the interpolation is linear; a norm of at most 1e-8 counts
// as 1.
func slerp(t *Task) (kernel, error) {
	share := float64(float32(t.Params["t"]))
	s := span{models: append([]Input{*t.base()}, t.others()...)}
	return s.blended(t, t.whole(), func(g gram, c []float32) error {
		norms := [2]float64{g.norm(0), g.norm(1)}
		for i, n := range norms {
			if n <= 1e-8 {
				norms[i] = 1
			}
		}
		cos := clamp(g.at(0, 1)/norms[0]/norms[1], -1, 1)
		arc(c, cos, share, math.Abs(cos) > 0.9995)
		return nil
	})
}

// nuslerp is slerp with weights instead of t, of task vectors where a base is given, and without the wide range in which slerp is
// linear: only directions that float32 cannot tell from equal or opposite ones are interpolated so. A norm below 1e-7 divides as
// 1e-7, so that the cosine with a vector of zeros is 0. Weights whose sum is below 1e-6 count as equal.
func nuslerp(t *Task) (kernel, error) {
	s := span{models: t.others()}
	if t.Base >= 0 {
		s.origin = t.base()
	}
	share, sum := 0.5, s.models[0].Params["weight"]+s.models[1].Params["weight"]
	if math.Abs(sum) >= 1e-6 {
		share = s.models[1].Params["weight"] / sum
	}
	p := t.whole()
	switch {
	case t.Params.on("nuslerp_flatten"):
	case t.Params.on("nuslerp_row_wise"):
		p = t.byColumn()
	default:
		p = t.byRow()
	}
	return s.blended(t, p, func(g gram, c []float32) error {
		cos := clamp(g.at(0, 1)/max(1e-7, g.norm(0))/max(1e-7, g.norm(1)), -1, 1)
		const unit = 0x1p-24 // of rounding in float32
		arc(c, cos, share, 1-cos*cos <= unit)
		return nil
	})
}

// arc are the coefficients at share t of the way between two vectors with this cosine, along the arc or straight.
func arc(c []float32, cos, t float64, straight bool) {
	if straight {
		c[0], c[1] = float32(1-t), float32(t)
		return
	}
	angle := math.Acos(cos)
	c[0], c[1] = float32(math.Sin((1-t)*angle)/math.Sin(angle)), float32(math.Sin(t*angle)/math.Sin(angle))
}

func clamp(x, lo, hi float64) float64 { return min(max(x, lo), hi) }
