package method

import (
	"math"
	"slices"

	"syncretic/arithmetic/vec"
)

// Task vectors: every method of this family is
//
//	d_i = sparsify(θ_i − θ_0)            one rule a method, with or without a rescaling
//	m   = combine(w_1 d_1, ..., w_n d_n)  the sum, or the sum of those that win an election
//	θ   = θ_0 + λ m / (Σ w where normalize is on)
//
// so that a row of the table is a choice of both rules and of defaults.

// sparsifier decides which elements of a task vector stay. It makes what passes it needs; the masks of all models come back in
// their order, nil where everything stays.
type sparsifier func(t *Task, models []Input) ([]mask, error)

// mask zeroes the elements of a block of a task vector that do not stay.
type mask interface {
	apply(offset int, delta []float32) error
}

// The choices of the parameter rescale.
const (
	rescaleNone = iota
	rescaleL1
	rescaleProbability
)

// combiner adds up the weighted task vectors of a block into sum, and what sum is to be divided by into divisor where
// normalize is on (it is nil otherwise); 0 divides nothing.
type combiner interface {
	combine(sum, divisor []float32, deltas [][]float32, weights []float32, w *work)
}

// taskVectorMethod makes the prepare function of a row.
func taskVectorMethod(choose sparsifier, rule func(t *Task) combiner) func(t *Task) (kernel, error) {
	return func(t *Task) (kernel, error) {
		models := t.others()
		k := &taskVectorKernel{vote: rule, masks: make([]mask, len(models)), factors: slices.Repeat([]float32{1}, len(models))}
		if choose == nil {
			return k, nil
		}
		var err error
		if k.masks, err = choose(t, models); err != nil {
			return nil, err
		}
		if t.Params["rescale"] == rescaleL1 {
			k.factors, err = rescaled(t, models, k.masks)
		}
		return k, err
	}
}

// unmoved tells that nothing is added: no model beside the base, λ = 0, or weights that are all 0. Infinities in a model that
// takes no part then do no harm.
func unmoved(t *Task) int {
	if t.Params["lambda"] != 0 {
		for _, in := range t.others() {
			if in.Params["weight"] != 0 {
				return -1
			}
		}
	}
	return t.Base
}

// depthScale is α + β l/(L−1) of LiNeS (arXiv 2410.17146, equation 4), and 1 for methods without these parameters.
func (t *Task) depthScale(models int) float64 {
	if _, ok := t.method.Param("alpha"); !ok || models == 0 {
		return 1
	}
	alpha, ok := t.Params["alpha"]
	if !ok {
		alpha = 1 / float64(models)
	}
	beta, ok := t.Params["beta"]
	if !ok {
		beta = 1 - alpha
	}
	if t.Layer < 0 || t.Layers < 2 {
		return alpha
	}
	return alpha + beta*float64(t.Layer)/float64(t.Layers-1)
}

type taskVectorKernel struct {
	base      *Input
	models    []Input
	masks     []mask
	factors   []float32 // what makes up for the mask
	weights   []float32
	depth     float64 // what the layer's place makes of lambda
	lambda    float32
	normalize bool
	rule      combiner
	vote      func(t *Task) combiner // what sets all but masks and factors, see with; nil where lambda alone is to be set
}

// with is the kernel with the settings of a task whose masks and factors are these.
func (k *taskVectorKernel) with(t *Task) kernel {
	set := *k
	if k.vote != nil {
		set.base, set.models, set.rule, set.normalize = t.base(), t.others(), k.vote(t), t.Params.on("normalize")
		set.depth = t.depthScale(len(set.models))
		for _, in := range set.models {
			set.weights = append(set.weights, float32(in.Params["weight"]))
		}
	}
	set.lambda = float32(t.Params["lambda"] * set.depth)
	return &set
}

func (k *taskVectorKernel) held() (n int64) {
	for _, m := range k.masks {
		switch m := m.(type) {
		case *decided:
			n += 8 * int64(len(m.bitmask))
		case *ranked:
			n += m.held()
		}
	}
	return n
}

func (k *taskVectorKernel) block(offset int, dst []float32, w *work) error {
	if err := k.base.read(offset, dst); err != nil {
		return err
	}
	if len(k.models) == 0 {
		return nil
	}
	if _, ok := k.rule.(addAll); ok && !k.normalize {
		return k.add(offset, dst, w)
	}
	n := len(dst)
	deltas := w.list(len(k.models))
	for i := range k.models {
		deltas[i] = w.block(n)
		if err := k.delta(i, offset, deltas[i], dst); err != nil {
			return err
		}
	}
	sum := w.block(n)
	var divisor []float32
	if k.normalize {
		divisor = w.block(n)
	}
	k.rule.combine(sum, divisor, deltas, k.weights, w)
	if divisor != nil {
		vec.Divide(sum, divisor)
	}
	vec.AddScaled(dst, k.lambda, sum)
	return nil
}

// add is block for the plain sum, which needs one vector at a time.
func (k *taskVectorKernel) add(offset int, dst []float32, w *work) error {
	sum, d := w.block(len(dst)), w.block(len(dst))
	if err := k.delta(0, offset, sum, dst); err != nil {
		return err
	}
	for i := 1; i < len(k.models); i++ {
		if k.masks[i] == nil && k.factors[i] == 1 && k.weights[i] != 0 && k.models[i].Delta == nil {
			if err := k.models[i].read(offset, d); err != nil {
				return err
			}
			vec.AddScaledDifference(sum, k.weights[i], d, dst)
			continue
		}
		if err := k.delta(i, offset, d, dst); err != nil {
			return err
		}
		vec.Add(sum, d)
	}
	vec.AddScaled(dst, k.lambda, sum)
	return nil
}

// delta is a range of a model's task vector with its mask and weight.
func (k *taskVectorKernel) delta(i, offset int, d, base []float32) error {
	if k.weights[i] == 0 { // takes no part, and is not read: what is infinite there does no harm
		clear(d)
		return nil
	}
	if err := k.models[i].delta(offset, d, base); err != nil {
		return err
	}
	if k.masks[i] != nil {
		if err := k.masks[i].apply(offset, d); err != nil {
			return err
		}
	}
	for _, c := range [...]float32{k.factors[i], k.weights[i]} {
		if c != 1 {
			vec.Scale(d, c)
		}
	}
	return nil
}

// tiny is the sum of weights below which mergekit does not divide.
const tiny = 1e-8

// addAll is the plain sum: Σ w_i d_i, divided by Σ w_i.
type addAll struct{}

func (addAll) combine(sum, divisor []float32, deltas [][]float32, weights []float32, _ *work) {
	total(sum, deltas)
	if divisor == nil {
		return
	}
	var all float32
	for _, w := range weights {
		all += w
	}
	if math.Abs(float64(all)) < tiny {
		all = 0
	}
	for i := range divisor {
		divisor[i] = all
	}
}

// total adds up the vectors of a block, of which there is at least one.
func total(sum []float32, deltas [][]float32) {
	copy(sum, deltas[0])
	for _, d := range deltas[1:] {
		vec.Add(sum, d)
	}
}

// electSign is the election of TIES (arXiv 2306.01708, section 3): the sign of the sum wins, + where the sum is 0; only
// elements with that sign are added, and only their weights divide. An element that is 0 takes no part.
type electSign struct{}

func (electSign) combine(sum, divisor []float32, deltas [][]float32, weights []float32, w *work) {
	sign := w.block(len(sum))
	total(sign, deltas)
	clear(sum)
	clear(divisor)
	for i, d := range deltas {
		vec.AddAgreeing(sum, divisor, d, sign, weights[i])
	}
}
