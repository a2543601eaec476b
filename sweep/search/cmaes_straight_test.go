package search

import (
	"fmt"
	"math"
	"testing"
)

// cube is a space of n numbers in a function's range.
func cube(f function, n int) Space {
	var space Space
	for i := range n {
		space = append(space, Param{Name: fmt.Sprint("x", i), Low: f.low, High: f.high})
	}
	return space
}

// at evaluates a function at a point of its cube.
func (f function) at(p Point) float64 {
	x := make([]float64, len(p))
	for i := range x {
		x[i] = p[fmt.Sprint("x", i)]
	}
	return f.eval(x)
}

func mustCMAES(t testing.TB, cfg Config) *cmaes {
	t.Helper()
	cfg.Kind = CMAES
	if cfg.Directions == nil {
		cfg.Directions = []Direction{Minimize}
	}
	s, err := newCMAES(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*cmaes)
}

// straight runs a search that keeps its state from trial to trial, and returns what Ask would have led to.
func (c *cmaes) straight(trials int, eval func(Point) float64) (history []Trial, last cmaesState) {
	state := c.replay(nil)
	var generation []*Trial
	for number := range trials {
		point, _ := c.point(state, number)
		history = append(history, Trial{Number: number, State: Complete, Point: point, Values: []float64{eval(point)}})
		trial := history[number]
		if generation, state.proposed = append(generation, &trial), state.proposed+1; len(generation) == state.population {
			state.advance(c, generation)
			generation, state.proposed = nil, 0
		}
	}
	return history, state
}

// asked runs a search by Ask alone.
func asked(t testing.TB, s Sampler, trials int, eval func(Point) float64) (history []Trial) {
	t.Helper()
	for number := range trials {
		p, err := s.Ask(history)
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, Trial{Number: number, State: Complete, Point: p.Point, Values: []float64{eval(p.Point)}, Tags: p.Tags})
	}
	return history
}

func leastValue(history []Trial) float64 {
	least := math.Inf(1)
	for _, t := range history {
		least = min(least, t.Values[0])
	}
	return least
}
