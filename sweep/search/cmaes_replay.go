package search

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// cmaesState is where a search stands: the distribution of its current generation.
type cmaesState struct {
	*distribution
	generation int
	restarts   int
	members    []int // numbers of the trials that judged the generation before; nil unless this one has no trial yet
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
		if s.generation < len(generations) {
			members = c.members(generations[s.generation], next, s.population)
		}
		if members == nil {
			return s
		}
		s.members = nil
		if len(next) == 0 {
			for _, t := range members {
				s.members = append(s.members, t.Number)
			}
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
		numbers := parseNumbers(t.Tags[cmaesMembers])
		var named []*Trial
		for _, f := range finished {
			if slices.Contains(numbers, f.Number) {
				named = append(named, f)
			}
		}
		if len(named) == population && len(numbers) == population {
			return named
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
		random := stream("restart", c.config.Seed, s.restarts)
		mean := make([]float64, s.n)
		for i := range mean {
			mean[i] = random.Float64()
		}
		s.distribution = newDistribution(newStrategy(s.n, 2*s.population), mean)
	}
}

// sample draws a point: again where it leaves the unit cube, and after too many trials of that pushed onto its border. Parameters
// of steps have no border, their outer cells are open.
func (d *distribution) sample(axes []axis, random *rand.Rand) []float64 {
	const trials = 100
	z := make([]float64, d.n)
	var x []float64
	for range trials {
		for i := range z {
			z[i] = random.NormFloat64()
		}
		x = d.draw(z)
		inside := true
		for i, a := range axes {
			inside = inside && (a.step > 0 || x[i] >= 0 && x[i] <= 1)
		}
		if inside {
			return x
		}
	}
	for i, a := range axes {
		if a.step == 0 {
			x[i] = min(max(x[i], 0), 1)
		}
	}
	return x
}

// better orders finished trials for one objective: complete ones that keep their constraints by value, then those that break
// them by how far, then those that were given up, the later first.
func better(d Direction) func(a, b *Trial) int {
	return func(a, b *Trial) int {
		switch {
		case a.State != b.State:
			return boolInt(a.State == Pruned) - boolInt(b.State == Pruned)
		case a.State == Pruned:
			stepA, valueA := lastStep(a)
			stepB, valueB := lastStep(b)
			if stepA != stepB {
				return stepB - stepA
			}
			return compareValues(valueA, valueB, d)
		}
		if c := compareValues(violation(a), violation(b), Minimize); c != 0 {
			return c
		}
		return compareValues(a.Values[0], b.Values[0], d)
	}
}

// lastStep returns the last part of a trial's evaluation, -1 if there was none, and its value.
func lastStep(t *Trial) (step int, value float64) {
	step, value = -1, math.NaN()
	for s, v := range t.Steps {
		if s > step {
			step, value = s, v
		}
	}
	return step, value
}

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
