package search

import (
	"math"
	"slices"
)

// NonDominated returns the Pareto front of the trials that are complete and keep their constraints: the indices, in
// increasing order, of those that no other one surpasses in an objective without being worse in another. Trials of equal values
// are all in the front or all outside of it. Trials with another number of values than there are directions, or with NaN, are left
// out. Its cost is at most quadratic, and in practice the number of trials times the front's size.
func NonDominated(trials []Trial, directions []Direction) []int {
	var order []int
	for i, t := range trials {
		if t.State == Complete && t.Feasible() && len(t.Values) == len(directions) && !slices.ContainsFunc(t.Values, math.IsNaN) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return byDominance(&trials[a], &trials[b], directions) })
	var front []int
	for _, i := range order {
		if !slices.ContainsFunc(front, func(f int) bool { return dominates(&trials[f], &trials[i], directions) }) {
			front = append(front, i)
		}
	}
	slices.Sort(front)
	return front
}

// Hypervolume2 returns the area between points of two objectives and a reference point: the area of all that some point dominates
// and that dominates the reference. Points that are not better than the reference in both objectives add nothing; none at all
// give 0. It panics when there are not two directions or two coordinates of each.
func Hypervolume2(points [][]float64, directions []Direction, reference []float64) float64 {
	if len(directions) != 2 || len(reference) != 2 {
		panic("search: Hypervolume2 wants two directions and a reference of two coordinates")
	}
	gains := make([][2]float64, 0, len(points)) // by how much a point is better than the reference
	for _, p := range points {
		if len(p) != 2 {
			panic("search: Hypervolume2 wants points of two coordinates")
		}
		var gain [2]float64
		for o, d := range directions {
			gain[o] = p[o] - reference[o]
			if d == Minimize {
				gain[o] = -gain[o]
			}
		}
		if gain[0] > 0 && gain[1] > 0 {
			gains = append(gains, gain)
		}
	}
	slices.SortFunc(gains, func(a, b [2]float64) int { return compareValues(a[0], b[0], Maximize) })
	var area, height float64
	for _, g := range gains {
		if g[1] > height {
			area += g[0] * (g[1] - height)
			height = g[1]
		}
	}
	return area
}
