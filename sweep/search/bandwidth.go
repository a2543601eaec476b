package search

import (
	"cmp"
	"math"
	"slices"
)

// equal weighs n trials alike.
func equal(n int) []float64 {
	return slices.Repeat([]float64{1}, n)
}

// fading weighs the last 25 of n trials alike, and those before less and less, down to 1/n (Bergstra, Yamins and Cox 2013, "Making
// a science of model search"): the rest follows where the search is now.
func fading(n int) []float64 {
	const recent = 25
	w := equal(n)
	for i := range n - recent {
		w[i] = 1/float64(n) + (1-1/float64(n))*float64(i)/float64(max(n-recent-1, 1))
	}
	return w
}

// referenceWidths returns Scott's normal reference bandwidths, one for all n kernels: n^(-1/(d+4)) times the standard deviation, in d numbers
// (Scott 1992, "Multivariate density estimation", equation 6.42), of at least 0.1/(n+1) of the scale. A single trial has no
// deviation; it gets a uniform one's.
func referenceWidths(places [][]float64) [][]float64 {
	widths := make([][]float64, len(places))
	for i, x := range places {
		n := float64(len(x))
		deviation := math.Sqrt(1. / 12)
		if n > 1 {
			deviation = math.Sqrt(variance(x))
		}
		width := max(deviation*math.Pow(n, -1/float64(len(places)+4)), 0.1/(n+1))
		widths[i] = slices.Repeat([]float64{min(width, 1)}, len(x))
	}
	return widths
}

// variance returns the mean square of the deviations from the mean.
func variance(x []float64) float64 {
	mean, total := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		total += (v - mean) * (v - mean)
	}
	return total / float64(len(x))
}

// neighbourWidths returns each kernel's distance to the farther of its neighbours, for each number alone (Bergstra et al. 2011,
// section 4.1), clipped to [1/min(100, n+2), 1] of the scale. The outermost have one neighbour; the ends of the scale count as
// neighbours of a single trial only.
func neighbourWidths(places [][]float64) [][]float64 {
	widths := make([][]float64, len(places))
	for i, x := range places {
		n := len(x)
		order := make([]int, n)
		for k := range order {
			order[k] = k
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
		widths[i] = make([]float64, n)
		for rank, k := range order {
			width := 0.0
			switch {
			case n == 1:
				width = max(x[k], 1-x[k])
			case rank == 0:
				width = x[order[1]] - x[k]
			case rank == n-1:
				width = x[k] - x[order[rank-1]]
			default:
				width = max(x[order[rank+1]]-x[k], x[k]-x[order[rank-1]])
			}
			widths[i][k] = min(max(width, 1/float64(min(100, n+2))), 1)
		}
	}
	return widths
}
