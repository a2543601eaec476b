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

// nearestWidths returns for each kernel and number the root mean square distance to the 3 nearest other trials, near in all
// numbers together; half of the mean is over this number's distances and half over all numbers', so that trials that
// happen to agree in one do not freeze it. A width is at least `least`, and at most 1, of the scale; 0.3 where a trial is
// alone. Where good trials gather in several places, each place has its own widths, and they shrink as the trials close in.
// Cost: O(n^2 d) for n trials and d numbers.
func nearestWidths(places [][]float64, least float64) [][]float64 {
	const nearest, alone = 3, 0.3
	widths := make([][]float64, len(places))
	if len(places) == 0 {
		return widths
	}
	n, d := len(places[0]), float64(len(places))
	for i := range widths {
		widths[i] = make([]float64, n)
	}
	type neighbour struct {
		distance float64 // squared
		trial    int
	}
	for k := range n {
		var others []neighbour
		for j := range n {
			if j == k {
				continue
			}
			total := 0.0
			for _, x := range places {
				total += (x[j] - x[k]) * (x[j] - x[k])
			}
			others = append(others, neighbour{total, j})
		}
		slices.SortStableFunc(others, func(a, b neighbour) int { return cmp.Compare(a.distance, b.distance) })
		others = others[:min(nearest, len(others))]
		all := 0.0
		for _, o := range others {
			all += o.distance / d
		}
		for i, x := range places {
			one := 0.0
			for _, o := range others {
				one += (x[o.trial] - x[k]) * (x[o.trial] - x[k])
			}
			width := alone
			if len(others) > 0 {
				width = math.Sqrt((one + all) / 2 / float64(len(others)))
			}
			widths[i][k] = min(max(width, least), 1)
		}
	}
	return widths
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
			var width float64
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
