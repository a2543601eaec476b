package search

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
)

// Tags of the trials that NSGA-II proposes.
const (
	nsga2Generation = "nsga2:generation" // in which the trial was proposed
	nsga2Parents    = "nsga2:parents"    // on the first trial of a generation: numbers of the trials that it descends from
)

// nsga2 proposes points by the elitist genetic algorithm NSGA-II (Deb, Pratap, Agarwal and Meyarivan, "A Fast and Elitist
// Multiobjective Genetic Algorithm: NSGA-II", IEEE Transactions on Evolutionary Computation 6(2), 2002): parents win
// tournaments by rank of their front, then by crowding distance; trials that keep their constraints dominate those that do not.
// Numbers are crossed by simulated binary crossover and mutated polynomially, on their scale (a logarithm where the parameter
// has one) and rounded to their steps; words come from either parent and mutate into any other.
//
// A generation is over when as many of its trials as the population are complete; until then workers get further ones, so none
// waits and those that fail are replaced. Trials of another sampler that lie in the space count as of the first generation. The first
// trial of each generation names the parents, so one that ends late changes nothing that was decided, but it may yet become a
// parent in the generation after. Ask costs one pass over the history, and the sorting of two or three
// populations where a generation ends.
//
// Median hypervolume to (1.1, 4) over 20 seeds, 300 trials in 5 dimensions, beside Optuna 5.0.0's NSGAIISampler as it comes and with
// simulated binary crossover and polynomial mutation (testdata has the script):
//
//	function   ours   Optuna   Optuna, SBX
//	zdt1       3.45     3.11          3.33
//	zdt2       2.87     2.57          2.76
type nsga2 struct {
	config     Config
	axes       []axis // by parameter, unused for words
	population int
}

func newNSGA2(cfg Config) (Sampler, error) {
	if len(cfg.Directions) == 0 {
		return nil, fmt.Errorf("%w: %s without an objective", ErrSpace, NSGA2)
	}
	s := nsga2{config: cfg, axes: make([]axis, len(cfg.Space)), population: cfg.Population}
	for i, p := range cfg.Space {
		if !p.Categorical() {
			s.axes[i] = newAxis(p)
		}
	}
	if s.population == 0 {
		s.population = 50
	}
	if s.population < 2 {
		return nil, fmt.Errorf("%w: population %d, %s wants at least 2", ErrSpace, cfg.Population, NSGA2)
	}
	return &s, nil
}

// Ask breeds a child of the parents that the history leads to, unlike every point that was tried where that is possible.
func (s *nsga2) Ask(history []Trial) (Proposal, error) {
	generation, parents, first := s.lineage(history)
	random := stream(s.config.Seed, "child", nextNumber(history), 0)
	tags := map[string]string{nsga2Generation: strconv.Itoa(generation)}
	if first && generation > 0 {
		tags[nsga2Parents] = joinNumbers(parents)
	}
	standing := standings(parents, s.config.Directions)
	const attempts = 10 // to find a point that is new: coarse grids may have none left
	var point Point
	for range attempts {
		var mother, father Point
		if len(parents) > 0 {
			mother, father = tournament(parents, standing, random), tournament(parents, standing, random)
		}
		if point = s.breed(mother, father, random); !tried(history, point) {
			break
		}
	}
	return Proposal{Point: point, Tags: tags}, nil
}

// lineage returns the generation that the next trial belongs to, whose parents it has, and whether it is the first of it.
func (s *nsga2) lineage(history []Trial) (generation int, parents []*Trial, first bool) {
	var lists [][]*Trial // trials by generation
	for i := range history {
		t := &history[i]
		g := 0
		if text, ok := t.Tags[nsga2Generation]; ok {
			var err error
			if g, err = strconv.Atoi(text); err != nil || g < 0 || g > len(lists) {
				continue
			}
		}
		for g >= len(lists) {
			lists = append(lists, nil)
		}
		if s.config.Space.Contains(t.Point) {
			lists[g] = append(lists[g], t)
		}
	}
	if len(lists) == 0 {
		return 0, nil, true
	}
	generation = len(lists) - 1
	for parents = s.numbered(lists, generation); generation > 0 && parents == nil; parents = s.numbered(lists, generation) {
		generation-- // its parents are not known: it was left by something else
	}
	complete := s.complete(lists[generation])
	if len(complete) < s.population {
		return generation, parents, false
	}
	pool := slices.Concat(parents, complete)
	if generation > 0 { // those that ended late
		for _, t := range s.complete(lists[generation-1]) {
			if !slices.Contains(pool, t) {
				pool = append(pool, t)
			}
		}
	}
	return generation + 1, survivors(pool, s.config.Directions, s.population), true
}

// named returns the parents that the first trial of a generation names; nil if it names none.
func (s *nsga2) numbered(lists [][]*Trial, generation int) []*Trial {
	elders := s.complete(slices.Concat(lists[:generation]...))
	for _, t := range lists[generation] {
		if parents := numbered(elders, t.Tags[nsga2Parents]); parents != nil {
			return parents
		}
	}
	return nil
}

// complete returns the trials that have a value for every objective.
func (s *nsga2) complete(trials []*Trial) []*Trial {
	var out []*Trial
	for _, t := range trials {
		if t.State == Complete && len(t.Values) == len(s.config.Directions) {
			out = append(out, t)
		}
	}
	return out
}

// tournament returns the better of two parents drawn at random: of the lower front, then in the emptier part of it.
func tournament(parents []*Trial, standing []standing, random *rand.Rand) Point {
	a, b := random.IntN(len(parents)), random.IntN(len(parents))
	if standing[b].before(standing[a]) {
		a = b
	}
	return parents[a].Point
}

// tried reports whether a trial that has not failed stands at a point.
func tried(history []Trial, point Point) bool {
	return slices.ContainsFunc(history, func(t Trial) bool {
		if t.State == Fail || len(t.Point) != len(point) {
			return false
		}
		for name, v := range point {
			if other, ok := t.Point[name]; !ok || other != v {
				return false
			}
		}
		return true
	})
}
