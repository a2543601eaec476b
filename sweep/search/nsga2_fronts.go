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

// byDominance orders trials such that what dominates another stands before it.
func byDominance(a, b *Trial, directions []Direction) int {
	if c := compareValues(violation(a), violation(b), Minimize); c != 0 {
		return c
	}
	for i, d := range directions {
		if c := compareValues(a.Values[i], b.Values[i], d); c != 0 {
			return c
		}
	}
	return 0
}

// fronts sorts trials into fronts, as indices: none of the first is dominated, none of the second when the first is taken away, and so
// on. In the order of [byDominance], each belongs to the first front without a member that dominates it (Zhang, Tian, Cheng and
// Jin 2015, "ENS"): at most n^2 comparisons.
func fronts(trials []*Trial, directions []Direction) [][]int {
	order := make([]int, len(trials))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return byDominance(trials[a], trials[b], directions) })
	var all [][]int
	for _, i := range order {
		k := slices.IndexFunc(all, func(front []int) bool {
			return !slices.ContainsFunc(front, func(j int) bool { return dominates(trials[j], trials[i], directions) })
		})
		if k < 0 {
			all = append(all, []int{i})
		} else {
			all[k] = append(all[k], i)
		}
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
