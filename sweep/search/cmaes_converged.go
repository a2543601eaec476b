package search

import (
	"math"
	"slices"
)

// note remembers the lowest and highest value of a generation.
func (d *distribution) note(members []*Trial) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, t := range members {
		v := math.NaN() // a trial that was given up has no value to be flat with
		if t.State == Complete {
			v = t.Values[0]
		}
		low, high = min(low, v), max(high, v)
	}
	d.lows, d.highs = append(d.lows, low), append(d.highs, high)
}

// converged reports whether the distribution can find nothing better: it is too narrow to matter (1e-11 of the parameters'
// ranges) or for the precision of its mean, it is degenerate, or the values of its recent generations are all the same (within
// 1e-12).
func (d *distribution) converged() bool {
	if d.unusable || d.lengths[d.n-1] > 1e7*d.lengths[0] || d.sigma*d.lengths[d.n-1] > 1e4 {
		return true
	}
	if recent := len(d.lows) - d.horizon; recent >= 0 {
		low, high := slices.Min(d.lows[recent:]), slices.Max(d.highs[recent:])
		if low == high || high-low < 1e-12 {
			return true
		}
	}
	narrow := true
	for i := range d.n {
		deviation := d.sigma * math.Sqrt(d.c.At(i, i))
		if d.mean[i] == d.mean[i]+0.2*deviation {
			return true
		}
		narrow = narrow && deviation < 1e-11 && d.sigma*math.Abs(d.pc[i]) < 1e-11
	}
	return narrow
}
