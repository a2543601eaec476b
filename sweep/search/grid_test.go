package search

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"
)

func methods() Space {
	return Space{
		{Name: "method", Choices: []string{"task_arithmetic", "ties", "dare"}},
		{Name: "lambda", Low: 0, High: 1, Step: 0.5},
		{Name: "density", Low: 0.1, High: 1, Grid: []float64{0.2, 0.8}, When: "method", Is: []string{"ties", "dare"}},
		{Name: "rescale", Choices: []string{"no", "yes"}, When: "method", Is: []string{"dare"}},
	}
}

func TestGridTakesOnlyCombinationsThatExistTheLastFastest(t *testing.T) {
	space := methods()
	const want = 3 + 3*2 + 3*2*2
	if got := space.GridSize(); got != want {
		t.Errorf("size %v, want %v", got, want)
	}
	history := ask(t, Config{Kind: Grid, Space: space, Directions: []Direction{Maximize}}, want, zero)
	for number, point := range map[int]Point{
		0:  {"method": 0, "lambda": 0},
		2:  {"method": 0, "lambda": 1},
		3:  {"method": 1, "lambda": 0, "density": 0.2},
		4:  {"method": 1, "lambda": 0, "density": 0.8},
		5:  {"method": 1, "lambda": 0.5, "density": 0.2},
		9:  {"method": 2, "lambda": 0, "density": 0.2, "rescale": 0},
		10: {"method": 2, "lambda": 0, "density": 0.2, "rescale": 1},
		11: {"method": 2, "lambda": 0, "density": 0.8, "rescale": 0},
		20: {"method": 2, "lambda": 1, "density": 0.8, "rescale": 1},
	} {
		if got := history[number].Point; !reflect.DeepEqual(got, point) {
			t.Errorf("point %d is %v, want %v", number, got, point)
		}
	}
	seen := map[string]bool{}
	for _, trial := range history {
		if !space.Contains(trial.Point) {
			t.Errorf("%v is not in the space", trial.Point)
		}
		seen[fmt.Sprint(trial.Point)] = true
	}
	if len(seen) != want {
		t.Errorf("%d different points, want %d", len(seen), want)
	}
	sampler, err := New(Config{Kind: Grid, Space: space, Directions: []Direction{Maximize}})
	if err != nil {
		t.Fatal(err)
	}
	if proposal, err := sampler.Ask(history); err != nil || !proposal.Done || proposal.Point != nil {
		t.Errorf("after the last point: %v, %v; want done", proposal, err)
	}
	for state, again := range map[State]bool{Waiting: false, Running: false, Complete: false, Pruned: false, Fail: true} {
		history[7].State = state
		proposal, err := sampler.Ask(history)
		if err != nil || proposal.Done == again || again && !reflect.DeepEqual(proposal.Point, history[7].Point) {
			t.Errorf("point 7 is %s: %v, %v; proposed again should be %v", state, proposal, err, again)
		}
	}
}

func TestGridComparesBits(t *testing.T) {
	sampler, err := New(Config{
		Kind: Grid, Directions: []Direction{Maximize},
		Space: Space{{Name: "a", Low: -1, High: 1, Grid: []float64{0, 0.3}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		point Point
		want  float64
	}{
		"-0 is 0":                 {Point{"a": math.Copysign(0, -1)}, 0.3},
		"close is not equal":      {Point{"a": 5e-324}, 0},
		"more parameters":         {Point{"a": 0, "b": 0}, 0},
		"other parameters":        {Point{"b": 0}, 0},
		"nothing, as yet":         {nil, 0},
		"not a number of any use": {Point{"a": math.NaN()}, 0},
	} {
		proposal, err := sampler.Ask([]Trial{{State: Running, Point: c.point}})
		if err != nil || proposal.Point["a"] != c.want {
			t.Errorf("%s: proposed %v, %v; want %v", name, proposal.Point, err, c.want)
		}
	}
}

// Steps are computed in one way, and the default grid of a sweep is 21 numbers.
func TestGridOfSteps(t *testing.T) {
	p := Param{Name: "lambda", Low: 0, High: 1, Step: 0.05}
	values := p.gridValues()
	if len(values) != 21 || values[0] != 0 || values[20] != 1 {
		t.Fatalf("got %v, want 21 numbers from 0 to 1", values)
	}
	for _, v := range values {
		if p.round(v) != v || p.round(v+0.02) != v && v < 1 {
			t.Errorf("%v is rounded to %v, and a little more to %v", v, p.round(v), p.round(v+0.02))
		}
	}
}

func TestGridSizeOfNestedConditions(t *testing.T) {
	space := Space{
		{Name: "a", Choices: []string{"x", "y"}},
		{Name: "b", Choices: []string{"p", "q", "r"}, When: "a", Is: []string{"y"}},
		{Name: "c", Low: 1, High: 5, Integer: true, When: "b", Is: []string{"q", "r"}},
		{Name: "d", Low: 0, High: 0},
	}
	if got := space.GridSize(); got != 1+1+5+5 {
		t.Errorf("size %v, want 12", got)
	}
	space = append(space, Param{Name: "e", Low: 0, High: 1, When: "c"})
	if _, err := New(Config{Kind: Grid, Space: space, Directions: []Direction{Maximize}}); !errors.Is(err, ErrSpace) {
		t.Errorf("a condition on a number: %v", err)
	}
	space[4].When = ""
	if got := space.GridSize(); !math.IsInf(got, 1) {
		t.Errorf("size %v with a continuous parameter, want +Inf", got)
	}
}

// 100 by 100 points: what a call costs is the history, not the square of it. The bound is far above what it takes.
func TestGridStaysFast(t *testing.T) {
	space := Space{{Name: "a", Low: 0, High: 99, Step: 1}, {Name: "b", Low: 0, High: 99, Integer: true}}
	sampler, err := New(Config{Kind: Grid, Space: space, Directions: []Direction{Maximize}})
	if err != nil {
		t.Fatal(err)
	}
	history := make([]Trial, 9999)
	for i := range history {
		history[i] = Trial{Number: i, State: Complete, Point: Point{"a": float64(i / 100), "b": float64(i % 100)}}
	}
	start := time.Now()
	proposal, err := sampler.Ask(history)
	if took := time.Since(start); err != nil || proposal.Point["a"] != 99 || proposal.Point["b"] != 99 || took > 2*time.Second {
		t.Errorf("proposed %v, %v in %v, want the last point soon", proposal, err, took)
	}
}
