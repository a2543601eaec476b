package method

import (
	"syncretic/arithmetic/vec"
)

// averages are the methods that need nothing but the elements.
func averages() []*Method {
	return []*Method{
		{
			Name: "linear", Rule: "Σ w_i θ_i / Σ w_i", Paper: "https://arxiv.org/abs/2203.05482", Min: 1,
			Params: []Param{
				{Name: "weight", Scope: PerInput, Required: true, Doc: "the model's share"},
				normalizeParam(true),
			},
			prepare: linear,
		},
		{
			Name: "passthrough", Rule: "scale · θ", Min: 1, Max: 1,
			Params:  []Param{{Name: "scale", Scope: PerInput, Unset: true, Doc: "factor; unset copies"}},
			prepare: passthrough,
			copies:  unscaled,
		},
	}
}

// combination is Σ c_i x_i over all inputs, in their order, divided by divisor where that is not 1. A coefficient of 0 leaves
// its input unread.
type combination struct {
	inputs  []Input
	coef    []float32
	divisor float32
}

// linear is a weighted average. Unlike mergekit, weights whose sum is 0 are an error instead of NaN.
func linear(t *Task) (kernel, error) {
	c := &combination{inputs: t.Inputs, divisor: 1}
	var sum float32
	for _, in := range t.Inputs {
		w := float32(in.Params["weight"])
		c.coef = append(c.coef, w)
		sum += w
	}
	if t.Params.on("normalize") {
		if sum == 0 {
			return nil, invalid("the weights' sum is 0, and normalize is on")
		}
		c.divisor = sum
	}
	return c, nil
}

// passthrough copies, or scales, its one input.
func passthrough(t *Task) (kernel, error) {
	scale, ok := t.Inputs[0].Params["scale"]
	if !ok {
		scale = 1
	}
	return &combination{inputs: t.Inputs, coef: []float32{float32(scale)}, divisor: 1}, nil
}

func unscaled(t *Task) int {
	if scale, ok := t.Inputs[0].Params["scale"]; ok && scale != 1 {
		return -1
	}
	return 0
}

func (c *combination) block(offset int, dst []float32, w *work) error {
	first := true
	x := w.block(len(dst))
	for i := range c.inputs {
		if c.coef[i] == 0 {
			continue
		}
		if first {
			if err := c.inputs[i].read(offset, dst); err != nil {
				return err
			}
			if c.coef[i] != 1 {
				vec.Scale(dst, c.coef[i])
			}
			first = false
			continue
		}
		if err := c.inputs[i].read(offset, x); err != nil {
			return err
		}
		vec.AddScaled(dst, c.coef[i], x)
	}
	if first {
		clear(dst)
	}
	if c.divisor != 1 {
		vec.DivideBy(dst, c.divisor)
	}
	return nil
}
