package method

import (
	"math"
	"slices"

	"syncretic/checkpoint"
)

// informed is Σ c_i F_i θ_i / Σ c_i F_i, or Σ w_i θ_i / Σ w_i, in blocks; with a base, θ_0 + λ (that − θ_0).
type informed struct {
	models contributors
	coef   []float64 // c_i
	floor  []float64 // least F_i
	fisher bool
	base   *Input
	lambda float64
}

// fisher is Fisher merging (arXiv 2111.09832, equation 4): each element is the mean of the models', weighted with w_i and what the
// model's data say of it, the diagonal of the Fisher information F_i, of L2 norm 1 over the whole model. Below floor an F_i counts
// as floor, for the first model only where favor_target is on (the floor is of F_i as given, before the division). An element of
// which no model is informed is the mean with weights w_i. Statistics that lack a tensor are an error.
func fisher(t *Task) (kernel, error) {
	k, err := t.mean()
	if err != nil {
		return nil, err
	}
	k.fisher = true
	for i, m := range k.models {
		if err := m.describes(t.Shape); err != nil {
			return nil, err
		}
		if !t.Params.on("favor_target") || m.first {
			k.floor[i] = t.Params["floor"]
		}
		if t.Params.on("normalize_fisher") {
			norm, err := m.statistics().Norm(t.Interrupt)
			if err != nil {
				return nil, err
			}
			if !(norm > 0) || math.IsInf(norm, 0) {
				return nil, invalid("%s: the Fisher information has the L2 norm %v, want a finite one above 0", m.Model, norm)
			}
			k.coef[i] /= norm
		}
	}
	return k, nil
}

// mean is the weighted mean of the models.
func (t *Task) mean() (*informed, error) {
	k := &informed{models: t.contributors()}
	if t.Base >= 0 {
		k.base = t.base()
	} else if t.Params["lambda"] != 1 {
		return nil, invalid("lambda is %v, and there is no base_model that it counts from", t.Params["lambda"])
	}
	if len(k.models) == 0 {
		return nil, invalid("the weights are all 0")
	}
	for _, m := range k.models {
		if m.weight < 0 {
			return nil, invalid("%s: weight %v, want 0 or more", m.Model, m.weight)
		}
		k.coef = append(k.coef, m.weight)
	}
	k.floor = make([]float64, len(k.models))
	return k, nil
}

// unmovedAverage tells that the base stays: λ = 0.
func unmovedAverage(t *Task) int {
	if t.Base >= 0 && t.Params["lambda"] == 0 {
		return t.Base
	}
	return -1
}

// describes checks that an input's statistics have a tensor of the given shape.
func (in *Input) describes(shape []int) error {
	if in.Stats == nil {
		return invalid("%s: no statistics are given", in.Model)
	}
	info, ok := checkpoint.Find(in.Stats, in.Name)
	if !ok {
		return invalid("%s: statistics: tensor %q: not present", in.Model, in.Name)
	}
	if !slices.Equal(info.Shape, shape) {
		return invalid("%s: statistics: tensor %q: shape %d, want %d", in.Model, in.Name, info.Shape, shape)
	}
	return nil
}

func (k *informed) with(t *Task) kernel {
	set := *k
	set.lambda = t.Params["lambda"]
	return &set
}

func (k *informed) block(offset int, dst []float32, w *work) error {
	x, f := make([][]float32, len(k.models)), make([][]float32, len(k.models))
	for i, m := range k.models {
		x[i] = w.block(len(dst))
		if err := m.read(offset, x[i]); err != nil {
			return err
		}
		if k.fisher {
			f[i] = w.block(len(dst))
			if err := m.information(offset, f[i]); err != nil {
				return err
			}
		}
	}
	if k.base != nil {
		if err := k.base.read(offset, dst); err != nil {
			return err
		}
	}
	for e := range dst {
		var sum, total, plain, weights float64
		for i, m := range k.models {
			v := float64(x[i][e])
			plain += float64(m.weight * v)
			weights += m.weight
			if k.fisher {
				c := k.coef[i] * max(float64(f[i][e]), k.floor[i])
				sum += float64(c * v)
				total += c
			}
		}
		mean := plain / weights
		if total > 0 {
			mean = sum / total
		}
		if k.base != nil && k.lambda != 1 {
			b := float64(dst[e])
			mean = b + float64(k.lambda*(mean-b))
		}
		dst[e] = float32(mean)
	}
	return nil
}

// information reads Fisher information.
func (in *Input) information(offset int, f []float32) error {
	if err := in.Stats.Read(in.Name, offset, f); err != nil {
		return err
	}
	for i, x := range f {
		if !(x >= 0) || math.IsInf(float64(x), 0) {
			return invalid("%s: statistics: element %d is %v, want a finite number of 0 or more", in.Model, offset+i, x)
		}
	}
	return nil
}
