package search

import (
	"math"
	"slices"
)

// dominates reports whether a is at least as good as b in every objective and better in one. One that keeps its constraints
// dominates one that breaks them; of two that break them, that which breaks them less dominates.
func dominates(a, b *Trial, directions []Direction) bool {
	if va, vb := violation(a), violation(b); va > 0 || vb > 0 {
		return va < vb
	}
	better := false
	for i, d := range directions {
		switch compareValues(a.Values[i], b.Values[i], d) {
		case 1:
			return false
		case -1:
			better = true
		}
	}
	return better
}

// fronts sorts trials into fronts, as indices: none of the first is dominated, none of the second when the first is taken away, and so
// on. It costs n^2 comparisons.
func fronts(trials []*Trial, directions []Direction) [][]int {
	below, above := make([][]int, len(trials)), make([]int, len(trials))
	for i := range trials {
		for j := range trials {
			if dominates(trials[i], trials[j], directions) {
				below[i] = append(below[i], j)
				above[j]++
			}
		}
	}
	var front []int
	for i, n := range above {
		if n == 0 {
			front = append(front, i)
		}
	}
	var all [][]int
	for len(front) > 0 {
		all = append(all, front)
		var next []int
		for _, i := range front {
			for _, j := range below[i] {
				if above[j]--; above[j] == 0 {
					next = append(next, j)
				}
			}
		}
		slices.Sort(next)
		front = next
	}
	return all
}

// crowding returns how far apart the neighbours of each member of a front lie, summed over the objectives' shares of
// their range within the front; +Inf for those at an end.
func crowding(trials []*Trial, front []int, objectives int) map[int]float64 {
	distance := map[int]float64{}
	for o := range objectives {
		order := slices.Clone(front)
		slices.SortStableFunc(order, func(a, b int) int { return compareValues(trials[a].Values[o], trials[b].Values[o], Minimize) })
		at := func(k int) float64 { return trials[order[k]].Values[o] }
		last := len(order) - 1
		width := at(last) - at(0)
		if !(width > 0) { // all the same, or not a number
			continue
		}
		distance[order[0]], distance[order[last]] = math.Inf(1), math.Inf(1)
		for k := 1; k < last; k++ {
			if share := (at(k+1) - at(k-1)) / width; !math.IsNaN(share) { // infinite values have no shares
				distance[order[k]] += share
			}
		}
	}
	return distance
}

// standing is a trial's place in its population.
type standing struct {
	front    int
	crowding float64
}

func (a standing) before(b standing) bool {
	return a.front < b.front || a.front == b.front && a.crowding > b.crowding
}

func standings(trials []*Trial, directions []Direction) []standing {
	all := make([]standing, len(trials))
	for rank, front := range fronts(trials, directions) {
		distance := crowding(trials, front, len(directions))
		for _, i := range front {
			all[i] = standing{rank, distance[i]}
		}
	}
	return all
}

// survivors returns the best n trials by standing, those of equal standing in the order of their numbers.
func survivors(trials []*Trial, directions []Direction, n int) []*Trial {
	all := standings(trials, directions)
	order := make([]int, len(trials))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case all[a].before(all[b]):
			return -1
		case all[b].before(all[a]):
			return 1
		}
		return trials[a].Number - trials[b].Number
	})
	var best []*Trial
	for _, i := range order[:min(n, len(order))] {
		best = append(best, trials[i])
	}
	return best
}
