package matrix

import "math"

// figure is the value, NaN for none.
func figure(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
