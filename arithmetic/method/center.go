package method

import "math"

// Means on the sphere.

// multislerp moves from the weighted mean direction along the exponential map of the weighted mean of the tangent vectors, and
// gives the result the weighted mean of the norms. That mean of tangents is zero: at the weighted mean m of the unit vectors,
// Σ w_i (u_i − (u_i·m)m) = 0. What remains is cos(eps)·m. One model is copied, with a base too; where all vectors are opposed in
// balance, two are interpolated linearly and more are an error. Unlike mergekit, any number of tensors that are all zero (or all
// equal to the base) are no error.
func multislerp(t *Task) (kernel, error) {
	s := span{models: t.others()}
	if len(s.models) == 1 {
		return t.copyOf(&s.models[0]), nil
	}
	if t.Base >= 0 {
		s.origin = t.base()
	}
	var weights []float64
	var sum, size float64
	for _, in := range s.models {
		weights = append(weights, in.Params["weight"])
		sum += in.Params["weight"]
	}
	if t.Params.on("normalize_weights") {
		if sum == 0 {
			return nil, invalid("the weights' sum is 0, and normalize_weights is on")
		}
		for i := range weights {
			weights[i] /= sum
		}
	}
	for _, w := range weights {
		size += math.Abs(w)
	}
	eps := t.Params["eps"]
	// Below this a mean is zero but for rounding in float32, in which mergekit would follow its noise.
	least := max(eps, 0x1p-22*size)
	return s.blended(t, t.whole(), func(g gram, c []float32) error {
		norms := make([]float64, g.n)
		var mean, largest float64
		for i := range norms {
			mean += weights[i] * g.norm(i)
			largest = max(largest, g.norm(i))
			norms[i] = g.norm(i) + eps
		}
		length := g.units(norms).length(weights)
		for i, w := range weights {
			switch {
			case largest == 0 || norms[i] == 0:
			case length > 0 && length >= least:
				c[i] = float32(math.Cos(eps) * mean * w / norms[i] / length)
			case g.n == 2:
				c[i] = float32(w)
			default:
				return invalid("the weighted mean of the directions is 0: no direction lies between these models, with these weights")
			}
		}
		return nil
	})
}

// copyOf makes an input the result.
func (t *Task) copyOf(in *Input) kernel {
	return &combination{inputs: []Input{*in}, coef: []float32{1}, divisor: 1}
}

// karcher finds the point of the sphere whose mean squared distance along great circles to the unit vectors is least, all with
// equal weight, by steps to the mean of the logarithms, and gives it the mean of the norms. Tensors with a norm of at most tol
// have no direction, but their norm counts. The start is the mean of the unit vectors, or the first where they balance out. Unlike
// mergekit, a vector opposite to the current mean, whose logarithm points nowhere, takes no part in that step.
func karcher(t *Task) (kernel, error) {
	if len(t.Inputs) == 1 {
		return t.copyOf(&t.Inputs[0]), nil
	}
	s := span{models: t.Inputs}
	steps, tol := int(t.Params["max_iter"]), t.Params["tol"]
	return s.blended(t, t.whole(), func(g gram, c []float32) error {
		norms := make([]float64, g.n)
		var mean float64
		for i := range norms {
			mean += g.norm(i) / float64(g.n)
			if g.norm(i) > tol {
				norms[i] = g.norm(i)
			}
		}
		m := center(g.units(norms), norms, steps, tol)
		for i := range c {
			if norms[i] != 0 {
				c[i] = float32(mean * m[i] / norms[i])
			}
		}
		return nil
	})
}

// center is the iteration of karcher, in coordinates of the unit vectors whose Gram matrix is u. Those with a norm of 0 do not
// take part; if none does, the coordinates are 0.
func center(u gram, norms []float64, steps int, tol float64) []float64 {
	m, tangent := make([]float64, u.n), make([]float64, u.n)
	first, count := -1, 0.0
	for i, n := range norms {
		if n != 0 {
			m[i] = 1
			if count++; first < 0 {
				first = i
			}
		}
	}
	if first < 0 {
		return m
	}
	const rounding = 1e-7 // of a length in Gram coordinates: the root of float64's rounding, and some
	if length := u.length(m) / count; length < max(tol, rounding) {
		clear(m)
		m[first] = 1
	} else {
		scale(m, 1/(length*count))
	}
	for range steps {
		clear(tangent)
		for i, cos := range u.product(m) {
			angle := math.Acos(clamp(cos, -1, 1))
			if norms[i] == 0 || angle == 0 || angle < tol || math.Pi-angle < max(tol, rounding) {
				continue
			}
			f := angle / math.Sin(angle) / count
			tangent[i] += f
			for j, x := range m {
				tangent[j] -= f * cos * x
			}
		}
		length := u.length(tangent)
		if length < max(tol, rounding) {
			break
		}
		for i := range m {
			m[i] = math.Cos(length)*m[i] + math.Sin(length)/length*tangent[i]
		}
		if length := u.length(m); length > tol {
			scale(m, 1/length)
		}
	}
	return m
}

func scale(x []float64, by float64) {
	for i := range x {
		x[i] *= by
	}
}
