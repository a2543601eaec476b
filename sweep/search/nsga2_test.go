package search

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

func mustNSGA2(t testing.TB, cfg Config) *nsga2 {
	t.Helper()
	cfg.Kind = NSGA2
	s, err := newNSGA2(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*nsga2)
}

// askedAll runs a search for several objectives by Ask alone.
func askedAll(t testing.TB, s Sampler, trials int, eval func(Point) []float64) (history []Trial) {
	t.Helper()
	for number := range trials {
		p, err := s.Ask(history)
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, Trial{Number: number, State: Complete, Point: p.Point, Values: eval(p.Point), Tags: p.Tags})
	}
	return history
}

func minimizeBoth() []Direction { return []Direction{Minimize, Minimize} }

// conditional has words, parameters that depend on them, and a word that depends on a word.
func conditional() Space {
	return Space{
		{Name: "method", Choices: []string{"task_arithmetic", "ties", "dare"}},
		{Name: "lambda", High: 1},
		{Name: "density", Low: 0.1, High: 1, Step: 0.1, When: "method", Is: []string{"ties", "dare"}},
		{Name: "rescale", Choices: []string{"no", "yes"}, When: "method", Is: []string{"dare"}},
		{Name: "power", Low: 1, High: 64, Log: true, Integer: true, When: "rescale", Is: []string{"yes"}},
	}
}

func TestNSGA2Refuses(t *testing.T) {
	for _, test := range []struct {
		cfg  Config
		want string
	}{
		{Config{Space: conditional()}, "objective"},
		{Config{Space: conditional(), Directions: minimizeBoth(), Population: 1}, "population 1"},
	} {
		if _, err := newNSGA2(test.cfg); !errors.Is(err, ErrSpace) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want ErrSpace that says %s", err, test.want)
		}
	}
}

// TestNSGA2Conditions: every child lies in the space, and the branch that holds the front is found.
func TestNSGA2Conditions(t *testing.T) {
	s := mustNSGA2(t, Config{Space: conditional(), Directions: []Direction{Maximize, Minimize}, Seed: 4, Population: 20})
	value := func(p Point) []float64 {
		gain := p["lambda"]
		if p["method"] == 2 && p["rescale"] == 1 {
			gain += 2 - math.Abs(math.Log(p["power"]/8)) - math.Abs(p["density"]-0.5)
		}
		return []float64{gain, p["lambda"] * p["lambda"]}
	}
	history := askedAll(t, s, 400, value)
	for i, trial := range history {
		if !s.config.Space.Contains(trial.Point) {
			t.Fatalf("trial %d: %v is outside of the space", i, trial.Point)
		}
	}
	for _, i := range NonDominated(history, s.config.Directions) {
		p := history[i].Point
		if p["method"] == 2 && p["rescale"] == 1 && p["power"] == 8 && math.Abs(p["density"]-0.5) < 1e-9 {
			return
		}
	}
	t.Error("no point of the front has the best method with its best parameters")
}

func TestNSGA2IsAFunctionOfTheHistory(t *testing.T) {
	cfg := Config{Space: conditional(), Directions: minimizeBoth(), Seed: 3, Population: 8}
	value := func(p Point) []float64 { return []float64{p["lambda"], 1 - p["lambda"] + p["density"]} }
	history := askedAll(t, mustNSGA2(t, cfg), 60, value)
	s := mustNSGA2(t, cfg)
	for _, n := range []int{60, 11, 0, 37, 16} {
		a, err := s.Ask(history[:n])
		if err != nil {
			t.Fatal(err)
		}
		b, err := mustNSGA2(t, cfg).Ask(history[:n])
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("after %d trials: %v and %v, %v", n, a, b, err)
		}
		if n < 60 && !reflect.DeepEqual(a.Point, history[n].Point) {
			t.Errorf("after %d trials: %v, in the search %v", n, a.Point, history[n].Point)
		}
	}
}

