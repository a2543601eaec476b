package search

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func TestSpaceCheckRefusals(t *testing.T) {
	ok := Param{Name: "a", Choices: []string{"x", "y"}}
	for want, space := range map[string]Space{
		"no parameters":                nil,
		"empty or taken":               {ok, ok},
		`"": its name is empty`:        {{Low: 0, High: 1}},
		"range [2, 1]":                 {{Name: "p", Low: 2, High: 1}},
		"range [0, +Inf]":              {{Name: "p", High: math.Inf(1)}},
		"range [NaN, 1]":               {{Name: "p", Low: math.NaN(), High: 1}},
		"range [-1.5e+308, 1.5e+308]":  {{Name: "p", Low: -1.5e308, High: 1.5e308}},
		"low 0, step 0":                {{Name: "p", High: 1, Log: true}},
		"low 1, step 1":                {{Name: "p", Low: 1, High: 4, Step: 1, Log: true}},
		"step 0.3":                     {{Name: "p", High: 1, Step: 0.3}},
		"step -0.5":                    {{Name: "p", High: 1, Step: -0.5}},
		"step +Inf":                    {{Name: "p", High: 1, Step: math.Inf(1)}},
		"step 2,":                      {{Name: "p", High: 1, Step: 2}},
		"step 1e-12":                   {{Name: "p", High: 1, Step: 1e-12}},
		"step NaN":                     {{Name: "p", High: 1, Step: math.NaN()}},
		"an integer parameter has ran": {{Name: "p", High: 1.5, Integer: true}},
		"integer parameter has grid":   {{Name: "p", High: 2, Integer: true, Grid: []float64{0.5}}},
		"grid value 3 is outside":      {{Name: "p", High: 2, Grid: []float64{1, 3}}},
		"grid value NaN":               {{Name: "p", High: 2, Grid: []float64{math.NaN()}}},
		"listed twice":                 {{Name: "p", High: 2, Grid: []float64{1, 1}}},
		"no index of a choice":         {{Name: "p", Choices: []string{"x"}, Grid: []float64{1}}},
		"both choices and a range":     {{Name: "p", Choices: []string{"x"}, High: 1}},
		`choice "x" is listed twice`:   {{Name: "p", Choices: []string{"x", "x"}}},
		`exists when "b"`:              {ok, {Name: "p", High: 1, When: "b", Is: []string{"x"}}},
		`exists when "a" is one of []`: {ok, {Name: "p", High: 1, When: "a"}},
		`exists when "" is one of`:     {ok, {Name: "p", High: 1, Is: []string{"x"}}},
		`"z" is no choice of "a"`:      {ok, {Name: "p", High: 1, When: "a", Is: []string{"z"}}},
		`exists when "p"`:              {{Name: "p", High: 1, When: "p", Is: []string{"x"}}},
	} {
		err := space.Check()
		if !errors.Is(err, ErrSpace) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v: error %v, want one with %q", space, err, want)
		}
	}
}

