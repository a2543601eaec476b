package search

import "math"

// A number's scale runs from 0 to 1: linear, or logarithmic where the parameter says so. Where numbers come in steps (an
// integer's step is 1), each owns a cell of its step's width, so the scale of n numbers has n cells and its ends lie half a
// step outside of the range.

// step returns the distance of neighbouring numbers, or 0 where any number will do.
func (p Param) step() float64 {
	if p.Integer && p.Step == 0 {
		return 1
	}
	return p.Step
}

// count returns how many values a parameter can have; +Inf for a continuous one.
func (p Param) count() float64 {
	switch {
	case p.Categorical():
		return float64(len(p.Choices))
	case p.Low == p.High:
		return 1
	case p.step() == 0:
		return math.Inf(1)
	}
	return math.Round((p.High-p.Low)/p.step()) + 1
}

// nth returns the value k of a parameter with steps.
func (p Param) nth(k float64) float64 {
	if p.Categorical() {
		return k
	}
	return p.round(p.Low + k*p.step())
}

// round moves a number to the nearest that the parameter can have. Multiples of the step are computed in one way only, so
// that equal values are equal bit by bit; the conversion keeps a compiler from fusing the sum, which rounds otherwise.
func (p Param) round(v float64) float64 {
	if step := p.step(); step > 0 {
		v = p.Low + float64(math.Round((v-p.Low)/step)*step)
	}
	if p.Integer {
		v = math.Round(v)
	}
	return min(max(v, p.Low), p.High)
}

// bounds returns the ends of the scale, before and after a logarithm.
func (p Param) bounds() (low, high float64) {
	low, high = p.Low-p.step()/2, p.High+p.step()/2
	if p.Log {
		low, high = math.Log(low), math.Log(high)
	}
	return low, high
}

// fromUnit returns the value at u of the scale, for u in [0, 1]. A categorical parameter's scale has a cell for each choice.
func (p Param) fromUnit(u float64) float64 {
	if p.Categorical() {
		n := float64(len(p.Choices))
		return min(max(math.Floor(u*n), 0), n-1)
	}
	low, high := p.bounds()
	v := low + u*(high-low)
	if p.Log {
		v = math.Exp(v)
	}
	return p.round(v)
}

// toUnit returns where a number stands on its scale, in [0, 1].
func (p Param) toUnit(v float64) float64 {
	low, high := p.bounds()
	if low == high {
		return 0.5
	}
	if p.Log {
		v = math.Log(v)
	}
	return min(max((v-low)/(high-low), 0), 1)
}

// cell returns the part of the scale that belongs to a number with steps.
func (p Param) cell(v float64) (from, to float64) {
	half := p.step() / 2
	return p.toUnit(v - half), p.toUnit(v + half)
}

// point maps the scales, one coordinate a parameter of the space, to the point with those parameters that exist there.
func (s Space) point(u func(i int) float64) Point {
	point := Point{}
	for i, p := range s {
		if s.Active(p, point) {
			point[p.Name] = p.fromUnit(u(i))
		}
	}
	return point
}
