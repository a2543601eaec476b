package optim

import "math"

// update holds the constants of one step of one parameter, g being scale·grad:
//
//	m := beta1·m + other1·g
//	v := beta2·v + other2·g²
//	p := keep·p - size · m / (√v·root + eps)
type update struct {
	scale                        float32 // of the gradient
	keep, size, root, eps        float32
	beta1, beta2, other1, other2 float32 // other is 1 - beta

	clear bool // the gradient becomes 0
}

// update computes the constants of step t, for gradients as they are.
func (o *AdamW) update(lr float64, g group, t int) update {
	lr *= g.factor
	correct1 := 1 - math.Pow(o.Beta1, float64(t))
	correct2 := math.Sqrt(1 - math.Pow(o.Beta2, float64(t)))
	u := update{
		scale: 1,
		keep:  float32(1 - lr*g.decay),
		size:  float32(lr / correct1),
		root:  float32(1 / correct2),
		eps:   float32(o.Eps),
		beta1: float32(o.Beta1), beta2: float32(o.Beta2),
		other1: float32(1 - o.Beta1), other2: float32(1 - o.Beta2),
	}
	if o.Variant == Fairseq {
		u.size, u.root = float32(lr*correct2/correct1), 1
	}
	return u
}

// apply updates values and moments of one block; the slices have equal lengths.
func (u *update) apply(value, grad, m, v []float32) {
	n := fastUpdate(u, value, grad, m, v)
	u.applyGo(value[n:], grad[n:], m[n:], v[n:])
}

// applyGo is apply in Go, and what the kernels equal bit for bit: each product is
// rounded by its conversion, so that no platform fuses it with the addition that
// follows, and a root that was taken in float64 rounds to that of float32.
func (u *update) applyGo(value, grad, m, v []float32) {
	c := *u
	grad, m, v = grad[:len(value)], m[:len(value)], v[:len(value)]
	for i, p := range value {
		g := float32(c.scale * grad[i])
		mi := float32(c.beta1*m[i]) + float32(c.other1*g)
		vi := float32(c.beta2*v[i]) + float32(c.other2*float32(g*g))
		m[i], v[i] = mi, vi
		root := float32(math.Sqrt(float64(vi)))
		value[i] = float32(p*c.keep) - float32(c.size*mi)/(float32(root*c.root)+c.eps)
	}
	if c.clear {
		clear(grad)
	}
}