func TestNewRefusals(t *testing.T) {
	number, word := Param{Name: "n", High: 1}, Param{Name: "w", Choices: []string{"x", "y"}}
	one, two := []Direction{Minimize}, []Direction{Minimize, Maximize}
	for want, cfg := range map[string]Config{
		"no parameters":                  {Kind: Random, Directions: one},
		`sampler "simplex"`:              {Kind: "simplex", Space: Space{number}, Directions: one},
		"no direction":                   {Kind: Random, Space: Space{number}},
		`direction "up"`:                 {Kind: Random, Space: Space{number}, Directions: []Direction{"up"}},
		`"tpe": 2 objectives, want 1`:    {Kind: TPE, Space: Space{number}, Directions: two},
		`"cmaes": 2 objectives, want 1`:  {Kind: CMAES, Space: Space{number}, Directions: two},
		`"cmaes": parameter "w"`:         {Kind: CMAES, Space: Space{number, word}, Directions: one},
		`"grid": parameter "n" has +Inf`: {Kind: Grid, Space: Space{number}, Directions: one},
		"has 2.097153e+06 values":        {Kind: Grid, Space: Space{{Name: "n", High: 1 << 21, Integer: true}}, Directions: one},
		"trials -1":                      {Kind: Random, Space: Space{number}, Directions: one, Trials: -1},
		"65 parameters, want at most 64": {Kind: Sobol, Space: numbers(65, 0, 1), Directions: one},
	} {
		if _, err := New(cfg); !errors.Is(err, ErrSpace) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestContains(t *testing.T) {
	space := methods()
	for name, c := range map[string]struct {
		point Point
		want  bool
	}{
		"without the conditional ones":          {Point{"method": 0, "lambda": 0.5}, true},
		"between steps":                         {Point{"method": 0, "lambda": 0.3}, true},
		"with one that does not exist":          {Point{"method": 0, "lambda": 0.5, "density": 0.5}, false},
		"without one that exists":               {Point{"method": 1, "lambda": 0.5}, false},
		"with it":                               {Point{"method": 1, "lambda": 0.5, "density": 0.5}, true},
		"with one that is not of the space":     {Point{"method": 0, "lambda": 0.5, "x": 0}, false},
		"out of range":                          {Point{"method": 0, "lambda": 1.5}, false},
		"undefined":                             {Point{"method": 0, "lambda": math.NaN()}, false},
		"an index without a choice":             {Point{"method": 3, "lambda": 0}, false},
		"an index below 0":                      {Point{"method": -1, "lambda": 0}, false},
		"half an index":                         {Point{"method": 0.5, "lambda": 0}, false},
		"an index that is no number of any use": {Point{"method": math.NaN(), "lambda": 0}, false},
		"nothing":                               {nil, false},
	} {
		if got := space.Contains(c.point); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// randomSpace has every kind of parameter, under conditions that nest.
func randomSpace(rng *rand.Rand) Space {
	var space Space
	var words []Param
	for i := range 1 + rng.IntN(7) {
		p := Param{Name: fmt.Sprint("p", i)}
		switch rng.IntN(6) {
		case 0:
			p.Low = rng.NormFloat64()
			p.High = p.Low + rng.ExpFloat64()
		case 1:
			p.Low, p.Log = rng.ExpFloat64()+1e-300, true
			p.High = p.Low * math.Exp(10*rng.Float64())
		case 2:
			p.Low, p.Step = rng.NormFloat64(), rng.ExpFloat64()+0.001
			p.High = p.Low + float64(rng.IntN(9))*p.Step
		case 3:
			p.Low, p.Integer = float64(rng.IntN(9)-4), true
			p.High = p.Low + float64(rng.IntN(9))
		case 4:
			p.Low, p.Integer, p.Log = float64(1+rng.IntN(4)), true, true
			p.High = p.Low + float64(rng.IntN(99))
		case 5:
			p.Choices = []string{"x", "y", "z"}[:1+rng.IntN(3)]
		}
		if len(words) > 0 && rng.IntN(2) == 0 {
			parent := words[rng.IntN(len(words))]
			p.When, p.Is = parent.Name, parent.Choices[:1+rng.IntN(len(parent.Choices))]
		}
		if p.Categorical() {
			words = append(words, p)
		}
		space = append(space, p)
	}
	return space
}

// Whatever the space and the history, a proposal lies in the space and on its steps, and is the same when asked again.
func TestProposalsAreInTheSpaceAndRepeatable(t *testing.T) {
	states := []State{Complete, Complete, Complete, Pruned, Running, Waiting, Fail}
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 0))
		space := randomSpace(rng)
		if err := space.Check(); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []Kind{Random, Sobol, TPE} {
			cfg := Config{Kind: kind, Space: space, Directions: []Direction{Maximize}, Seed: seed, Startup: 3}
			sampler, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			again, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			var history []Trial
			for number := range 25 {
				proposal, err := sampler.Ask(history)
				if err != nil {
					t.Fatal(err)
				}
				if second, err := again.Ask(history); err != nil || !reflect.DeepEqual(proposal, second) {
					t.Fatalf("seed %d, %s: %v, and then %v, %v", seed, kind, proposal, second, err)
				}
				if !space.Contains(proposal.Point) {
					t.Fatalf("seed %d, %s: %v is not in %+v", seed, kind, proposal.Point, space)
				}
				for _, p := range space {
					if v, ok := proposal.Point[p.Name]; ok && !p.Categorical() && p.round(v) != v {
						t.Fatalf("seed %d, %s: %v is not on the steps of %+v", seed, kind, v, p)
					}
				}
				trial := Trial{Number: number, State: states[rng.IntN(len(states))], Point: proposal.Point, Tags: proposal.Tags}
				switch trial.State {
				case Complete:
					trial.Values = []float64{[]float64{rng.NormFloat64(), math.NaN(), math.Inf(-1), 1}[rng.IntN(4)]}
					trial.Constraints = []float64{rng.NormFloat64()}
				case Pruned:
					trial.Steps = map[int]float64{rng.IntN(3): rng.NormFloat64()}
				}
				if rng.IntN(4) == 0 { // another program's, with other ranges or no point at all
					trial.Point = Point{"p0": 1e9 * rng.NormFloat64(), "p1": rng.NormFloat64(), "other": math.NaN()}
				}
				history = append(history, trial)
			}
		}
	}
}

func TestTrialsEndASampler(t *testing.T) {
	for _, kind := range []Kind{Grid, Random, Sobol, TPE} {
		cfg := Config{Kind: kind, Space: Space{{Name: "n", High: 9, Step: 1}}, Directions: []Direction{Minimize}, Trials: 4}
		history := ask(t, cfg, 4, zero)
		sampler, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if proposal, err := sampler.Ask(history); err != nil || !proposal.Done {
			t.Errorf("%s: after 4 of 4 trials: %v, %v", kind, proposal, err)
		}
		history[1].State = Fail
		if proposal, err := sampler.Ask(history); err != nil || proposal.Done || proposal.Point == nil {
			t.Errorf("%s: one of 4 failed: %v, %v", kind, proposal, err)
		}
	}
}

// Two trials of a seed, and two seeds, draw different points; uniform on the scale, so half of a logarithmic parameter's
// points lie below its geometric mean. Of 2,000 that number has a standard deviation of 22.
func TestRandomIsUniformOnTheScale(t *testing.T) {
	space := Space{{Name: "a", Low: 0, High: 10}, {Name: "b", Low: 1e-4, High: 1, Log: true}, {Name: "c", Low: 1, High: 4, Integer: true}}
	history := ask(t, Config{Kind: Random, Space: space, Directions: []Direction{Minimize}, Seed: 5}, 2000, zero)
	other := ask(t, Config{Kind: Random, Space: space, Directions: []Direction{Minimize}, Seed: 6}, 1, zero)
	if history[0].Point["a"] == other[0].Point["a"] || history[0].Point["a"] == history[1].Point["a"] {
		t.Error("the same number twice")
	}
	below := map[string]int{}
	for _, trial := range history {
		for name, middle := range map[string]float64{"a": 5, "b": 1e-2, "c": 2.5} {
			if trial.Point[name] < middle {
				below[name]++
			}
		}
	}
	for name, n := range below {
		if math.Abs(float64(n)-1000) > 5*22 {
			t.Errorf("%s: %d of 2000 in the lower half", name, n)
		}
	}
}