// TestNSGA2NeverWaits: 16 trials run at any time, end in any order, and one in ten fails.
func TestNSGA2NeverWaits(t *testing.T) {
	s := mustNSGA2(t, Config{Space: cube(function{high: 1}, 4), Directions: minimizeBoth(), Seed: 1, Population: 20})
	random := stream(2, "test", 0, 0)
	var history []Trial
	var running []int
	for len(history) < 600 {
		for len(running) < 16 {
			p, err := s.Ask(history)
			if err != nil || p.Point == nil || tried(history, p.Point) {
				t.Fatalf("trial %d: %v, %v", len(history), p, err)
			}
			running = append(running, len(history))
			history = append(history, Trial{Number: len(history), State: Running, Point: p.Point, Tags: p.Tags})
		}
		k := random.IntN(len(running))
		trial := &history[running[k]]
		running = append(running[:k], running[k+1:]...)
		if trial.State = Complete; random.IntN(10) == 0 {
			trial.State = Fail
			continue
		}
		trial.Values = zdt1(trial.Point)
	}
	generation, parents, _ := s.lineage(history)
	if generation < 12 || len(parents) != 20 {
		t.Errorf("generation %d with %d parents after 600 trials", generation, len(parents))
	}
	if area := frontArea(history); area < 3 {
		t.Errorf("hypervolume %v, want above 3", area)
	}
}

// TestNSGA2TakesOverOthers: a search goes on from what a random search tried, and constraints rule out most of it.
func TestNSGA2TakesOverOthers(t *testing.T) {
	space := cube(function{high: 1}, 3)
	s := mustNSGA2(t, Config{Space: space, Directions: minimizeBoth(), Seed: 1, Population: 30})
	random := stream(3, "test", 0, 0)
	broken := func(p Point) []float64 { return []float64{0.5 - p["x0"]} }
	var history []Trial
	for i := range 30 {
		p := Point{"x0": random.Float64(), "x1": random.Float64(), "x2": random.Float64()}
		history = append(history, Trial{Number: i, State: Complete, Point: p, Values: zdt1(p), Constraints: broken(p)})
	}
	history = append(history, Trial{Number: 30, State: Complete, Point: Point{"x0": 9}, Values: []float64{-9, -9}}) // of another space
	proposal, err := s.Ask(history)
	if err != nil || proposal.Tags[nsga2Generation] != "1" || len(parseNumbers(proposal.Tags[nsga2Parents])) != 30 {
		t.Fatalf("proposal %v, %v, want one of generation 1 with 30 parents", proposal, err)
	}
	for len(history) < 200 {
		p, err := s.Ask(history)
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, Trial{Number: len(history), State: Complete, Point: p.Point, Values: zdt1(p.Point), Constraints: broken(p.Point), Tags: p.Tags})
	}
	feasible := 0
	for _, trial := range history[100:] {
		feasible += boolInt(trial.Feasible())
	}
	if feasible < 80 {
		t.Errorf("%d of the last 100 trials keep the constraint, want 80", feasible)
	}
}

func TestNSGA2OnFewPoints(t *testing.T) {
	space := Space{{Name: "word", Choices: []string{"a", "b"}}, {Name: "one", Choices: []string{"only"}}, {Name: "n", Low: 1, High: 3, Integer: true}}
	s := mustNSGA2(t, Config{Space: space, Directions: minimizeBoth(), Seed: 1, Population: 4})
	history := askedAll(t, s, 60, func(p Point) []float64 { return []float64{p["n"], -p["n"]} })
	seen := map[string]bool{}
	for _, trial := range history {
		seen[fmt.Sprint(trial.Point)] = true
	}
	if len(seen) != 6 {
		t.Errorf("%d points of 6 tried", len(seen))
	}
}

// TestNSGA2Operators: children of the crossover keep the parents' mean and lie in range, and so do mutants.
func TestNSGA2Operators(t *testing.T) {
	random := stream(4, "test", 0, 0)
	for _, pair := range [][2]float64{{0.3, 0.6}, {0, 1}, {0.5, 0.5}, {0.999, 1}, {0, 1e-9}} {
		sum, n := 0.0, 20000
		for range n {
			u, v := pair[0], pair[1]
			if random.IntN(2) == 0 {
				u, v = v, u
			}
			c := crossNumbers(u, v, random)
			if !(c >= -1e-12 && c <= 1+1e-12) {
				t.Fatalf("child %v of %v", c, pair)
			}
			sum += c
			if m := mutateNumber(pair[0], random.Float64()); !(m >= 0 && m <= 1) {
				t.Fatalf("mutant %v of %v", m, pair[0])
			}
		}
		if mean := sum / float64(n); math.Abs(mean-(pair[0]+pair[1])/2) > 0.02 {
			t.Errorf("the children of %v have mean %v", pair, mean)
		}
	}
	if m := mutateNumber(0.4, 0.5); math.Abs(m-0.4) > 1e-12 {
		t.Errorf("the median mutant of 0.4 is %v", m)
	}
}
