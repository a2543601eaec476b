package optim

import (
	"fmt"
	"math"
)

// Variant names a definition of Adam's update.
type Variant int

const (
	// PyTorch is torch.optim.AdamW: eps is added after √v is bias-corrected.
	PyTorch Variant = iota
	// Fairseq is fairseq's Adam: eps is added to the uncorrected √v, so that in
	// early steps it weighs more than in PyTorch, by 1/√(1-β2ᵗ).
	Fairseq
)

// String returns the name used in configurations: "pytorch" or "fairseq".
func (v Variant) String() string {
	switch v {
	case PyTorch:
		return "pytorch"
	case Fairseq:
		return "fairseq"
	}
	return fmt.Sprintf("Variant(%d)", int(v))
}

// AdamWConfig are the constants of AdamW. The zero value is PyTorch's AdamW
// without weight decay.
type AdamWConfig struct {
	Beta1 float64 // decay of the first moment, in [0, 1); unlike PyTorch, 0 means 0.9
	Beta2 float64 // decay of the second moment, in [0, 1); unlike PyTorch, 0 means 0.999
	Eps   float64 // added to the denominator; unlike PyTorch, 0 means 1e-8

	// WeightDecay is decoupled: each step multiplies a value by 1 - lr·WeightDecay.
	WeightDecay float64
	// NoDecay excludes parameters from weight decay by name; nil excludes none.
	NoDecay func(name string) bool
	// LRFactor multiplies the learning rate of a parameter by name; nil means 1.
	LRFactor func(name string) float64

	Variant Variant
}

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter 2019,
// arXiv 1711.05101, algorithm 2). Step t of a parameter p with gradient g is
//
//	p := p · (1 - lr·decay)
//	m := β1·m + (1-β1)·g
//	v := β2·v + (1-β2)·g²
//	PyTorch:  p := p - lr/(1-β1ᵗ) · m / (√v/√(1-β2ᵗ) + eps)
//	Fairseq:  p := p - lr·√(1-β2ᵗ)/(1-β1ᵗ) · m / (√v + eps)
//
// in float32, with the constants computed in float64. As in PyTorch, t counts the
// steps of each parameter, so one that is unfrozen late starts at t = 1. The two
// moments take 8 bytes an element and exist from a parameter's first step.
// Step makes a value NaN whose gradient is; ClipStep takes no such step.
type AdamW struct {
	Beta1, Beta2, Eps, WeightDecay float64
	Variant                        Variant

	params  []Param
	groups  []group
	moments []moments
}

// group holds what the configuration says about one parameter.
type group struct {
	factor float64 // of the learning rate
	decay  float64
}

// moments are the running averages of one parameter; m and v are nil at step 0.
type moments struct {
	step int
	m, v []float32
}

// NewAdamW returns an optimizer of params, which it keeps. It panics on a
// constant out of range and on two parameters with one name.
func NewAdamW(cfg AdamWConfig, params []Param) *AdamW {
	or := func(x, standard float64) float64 {
		if x == 0 {
			return standard
		}
		return x
	}
	o := &AdamW{
		Beta1: or(cfg.Beta1, 0.9), Beta2: or(cfg.Beta2, 0.999), Eps: or(cfg.Eps, 1e-8),
		WeightDecay: cfg.WeightDecay, Variant: cfg.Variant,
		params: params, groups: make([]group, len(params)), moments: make([]moments, len(params)),
	}
	switch {
	case !(o.Beta1 >= 0 && o.Beta1 < 1) || !(o.Beta2 >= 0 && o.Beta2 < 1):
		panic(fmt.Sprintf("optim: betas are %v and %v, want both in [0, 1)", o.Beta1, o.Beta2))
	case !(o.Eps >= 0) || !(o.WeightDecay >= 0):
		panic(fmt.Sprintf("optim: eps is %v and weight decay %v, want 0 or more", o.Eps, o.WeightDecay))
	case o.Variant != PyTorch && o.Variant != Fairseq:
		panic(fmt.Sprintf("optim: unknown %v", o.Variant))
	}
	seen := make(map[string]bool, len(params))
	for i, p := range params {
		if seen[p.Name] {
			panic(fmt.Sprintf("optim: two parameters are called %q", p.Name))
		}
		seen[p.Name] = true
		buffers(p)
		o.groups[i] = group{factor: 1, decay: o.WeightDecay}
		if cfg.LRFactor != nil {
			o.groups[i].factor = cfg.LRFactor(p.Name)
		}
		if cfg.NoDecay != nil && cfg.NoDecay(p.Name) {
			o.groups[i].decay = 0
		}
	}
	return o
}

// Step updates every parameter that has a gradient, with learning rate lr times
// the parameter's factor. It does not touch the gradients.
func (o *AdamW) Step(lr float64) { o.step(gradBlocks(o.params), lr, 1, false) }

// ClipStep is ClipGradNorm(params, max), Step(lr) and ZeroGrad(params) for the
// optimizer's own parameters, with the same results to the bit, in two passes over
// memory where those make four. It returns the norm before clipping. Unlike the
// three calls it changes nothing, gradients included, where that is NaN or +Inf.
func (o *AdamW) ClipStep(lr, max float64) (norm float64) {
	mustLimit("ClipStep", max)
	blocks := gradBlocks(o.params)
	norm = gradNorm(blocks)
	if !math.IsNaN(norm) && !math.IsInf(norm, 0) {
		o.step(blocks, lr, clipFactor(norm, max), true)
	}
	return norm
}

// step updates the parameters of all blocks from their gradients times scale, and
// with clear sets the gradients to 0.
func (o *AdamW) step(blocks []block, lr float64, scale float32, clear bool) {
	updates := make([]update, len(o.params))
	for _, b := range blocks {
		if b.start != 0 {
			continue
		}
		s := &o.moments[b.index]
		if s.m == nil {
			value, _ := buffers(o.params[b.index])
			s.m, s.v = make([]float32, len(value)), make([]float32, len(value))
		}
		s.step++
		updates[b.index] = o.update(lr, o.groups[b.index], s.step)
		updates[b.index].scale, updates[b.index].clear = scale, clear
	}
	parallel(len(blocks), func(i int) {
		b := blocks[i]
		s, end := &o.moments[b.index], b.start+len(b.value)
		updates[b.index].apply(b.value, b.grad, s.m[b.start:end], s.v[b.start:end])
	})
}
