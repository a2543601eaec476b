package search

import (
	"slices"
	"strconv"
)

// cmaesState is where a search stands: the distribution of its current generation.
type cmaesState struct {
	*distribution
	generation int
	restarts   int
	proposed   int      // trials that this generation has
	members    []*Trial // that judged the generation before; nil unless this one has no trial yet
}

// replay rebuilds the state from the history. A generation is judged by the first trials of it, as many as the population, that
// are finished; which these are is written on the first trial of the next generation, so that one that ends late changes
// nothing that was decided.
func (c *cmaes) replay(history []Trial) cmaesState {
	generations := c.generations(history)
	centre := slices.Repeat([]float64{0.5}, len(c.axes))
	s := cmaesState{distribution: newDistribution(newStrategy(len(c.axes), c.population), centre)}
	for {
		var next []*Trial
		if s.generation+1 < len(generations) {
			next = generations[s.generation+1]
		}
		var members []*Trial
		s.proposed = 0
		if s.generation < len(generations) {
			s.proposed = len(generations[s.generation])
			members = c.members(generations[s.generation], next, s.population)
		}
		if members == nil {
			return s
		}
		s.members = nil
		if len(next) == 0 {
			s.members = slices.Clone(members)
		}
		s.advance(c, members)
	}
}

// generations returns the trials of each generation, by number: those that this sampler proposed and that lie in its space.
func (c *cmaes) generations(history []Trial) [][]*Trial {
	var lists [][]*Trial
	for i := range history {
		t := &history[i]
		g, err := strconv.Atoi(t.Tags[cmaesGeneration])
		if err != nil || g < 0 || g > len(lists) || !c.config.Space.Contains(t.Point) {
			continue // a generation that follows none is of another study
		}
		if g == len(lists) {
			lists = append(lists, nil)
		}
		lists[g] = append(lists[g], t)
	}
	return lists
}

// members returns the trials that judge a generation; nil while too few are finished.
func (c *cmaes) members(generation, next []*Trial, population int) []*Trial {
	finished := make([]*Trial, 0, population)
	for _, t := range generation {
		if t.State == Pruned || t.State == Complete && len(t.Values) == 1 {
			finished = append(finished, t)
		}
	}
	for _, t := range next {
		if found := numbered(finished, t.Tags[cmaesMembers]); len(found) == population {
			return found
		}
	}
	if len(finished) < population {
		return nil
	}
	return finished[:population]
}

// advance moves to the next generation, from a random point with twice the population when this one has converged (IPOP:
// Auger and Hansen, "A Restart CMA Evolution Strategy With Increasing Population Size", 2005).
func (s *cmaesState) advance(c *cmaes, members []*Trial) {
	order := better(c.config.Directions[0])
	slices.SortStableFunc(members, order)
	points := make([][]float64, len(members))
	for i, t := range members {
		points[i] = c.coordinates(t)
	}
	s.update(points)
	s.correctMargin(c.axes)
	s.note(members)
	s.generation++
	if s.converged() {
		s.restarts++
		random := stream(c.config.Seed, "restart", s.restarts, 0)
		mean := make([]float64, s.n)
		for i := range mean {
			mean[i] = random.Float64()
		}
		s.distribution = newDistribution(newStrategy(s.n, 2*s.population), mean)
	}
}
