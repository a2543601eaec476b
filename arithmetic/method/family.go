package method

// taskVectors are the methods that add sparsified task vectors to a base: one algorithm, a row a choice.
func taskVectors() []*Method {
	density := Param{Name: "density", Scope: PerModel, Default: 1, Max: 1, Doc: "share of each task vector that stays; 1 keeps all"}
	gamma := Param{Name: "gamma", Scope: PerModel, Default: 0.01, Max: 1, Doc: "share of the largest elements that is dropped"}
	epsilon := Param{Name: "epsilon", Scope: PerModel, Default: 0.15, Max: 1, Doc: "half the range of probabilities around density"}
	rows := []struct {
		name, rule, paper  string
		choose             sparsifier
		vote               func(t *Task) combiner
		normalize, rescale bool
		params             []Param
	}{
		{"task_arithmetic", "θ_0 + λ Σ w_i d_i", "2212.04089", nil, sum, false, false, []Param{inert(density)}},
		{"ties", "trim to the largest, elect a sign, mean of those that agree", "2306.01708", trim, election, true, false, []Param{density}},
		{"dare_linear", "drop at random, rescale, add", "2311.03099", drop, sum, false, true, []Param{density}},
		{"dare_ties", "drop at random, rescale, elect a sign", "2311.03099", drop, election, false, true, []Param{density}},
		{"della", "drop at random by rank in the row, rescale, elect a sign, mean", "2406.11617", rankedDrop, election, true, true, []Param{density, epsilon}},
		{"della_linear", "drop at random by rank in the row, rescale, add", "2406.11617", rankedDrop, sum, false, true, []Param{density, epsilon}},
		{"breadcrumbs", "drop the largest and the smallest, add", "2312.06795", trimBothEnds, sum, false, false, []Param{density, gamma}},
		{"breadcrumbs_ties", "drop the largest and the smallest, elect a sign", "2312.06795", trimBothEnds, election, false, false, []Param{density, gamma}},
	}
	var methods []*Method
	for _, r := range rows {
		rescale := Param{Name: "rescale", Kind: Choice, Choices: []string{"none", "l1"}, Default: truth(r.rescale), Inert: r.choose == nil,
			Doc: "make up for what was dropped: l1 (or true) restores the task vector's L1 norm"}
		if r.rescale { // the random ones
			rescale.Choices = append(rescale.Choices, "probability")
			rescale.Doc += ", probability divides by the probability to stay, as the paper does"
		}
		methods = append(methods, &Method{
			Name: r.name, Rule: r.rule, Paper: arxiv(r.paper), Base: BaseRequired,
			Params: append([]Param{weightParam(true), lambdaParam(1), normalizeParam(r.normalize), rescale,
				{Name: "int8_mask", Kind: Flag, Inert: true, Doc: "accepted for mergekit's sake"}}, r.params...),
			Trims:   r.choose != nil,
			masks:   r.rescale,
			prepare: taskVectorMethod(r.choose, r.vote),
			copies:  unmoved,
			late:    []string{"weight", "lambda", "normalize"},
		})
	}
	return append(methods, beyond()...)
}

// beyond are the rows that mergekit does not have. Their weights default to 1.
func beyond() []*Method {
	row := func(name, rule, paper string, lambda float64, vote func(t *Task) combiner, params ...Param) *Method {
		return &Method{
			Name: name, Rule: rule, Paper: arxiv(paper), Base: BaseRequired,
			Params:  append([]Param{weightParam(false), lambdaParam(lambda)}, params...),
			prepare: taskVectorMethod(nil, vote),
			copies:  unmoved,
			late:    []string{"weight", "lambda", "k", "tall_lambda", "alpha", "beta"},
		}
	}
	return []*Method{
		row("magmax", "of each element's task vectors the one with the largest magnitude", "2407.06322", 0.5, largest),
		row("emr", "the sum's sign, the largest magnitude that agrees with it", "2405.17461", 1, unified),
		row("consensus", "add where at least k task vectors stand out from the sum of the others", "2405.07813", 1, agreement,
			Param{Name: "k", Kind: Integer, Default: 2, Max: 1024, Doc: "how many task vectors must stand out; 0 adds everywhere"},
			Param{Name: "tall_lambda", Scope: PerModel, Default: 0.4, Max: 10, Doc: "a vector stands out where |d_i| > tall_lambda · |Σ_j d_j − d_i|"}),
		row("lines", "θ_0 + λ (α + β l/(L−1)) Σ w_i d_i in layer l of L", "2410.17146", 1, sum,
			Param{Name: "alpha", Unset: true, Doc: "scale of the first layer and of what stands outside of the layers; 1/n for n models by default"},
			Param{Name: "beta", Unset: true, Doc: "what the last layer has more; 1 − alpha by default"}),
	}
}

func arxiv(id string) string { return "https://arxiv.org/abs/" + id }

// inert marks a parameter that mergekit accepts for a method that does not use it.
func inert(p Param) Param {
	p.Inert = true
	return p
}

func sum(*Task) combiner      { return addAll{} }
func election(*Task) combiner { return electSign{} }
func largest(*Task) combiner  { return takeLargest{} }
func unified(*Task) combiner  { return unify{} }
