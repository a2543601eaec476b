package search

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
)

// Tags of the trials that CMA-ES proposes.
const (
	cmaesGeneration = "cmaes:generation" // whose distribution the trial was drawn from, counted over restarts
	cmaesMembers    = "cmaes:members"    // on the first trial of a generation: the trials that the one before was judged by
	cmaesDrawn      = "cmaes:drawn"      // where there are steps: the point on the unit cube before it was rounded to them
)

// cmaes proposes points by CMA-ES, the (mu/mu_w, lambda) evolution strategy with covariance matrix adaptation of Hansen's tutorial
// (arXiv 1604.00772), with its default parameters and negative weights: rank-one and rank-mu updates, cumulative step-size adaptation, a
// population of 4 + floor(3 ln n).
//
// Each parameter's range, logarithmic where it says so, is an edge of the unit cube. The search begins in its centre with sigma 1/4. Points
// that leave the cube are drawn again, at last pushed onto its border. Parameters of steps, integers among them, are rounded after the
// draw, and CMA-ES with margin (Hamano and others, arXiv 2205.13482) keeps the values next to the best one in play. A distribution that has
// converged, degenerated, or sees flat values is given up for one with twice the population at a random point (IPOP: Auger and
// Hansen 2005). Trials that break constraints rank behind all that keep them, by how far, and pruned ones behind both, by how late.
//
// State is not kept: Ask replays the trials of the history that carry this sampler's tags, and ignores others. Asked while all
// members of a generation run, it draws further ones of the same generation, so no worker waits; failed trials are so replaced. A
// generation is judged by as many finished trials as the population, the first by number when the next generation begins. Replay costs one
// decomposition of an n x n matrix a generation: about 2 ms on one core for 1,000 trials of 8 parameters.
//
// Unlike in cmaes (PyPI), the draws of a generation are stratified; see [cmaesState.sample]. The package comment compares the two.
type cmaes struct {
	config     Config
	axes       []axis // the parameters that have more than one value
	steps      bool   // some of them go by steps
	fixed      Point  // the others
	population int    // before any restart
}

func newCMAES(cfg Config) (Sampler, error) {
	if len(cfg.Directions) != 1 {
		return nil, fmt.Errorf("%w: %s takes one objective, got %d (hint: use %s)", ErrSpace, CMAES, len(cfg.Directions), NSGA2)
	}
	c := cmaes{config: cfg, fixed: Point{}, population: cfg.Population}
	for _, p := range cfg.Space {
		switch {
		case p.Categorical():
			return nil, fmt.Errorf("%w: parameter %q: %s searches numbers, not choices (hint: use %s)", ErrSpace, p.Name, CMAES, TPE)
		case p.When != "":
			return nil, fmt.Errorf("%w: parameter %q: %s cannot search a parameter that exists at some points only (hint: use %s)", ErrSpace, p.Name, CMAES, TPE)
		}
		if a := newAxis(p); a.single {
			c.fixed[p.Name] = p.Low
		} else {
			c.axes, c.steps = append(c.axes, a), c.steps || a.step > 0
		}
	}
	if len(c.axes) == 0 {
		return nil, fmt.Errorf("%w: every parameter has a single value", ErrSpace)
	}
	if c.population == 0 {
		c.population = 4 + int(3*math.Log(float64(len(c.axes))))
	}
	if c.population < 4 {
		return nil, fmt.Errorf("%w: population %d, %s wants at least 4", ErrSpace, cfg.Population, CMAES)
	}
	return &c, nil
}

// Ask replays the history and draws from the distribution that it leads to.
func (c *cmaes) Ask(history []Trial) (Proposal, error) {
	state := c.replay(history)
	point, drawn := c.point(state, nextNumber(history))
	tags := map[string]string{cmaesGeneration: strconv.Itoa(state.generation)}
	if state.members != nil {
		tags[cmaesMembers] = joinNumbers(state.members)
	}
	if c.steps {
		texts := make([]string, len(drawn))
		for i, u := range drawn {
			texts[i] = strconv.FormatFloat(u, 'g', -1, 64)
		}
		tags[cmaesDrawn] = strings.Join(texts, " ")
	}
	return Proposal{Point: point, Tags: tags}, nil
}

// point draws the trial of a number, and returns it also as drawn, on the unit cube.
func (c *cmaes) point(s cmaesState, number int) (point Point, drawn []float64) {
	drawn = s.sample(c, number)
	point = maps.Clone(c.fixed)
	for i, a := range c.axes {
		u := drawn[i]
		if a.step > 0 {
			u = s.mean[i] + s.stretch[i]*(u-s.mean[i])
		}
		point[a.param.Name] = a.value(u)
	}
	return point, drawn
}

// coordinates returns where a trial stands on the unit cube, as it was drawn.
func (c *cmaes) coordinates(t *Trial) []float64 {
	x := make([]float64, len(c.axes))
	for i, a := range c.axes {
		x[i] = a.unit(t.Point[a.param.Name])
	}
	texts := strings.Fields(t.Tags[cmaesDrawn])
	if !c.steps || len(texts) != len(x) {
		return x
	}
	drawn := make([]float64, len(x))
	for i, text := range texts {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v > -1e6 && v < 1e6) {
			return x // no tag of ours: the point itself is what is known
		}
		drawn[i] = v
	}
	return drawn
}
