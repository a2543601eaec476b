package method

// selective are the methods that choose element by element what of the task vectors goes into the result.
func selective() []*Method {
	threshold := Param{Name: "epsilon", Default: 1e-5, Doc: "an element of a task vector changed where its magnitude is larger"}
	return []*Method{
		{
			Name: "sce", Rule: "θ_0 + Σ w_i d_i / Σ w_i over those that agree in sign, w_i from mean squares, where the variance is large",
			Paper: arxiv("2408.07990"), Base: BaseRequired,
			Params: []Param{
				{Name: "select_topk", Default: 1, Max: 1, Doc: "share of the elements, by variance over the models, that takes part"},
				{Name: "int8_mask", Kind: Flag, Inert: true, Doc: "accepted for mergekit's sake"},
			},
			prepare: sce,
		},
		{
			Name: "nearswap", Rule: "θ_0 + min(1, t/|θ_1 − θ_0|) (θ_1 − θ_0)", Paper: "https://huggingface.co/alchemonaut/QuartetAnemoi-70B-t0.0001",
			Base: BaseRequired, Min: 1, Max: 1,
			Params:  []Param{{Name: "t", Required: true, Doc: "how far an element may move"}},
			prepare: nearswap,
		},
		{
			Name: "arcee_fusion", Rule: "θ_1 where |d|·KL(softmax rows) is at least median + 1.5 IQR, θ_0 elsewhere", Paper: "https://arcee.ai",
			Base: BaseRequired, Min: 1, Max: 1,
			prepare: arceeFusion,
		},
		{
			Name: "ram", Rule: "θ_0 + elements that one model changed + the mean of those that several did", Paper: arxiv("2601.13572"), Base: BaseRequired,
			Params:  []Param{threshold},
			prepare: ram,
		},
		{
			Name: "ramplus_tl", Rule: "ram, with a model's own elements times 1 + r·min(alpha, shared/own)", Paper: arxiv("2601.13572"), Base: BaseRequired,
			Params: []Param{
				{Name: "r", Default: 0.1, Doc: "how much the share of shared elements amplifies"},
				{Name: "alpha", Default: 0.2, Doc: "the most that shared/own counts as"},
				threshold,
			},
			prepare: ramPlus,
		},
	}
}
