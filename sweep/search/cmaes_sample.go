package search

// resamples is how often a point is drawn again that left the unit cube.
const resamples = 100

// sample draws the next trial of the generation. Unlike cmaes and Optuna, whose draws are independent, the first ones of a
// generation, as many as the population, form a Latin hypercube of the standard normal (McKay, Beckman and Conover 1979): in each
// principal direction, one draw falls into each of as many equally likely strata. Mean and covariance of so few draws scatter less
// then, which is worth a tenfold smaller error after the budgets of the table at [cmaes]. A point that leaves the unit cube is
// replaced by independent draws, as in cmaes, and after 100 of them is pushed onto the border. Parameters of steps have no border:
// their outer cells are open.
func (s cmaesState) sample(c *cmaes, number int) []float64 {
	block, row := s.proposed/s.population, s.proposed%s.population
	random := stream(c.config.Seed, "block", s.generation, block)
	z := make([]float64, s.n)
	for i := range z {
		stratum := random.Perm(s.population)[row]
		var within float64
		for k := range s.population { // every row's share is drawn, so that each has the same stream to itself
			if u := random.Float64(); k == row {
				within = u
			}
		}
		z[i] = normalQuantile((float64(stratum) + within) / float64(s.population))
	}
	x := s.draw(z)
	random = stream(c.config.Seed, "again", number, 0)
	for range resamples {
		if c.inside(x) {
			return x
		}
		for i := range z {
			z[i] = random.NormFloat64()
		}
		x = s.draw(z)
	}
	for i, a := range c.axes {
		if a.step == 0 {
			x[i] = min(max(x[i], 0), 1)
		}
	}
	return x
}

func (c *cmaes) inside(x []float64) bool {
	for i, a := range c.axes {
		if a.step == 0 && !(x[i] >= 0 && x[i] <= 1) {
			return false
		}
	}
	return true
}
