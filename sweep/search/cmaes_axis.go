package search

import "math"

// axis maps a numeric parameter onto the unit interval, on which CMA-ES and NSGA-II calculate, and back. A parameter of steps
// owns a cell for each of its values, half a step to either side, so that its first and last value are as likely as the others.
type axis struct {
	param  Param
	step   float64 // between neighbouring values; 0 where every number is allowed
	lo, hi float64 // the ends on the searched scale, of the outer cells where there are steps
	single bool    // there is one value only
}

func newAxis(p Param) axis {
	a := axis{param: p, step: p.Step, single: p.Low == p.High}
	if p.Integer && a.step == 0 {
		a.step = 1
	}
	a.lo, a.hi = a.scale(p.Low-a.step/2), a.scale(p.High+a.step/2)
	return a
}

func (a axis) scale(v float64) float64 {
	if a.param.Log {
		return math.Log(v)
	}
	return v
}

// unit returns where a value stands in [0, 1].
func (a axis) unit(v float64) float64 {
	if a.single {
		return 0.5
	}
	return (a.scale(v) - a.lo) / (a.hi - a.lo)
}

// value returns the parameter's value at u, the nearest in range where u is not in [0, 1].
func (a axis) value(u float64) float64 {
	v := a.lo + u*(a.hi-a.lo)
	if a.param.Log {
		v = math.Exp(v)
	}
	if a.step > 0 {
		v = a.param.Low + a.step*math.Round((v-a.param.Low)/a.step)
	}
	if v > a.param.High-a.step/2 { // the last step, whatever its rounding
		v = a.param.High
	}
	return min(max(v, a.param.Low), a.param.High)
}

// cell returns the ends of the cell of the value at u: crossing them changes the value. The outer ends are infinite.
func (a axis) cell(u float64) (lower, upper float64) {
	v := a.value(u)
	lower, upper = math.Inf(-1), math.Inf(1)
	if v > a.param.Low {
		lower = a.unit(v - a.step/2)
	}
	if v < a.param.High {
		upper = a.unit(v + a.step/2)
	}
	return lower, upper
}
