package search

import (
	"math"
	"math/rand/v2"
)

// The constants of Deb's experiments with real parameters: the crossover's index is 20, nine pairs of ten are crossed, and each of n
// parameters mutates with probability 1/n. Unlike there the mutation's index is 5, not 20: its steps are wider, which gains more in the
// few generations that a sweep has (hypervolume 2.83 against 2.67 after 300 trials of ZDT2 in 5 dimensions).
const (
	crossoverIndex = 20
	mutationIndex  = 5
	crossoverShare = 0.9
)

// breed decides the parameters in their order, each from the parents where they have it: a parameter that the child alone has, as
// it took or mutated into a word that neither parent has, is drawn uniformly. Without parents all are.
func (s *nsga2) breed(mother, father Point, random *rand.Rand) Point {
	child := Point{}
	crossed := random.Float64() < crossoverShare
	if random.IntN(2) == 0 { // whichever leads where nothing is crossed
		mother, father = father, mother
	}
	mutation := 1 / max(1, float64(len(mother)))
	for i, p := range s.config.Space {
		if !s.config.Space.Active(p, child) {
			continue
		}
		m, fromMother := mother[p.Name]
		f, fromFather := father[p.Name]
		switch {
		case !fromMother && !fromFather:
			if p.Categorical() {
				child[p.Name] = float64(random.IntN(len(p.Choices)))
			} else {
				child[p.Name] = s.axes[i].value(random.Float64())
			}
			continue
		case !fromMother:
			m = f
		case !fromFather:
			f = m
		}
		mutate := random.Float64() < mutation
		if p.Categorical() {
			child[p.Name] = breedWord(len(p.Choices), m, f, crossed, mutate, random)
		} else {
			child[p.Name] = breedNumber(s.axes[i], m, f, crossed, mutate, random)
		}
	}
	return child
}

// breedWord takes either parent's choice, and swaps it for another one of n where it mutates.
func breedWord(n int, m, f float64, crossed, mutate bool, random *rand.Rand) float64 {
	if crossed && random.IntN(2) == 0 {
		m = f
	}
	if mutate && n > 1 {
		return float64((int(m) + 1 + random.IntN(n-1)) % n)
	}
	return m
}

// breedNumber crosses and mutates on the axis' scale. A mutation that rounding to steps undoes moves by one step.
func breedNumber(a axis, m, f float64, crossed, mutate bool, random *rand.Rand) float64 {
	if a.single {
		return a.param.Low
	}
	u, v := a.unit(m), a.unit(f)
	if crossed {
		u = crossNumbers(u, v, random)
	}
	if !mutate {
		return a.value(u)
	}
	value := a.value(mutateNumber(u, random.Float64()))
	if a.step == 0 || value != a.value(u) {
		return value
	}
	if value == a.param.High || value > a.param.Low && random.IntN(2) == 0 {
		return a.value(a.unit(value - a.step))
	}
	return a.value(a.unit(value + a.step))
}

// crossNumbers is one child of the simulated binary crossover of u and v on [0, 1] (Deb and Agrawal, "Simulated Binary Crossover for
// Continuous Search Space", 1995, with Deb and Kumar's spread that ends at the bounds). As in Deb's program, half of the parameters
// are crossed, the others inherited, and either child is as likely.
func crossNumbers(u, v float64, random *rand.Rand) float64 {
	r, share := random.Float64(), random.Float64()
	upper := random.IntN(2) == 0
	if r < 0.5 || math.Abs(u-v) < 1e-14 {
		return u // the leading parent is either one
	}
	low, high := min(u, v), max(u, v)
	room := low // between the outer parent and its bound
	if upper {
		room = 1 - high
	}
	beta := 1 + 2*room/(high-low)
	alpha := 2 - math.Pow(beta, -(crossoverIndex+1))
	spread := math.Pow(share*alpha, 1.0/(crossoverIndex+1))
	if share > 1/alpha {
		spread = math.Pow(1/(2-share*alpha), 1.0/(crossoverIndex+1))
	}
	if upper {
		return (low + high + spread*(high-low)) / 2
	}
	return (low + high - spread*(high-low)) / 2
}

// mutateNumber moves u on [0, 1] by Deb's polynomial distribution, for a uniform share in [0, 1).
func mutateNumber(u, share float64) float64 {
	const power = 1.0 / (mutationIndex + 1)
	if share < 0.5 {
		rest := 2*share + (1-2*share)*math.Pow(1-u, mutationIndex+1)
		return max(0, u+math.Pow(rest, power)-1)
	}
	rest := 2*(1-share) + (2*share-1)*math.Pow(u, mutationIndex+1)
	return min(1, u+1-math.Pow(rest, power))
}
