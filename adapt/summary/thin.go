package summary

import "math"

// mostPoints bounds the points of a curve, and so the size of the page.
const mostPoints = 160

// thinned is a division of the steps of a log into runs of equal length, each of which becomes one point.
type thinned struct {
	steps []step
	size  int // steps a point
}

func thin(steps []step) thinned {
	return thinned{steps, max(1, (len(steps)+mostPoints-1)/mostPoints)}
}

// each calls f for every run.
func (t thinned) each(f func(run []step)) {
	for from := 0; from < len(t.steps); from += t.size {
		f(t.steps[from:min(from+t.size, len(t.steps))])
	}
}

// x are the points' places: the step in the middle of each run.
func (t thinned) x() (places []float64) {
	t.each(func(run []step) { places = append(places, float64(run[(len(run)-1)/2].Step)) })
	return places
}

// mean is a curve of means over the finite values of each run, NaN where there is none.
func (t thinned) mean(of func(step) float64) (curve []float64) {
	t.each(func(run []step) {
		var values []number
		for _, s := range run {
			values = append(values, number(of(s)))
		}
		curve = append(curve, meanOf(values))
	})
	return curve
}

// most is a curve of the largest finite value of each run, NaN where there is none.
func (t thinned) most(of func(step) float64) (curve []float64) {
	t.each(func(run []step) {
		most := math.NaN()
		for _, s := range run {
			if v := of(s); !math.IsInf(v, 0) && !math.IsNaN(v) && !(v <= most) {
				most = v
			}
		}
		curve = append(curve, most)
	})
	return curve
}
