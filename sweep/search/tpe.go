package search

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// tpe is the tree-structured Parzen estimator. It parts the trials so far into a few good ones and the rest, fits a density
// to each, l and g, draws candidates from l and proposes the one with the largest l/g, which has the largest expected
// improvement (Bergstra, Bardenet, Bengio and Kegl 2011, "Algorithms for hyper-parameter optimization", section 4, equation 5).
// What the densities are made of is named by Watanabe 2023, "Tree-structured Parzen estimator: understanding its algorithm
// components and their roles for better empirical performance" (arXiv 2304.11127). Chosen here:
//
//   - multivariate kernels over the parameters that exist under the same condition: those of each condition that the point
//     fulfils are chosen together, from the trials that have them;
//   - trials that run or wait count among the rest, so that workers that ask in turn keep apart (constant liar);
//   - order: trials that keep their constraints, completed before pruned, pruned by how far they came and then by value;
//     then those that break them, by how much in sum;
//   - a point that was proposed before is proposed again only where the space has hardly another.
//
// Unlike Optuna's, l has normal-reference bandwidths, which contract with the good trials to any precision, and never fewer
// than minGood trials; the start is a Sobol sequence; good trials are chosen among those that have a condition's
// parameters, not among all. Cost of a call with n trials of d parameters: O(24 n d).
type tpe struct {
	space     Space
	groups    [][]Param
	direction Direction
	seed      uint64
	startup   int
	first     Sampler
}

const (
	candidates     = 24  // drawn from l: the number of Bergstra et al., kept by every program since
	goodShare      = 0.1 // of the trials, rounded up, are good
	minGood        = 3
	maxGood        = 25
	defaultStartup = 10
)

func newTPE(cfg Config) (Sampler, error) {
	var first Sampler = random{cfg.Space, cfg.Seed}
	if s, err := newSobol(cfg); err == nil { // which has a largest number of parameters
		first = s
	}
	startup := cfg.Startup
	if startup == 0 {
		startup = defaultStartup
	}
	return tpe{cfg.Space, cfg.Space.groups(), cfg.Directions[0], cfg.Seed, startup, first}, nil
}

// groups parts the space into the parameters that exist under the same condition, in the order of the first of each.
func (s Space) groups() [][]Param {
	var groups [][]Param
	for _, p := range s {
		i := slices.IndexFunc(groups, func(g []Param) bool { return g[0].When == p.When && slices.Equal(g[0].Is, p.Is) })
		if i < 0 {
			groups = append(groups, []Param{p})
			continue
		}
		groups[i] = append(groups[i], p)
	}
	return groups
}

// Ask proposes points of a Sobol sequence until enough trials have ended, and then the best candidate.
func (t tpe) Ask(history []Trial) (Proposal, error) {
	ranked, open := rank(history, t.direction)
	if len(ranked) < t.startup {
		return t.first.Ask(history)
	}
	seen := map[string]bool{}
	for _, trial := range history {
		if trial.State != Fail {
			seen[string(t.space.key(nil, trial.Point))] = true
		}
	}
	rng := source(t.seed, history)
	estimators := make([]*estimator, len(t.groups))
	var point Point
	for n := candidates; n > 0; n /= 2 { // fewer candidates follow the densities less strictly
		point = Point{}
		for i, group := range t.groups {
			if !t.space.Active(group[0], point) {
				continue
			}
			if estimators[i] == nil {
				estimators[i] = newEstimator(group, ranked, open)
			}
			for j, v := range estimators[i].propose(n, rng) {
				point[group[j].Name] = v
			}
		}
		if !seen[string(t.space.key(nil, point))] {
			return Proposal{Point: point}, nil
		}
	}
	for range candidates { // all but exhausted: whatever is new
		other := t.space.point(func(int) float64 { return rng.Float64() })
		if !seen[string(t.space.key(nil, other))] {
			return Proposal{Point: other}, nil
		}
	}
	return Proposal{Point: point}, nil
}

// rank returns the trials that ended with something to learn from, best first, and those that are still to end.
func rank(history []Trial, d Direction) (ranked, open []Trial) {
	type key struct{ class, first, second float64 }
	keys := map[int]key{}
	for _, trial := range history {
		switch trial.State {
		case Running, Waiting:
			open = append(open, trial)
			continue
		case Fail:
			continue
		}
		k := key{class: 0, first: loss(trial.Values, 0, d)}
		if !trial.Feasible() {
			k = key{class: 2, first: trial.violation()}
		} else if trial.State == Pruned {
			k = key{class: 1, first: 1}
			for step, v := range trial.Steps {
				if -float64(step) < k.first {
					k.first, k.second = -float64(step), loss([]float64{v}, 0, d)
				}
			}
		}
		keys[trial.Number] = k
		ranked = append(ranked, trial)
	}
	slices.SortStableFunc(ranked, func(a, b Trial) int {
		x, y := keys[a.Number], keys[b.Number]
		return cmp.Or(cmp.Compare(x.class, y.class), cmp.Compare(x.first, y.first), cmp.Compare(x.second, y.second))
	})
	return ranked, open
}

// violation sums by how much constraints are broken; an undefined one is broken beyond measure.
func (t Trial) violation() float64 {
	total := 0.0
	for _, c := range t.Constraints {
		if math.IsNaN(c) {
			return math.Inf(1)
		}
		total += max(c, 0)
	}
	return total
}

// estimator holds the two densities of a group of parameters.
type estimator struct{ good, rest *parzen }

// newEstimator fits the densities to the trials that have the group's parameters within their ranges.
func newEstimator(group []Param, ranked, open []Trial) *estimator {
	ranked, open = having(group, ranked), having(group, open)
	n := min(max(int(math.Ceil(goodShare*float64(len(ranked)))), minGood), maxGood, len(ranked))
	rest := slices.Concat(ranked[n:], open)
	slices.SortStableFunc(rest, func(a, b Trial) int { return cmp.Compare(a.Number, b.Number) })
	return &estimator{
		good: newParzen(group, ranked[:n], equal(n), referenceWidths),
		rest: newParzen(group, rest, fading(len(rest)), neighbourWidths),
	}
}

func having(group []Param, trials []Trial) []Trial {
	var list []Trial
	for _, t := range trials {
		missing := func(p Param) bool { v, ok := t.Point[p.Name]; return !ok || !p.has(v) }
		if !slices.ContainsFunc(group, missing) {
			list = append(list, t)
		}
	}
	return list
}

// propose draws n candidates from the good trials' density and returns the one with the largest ratio to the rest's.
func (e *estimator) propose(n int, rng *rand.Rand) []float64 {
	buffer := make([]float64, max(len(e.good.logWeight), len(e.rest.logWeight)))
	var best []float64
	largest := math.Inf(-1)
	for range n {
		c := e.good.sample(rng)
		if ratio := e.good.logDensity(c, buffer) - e.rest.logDensity(c, buffer); ratio > largest || best == nil {
			best, largest = c.value, ratio
		}
	}
	return best
}
