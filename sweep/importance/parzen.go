package importance

import (
	"math"

	"syncretic/sweep/search"
)

const (
	mostCells = 50         // of a number's grid
	prior     = 1.0        // weight of the uniform part of an estimate, in trials
	narrowest = 0.5 / 1.64 // standard deviation of a kernel, in cells: nine tenths of it lie in its own
)

// A histogram counts the trials where a parameter exists, by cells of its grid.
type histogram struct {
	counts []int
	trials int
}

// cells counts the values of a parameter. A number outside of its range counts in the nearest cell; what is no number, or no
// choice of a categorical parameter, counts nowhere.
func cells(p search.Param, trials []search.Trial) histogram {
	h := histogram{counts: make([]int, size(p))}
	low, high := p.Low, p.High
	if p.Log {
		low, high = math.Log(low), math.Log(high)
	}
	for _, t := range trials {
		v, exists := t.Point[p.Name]
		if !exists || math.IsNaN(v) {
			continue
		}
		at := v
		switch {
		case p.Categorical() && (v != math.Trunc(v) || v < 0 || v >= float64(len(h.counts))):
			continue
		case p.Categorical():
		case len(h.counts) == 1:
			at = 0
		default:
			if p.Log {
				v = math.Log(v)
			}
			// To the nearest cell, from the middle between two to the lower one.
			at = math.Ceil((v-low)/((high-low)/float64(len(h.counts)-1)) - 0.5)
			if math.IsNaN(at) { // the logarithm of a number below 0
				continue
			}
		}
		h.counts[int(max(0, min(float64(len(h.counts)-1), at)))]++
		h.trials++
	}
	return h
}

// size is the number of cells of a parameter's grid: one a choice or step, at most mostCells.
func size(p search.Param) int {
	width := p.High - p.Low
	switch {
	case p.Categorical():
		return len(p.Choices)
	case !(width > 0):
		return 1
	case p.Integer && p.Log:
		return min(mostCells, int(math.Ceil(math.Log(width+1)/math.Log(2)))+1)
	case p.Step > 0:
		return int(min(mostCells, math.Round(width/p.Step)+1))
	case p.Integer:
		return int(min(mostCells, width+1))
	}
	return mostCells
}

// density is the Parzen estimate over the cells: a kernel a cell, weighted by its count, and the prior.
func (h histogram) density(p search.Param, optuna bool) []float64 {
	if p.Categorical() {
		return h.categorical(optuna)
	}
	n := len(h.counts)
	out := make([]float64, n)
	total := float64(h.trials) + prior
	add := func(mean, deviation, weight float64) {
		weight /= total * mass(-0.5-mean, float64(n)-0.5-mean, deviation)
		for x := range out {
			out[x] += weight * mass(float64(x)-0.5-mean, float64(x)+0.5-mean, deviation)
		}
	}
	deviation := h.bandwidth()
	for x, count := range h.counts {
		if count > 0 {
			add(float64(x), deviation, float64(count))
		}
	}
	add(float64(n-1)/2, float64(n), prior)
	return out
}

// categorical is the share of each choice, with the prior spread over all of them; as Optuna has it, every kernel gives a little
// of its weight to each choice besides: the prior's weight over the number of kernels.
func (h histogram) categorical(optuna bool) []float64 {
	kernels, little := 1, 0.0 // the prior is a kernel too
	for _, count := range h.counts {
		if count > 0 {
			kernels++
		}
	}
	if optuna {
		little = prior / float64(kernels)
	}
	n, total := float64(len(h.counts)), float64(h.trials)+prior
	out := make([]float64, len(h.counts))
	for x, count := range h.counts {
		out[x] = ((float64(h.trials)*little+float64(count))/(1+n*little) + prior/n) / total
	}
	return out
}

// bandwidth is Scott's rule, 1.059 σ N^(−1/5) with σ the smaller of the standard deviation and IQR/1.34, in cells.
func (h histogram) bandwidth() float64 {
	var sum, squares float64
	n := float64(h.trials)
	for x, count := range h.counts {
		sum += float64(x) * float64(count)
	}
	for x, count := range h.counts {
		d := float64(x) - sum/n
		squares += float64(count) * d * d
	}
	deviation := math.Sqrt(squares / max(1, n-1))
	// Quartiles are the first cell that reaches a quarter of the trials, rounded down, and the first that exceeds three.
	first, third, last, reached := -1, -1, 0, 0
	for x, count := range h.counts {
		if count == 0 {
			continue
		}
		reached, last = reached+count, x
		if first < 0 && reached >= h.trials/4 {
			first = x
		}
		if third < 0 && reached > h.trials*3/4 {
			third = x
		}
	}
	if third < 0 {
		third = last
	}
	return max(narrowest, 1.059*min(float64(third-first)/1.34, deviation)*math.Pow(n, -0.2))
}

// mass is the part of a normal distribution around 0 that lies in [a, b].
func mass(a, b, deviation float64) float64 {
	if a > 0 { // in the lower tail nothing cancels
		a, b = -b, -a
	}
	scale := deviation * math.Sqrt2
	return (math.Erfc(-b/scale) - math.Erfc(-a/scale)) / 2
}
