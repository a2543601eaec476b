package method

import "strings"

// spectral are the methods that see a task vector as a matrix, [out][in], and those that need statistics of the models' inputs or
// gradients. mergekit has none of them.
//
// As a matrix counts a tensor of two or more dimensions, the first against all others (a convolution's kernel is [out][in·k]), of
// more than one row and column. Everything else is averaged: θ_0 + λ/n Σ w_i d_i. So are embeddings and output heads, whose rows are
// looked up or are a class each, and what else is no plain linear map by its name; the parameter matrix says otherwise, and with a
// filter it does so tensor by tensor.
//
// A task vector whose weight is 0 takes no part and does not count. Matrices are float64, of gonum, and are rounded once where the
// base is added: the same bytes at any number of threads; machines of another architecture may differ in an element's last bit.
//
// They cost what the others do not. In seconds of one core, of a 2024 server at 2 to 3 GFLOP/s in gonum's products, for four models:
//
//	                          [768][768]   [768][3072]
//	tsv_m                            7.7          11.7
//	iso_c                            1.7           3.9
//	iso_cts                          9.4          20.8
//	wudi, each of 300 steps         0.18           4.3   (0.84 for [3072][768])
//
// and the third power of the smaller dimension beyond that (wudi: out · in²). Fisher reads models and statistics in blocks, at the
// speed of the disk; regmean solves for [in][in] once.
func spectral() []*Method {
	matrix := Param{Name: "matrix", Kind: Choice, Choices: []string{"no", "yes", "auto"}, Default: asMatrixAuto,
		Doc: "merge the tensor as a matrix [out][rest]; no averages; auto averages vectors, embeddings and output heads"}
	row := func(name, rule, paper string, rule2 func(t *Task, c contributors) (kernel, error), params ...Param) *Method {
		return &Method{
			Name: name, Rule: rule, Paper: arxiv(paper), Base: BaseRequired, Whole: true,
			Params: append([]Param{weightParam(false), lambdaParam(1), matrix}, params...),
			prepare: func(t *Task) (kernel, error) {
				c := t.contributors()
				if len(c) == 0 || !t.asMatrix() {
					return t.averaged(c), nil
				}
				return rule2(t, c)
			},
			copies: unmoved,
			late:   []string{"lambda"},
		}
	}
	return []*Method{
		row("tsv_m", "the leading 1/n singular triplets of each d_i, together, with both bases made orthogonal", "2412.00081", tsvM),
		row("iso_c", "Σ w_i d_i with all singular values set to their mean", "2502.04959", isoC),
		row("iso_cts", "leading directions of Σ w_i d_i and of what each d_i has beside them, with equal singular values", "2502.04959", isoCTS,
			Param{Name: "common_space_fraction", Default: 0.8, Max: 1, Doc: "share of the directions that are taken from the sum"}),
		row("wudi", "the m with the least Σ |(m − d_i) d_iᵀ|²/|d_i|², by Adam from Σ w_i d_i", "2503.08099", wudi,
			Param{Name: "iterations", Kind: Integer, Default: 300, Max: 100_000, Doc: "steps of Adam"},
			Param{Name: "learning_rate", Default: 1e-5, Max: 1, Doc: "of Adam: the most that an element moves a step"}),
		{
			Name: "fisher", Rule: "Σ w_i F_i θ_i / Σ w_i F_i", Paper: arxiv("2111.09832"), Base: BaseOptional, Min: 1, Data: true,
			Params: []Param{
				{Name: "weight", Scope: PerModel, Default: 1, Max: 1e6, Doc: "the model's share, 0 or more"},
				lambdaParam(1),
				{Name: "floor", Default: 1e-6, Max: 1, Doc: "least Fisher information of an element"},
				{Name: "favor_target", Kind: Flag, Default: 1, Doc: "only the first model's Fisher information has a floor: it decides where none is informed"},
				{Name: "normalize_fisher", Kind: Flag, Default: 1, Doc: "divide each model's Fisher information by its L2 norm over all tensors"},
			},
			prepare: fisher,
			copies:  unmovedAverage,
			late:    []string{"lambda"},
		},
		{
			Name: "regmean", Rule: "(Σ w_i θ_i G_i)(Σ w_i G_i)⁻¹", Paper: arxiv("2212.09849"), Base: BaseOptional, Min: 1, Whole: true, Data: true,
			Params: []Param{
				{Name: "weight", Scope: PerModel, Default: 1, Max: 1e6, Doc: "the model's share, 0 or more"},
				lambdaParam(1),
				{Name: "non_diagonal", Default: 0.1, Max: 1, Doc: "what the Gram matrices' elements beside the diagonal are multiplied by"},
			},
			prepare: regMean,
			copies:  unmovedAverage,
			late:    []string{"lambda"},
		},
	}
}

// The choices of the parameter matrix.
const (
	asMatrixNo = iota
	asMatrixYes
	asMatrixAuto
)

// asMatrix tells whether the tensor is merged as a matrix.
func (t *Task) asMatrix() bool {
	rows, width := t.matrixShape()
	if rows < 2 || width < 2 {
		return false
	}
	switch t.Params["matrix"] {
	case asMatrixNo:
		return false
	case asMatrixYes:
		return true
	}
	for _, part := range []string{"embed", "wte", "wpe", "lm_head", "text_projection"} {
		if strings.Contains(t.Name, part) {
			return false
		}
	}
	return true
}

// matrixShape sees the tensor as [out][rest]: the first dimension against all others; a vector is one row.
func (t *Task) matrixShape() (rows, width int) {
	n := t.Elements()
	if len(t.Shape) < 2 || n == 0 {
		return 1, n
	}
	return t.Shape[0], n / t.Shape[0]
}

// contributor is a model that takes part.
type contributor struct {
	*Input
	weight float64
	first  bool // of all models beside the base
}

type contributors []contributor

// contributors are the models beside the base whose weight is not 0.
func (t *Task) contributors() contributors {
	var c contributors
	models := t.others()
	for i := range models {
		if w := models[i].Params["weight"]; w != 0 {
			c = append(c, contributor{&models[i], w, i == 0})
		}
	}
	return c
}

// averaged is θ_0 + λ/n Σ w_i d_i, in blocks.
func (t *Task) averaged(c contributors) kernel {
	k := &taskVectorKernel{base: t.base(), masks: make([]mask, len(c)), rule: addAll{}, depth: 1 / float64(max(1, len(c)))}
	for _, m := range c {
		k.models = append(k.models, *m.Input)
		k.weights = append(k.weights, float32(m.weight))
		k.factors = append(k.factors, 1)
	}
	return k
}

// moved is θ_0 + λ m, or m itself where there is no base.
type moved struct {
	base   *Input
	m      []float64
	lambda float64
}

func (k *moved) with(t *Task) kernel {
	set := *k
	set.lambda = t.Params["lambda"]
	return &set
}

func (k *moved) held() int64 { return 8 * int64(len(k.m)) }

func (k *moved) block(offset int, dst []float32, _ *work) error {
	m := k.m[offset : offset+len(dst)]
	if k.base == nil {
		for i, x := range m {
			dst[i] = float32(x)
		}
		return nil
	}
	if err := k.base.read(offset, dst); err != nil {
		return err
	}
	for i, x := range m {
		dst[i] = float32(float64(dst[i]) + float64(k.lambda*x))
	}
	return nil
}
