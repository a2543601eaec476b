package search

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Several workers ask in turn while none has finished. What runs counts as bad, so they keep apart: over 10 studies, the mean
// distance of 8 points to the nearest other is clearly more than where the sampler does not see what runs.
func TestTPESpreadsWhatRunsAtOnce(t *testing.T) {
	bowl := func(p Point) float64 { return math.Hypot(p["x0"]-0.4, p["x1"]-0.6) }
	told, untold := 0.0, 0.0
	for seed := range uint64(10) {
		cfg := Config{Kind: TPE, Space: numbers(2, 0, 1), Directions: []Direction{Minimize}, Seed: seed}
		history := ask(t, cfg, 30, bowl)
		told += nearest(t, cfg, history, true) / 10
		untold += nearest(t, cfg, history, false) / 10
	}
	if told <= 1.2*untold {
		t.Errorf("mean distance to the nearest %.4f where the sampler sees what runs, %.4f where not", told, untold)
	}
}

// nearest asks for 8 points and returns the mean distance to the nearest other.
func nearest(t *testing.T, cfg Config, history []Trial, told bool) float64 {
	sampler, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	history = slices.Clone(history)
	var batch []Point
	for range 8 {
		proposal, err := sampler.Ask(history)
		if err != nil {
			t.Fatal(err)
		}
		batch = append(batch, proposal.Point)
		trial := Trial{Number: len(history), State: Running, Point: proposal.Point}
		if !told {
			trial.Point = nil
		}
		history = append(history, trial)
	}
	total := 0.0
	for i, a := range batch {
		least := math.Inf(1)
		for j, b := range batch {
			if i != j {
				least = min(least, math.Hypot(a["x0"]-b["x0"], a["x1"]-b["x1"]))
			}
		}
		total += least / 8
	}
	return total
}

// The same of a grid: no point comes twice.
func TestWorkersDoNotRepeatAGridPoint(t *testing.T) {
	for _, kind := range []Kind{Grid, TPE} {
		space := Space{{Name: "lambda", High: 1, Step: 0.05}, {Name: "method", Choices: []string{"x", "y"}}}
		cfg := Config{Kind: kind, Space: space, Directions: []Direction{Maximize}, Startup: 5}
		sampler, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		var history []Trial
		seen := map[string]bool{}
		for number := range 40 {
			proposal, err := sampler.Ask(history)
			if err != nil {
				t.Fatal(err)
			}
			seen[fmt.Sprint(proposal.Point)] = true
			trial := Trial{Number: number, State: Running, Point: proposal.Point}
			if number < 8 {
				trial.State, trial.Values = Complete, []float64{proposal.Point["lambda"]}
			}
			history = append(history, trial)
		}
		if want := map[Kind]int{Grid: 40, TPE: 39}[kind]; len(seen) < want {
			t.Errorf("%s: %d different points of 42 in 40 trials, want at least %d", kind, len(seen), want)
		}
	}
}

func TestTPERanksTrials(t *testing.T) {
	history := []Trial{
		{Number: 0, State: Complete, Values: []float64{1}, Constraints: []float64{0.5, 0.1}},
		{Number: 1, State: Pruned, Steps: map[int]float64{0: 9, 1: 2}},
		{Number: 2, State: Complete, Values: []float64{5}},
		{Number: 3, State: Complete, Values: []float64{7}, Constraints: []float64{-1, 0}},
		{Number: 4, State: Pruned, Steps: map[int]float64{0: 8, 1: 3}},
		{Number: 5, State: Fail},
		{Number: 6, State: Complete, Values: []float64{math.NaN()}},
		{Number: 7, State: Running},
		{Number: 8, State: Complete, Values: []float64{2}, Constraints: []float64{0.2}},
		{Number: 9, State: Pruned, Steps: map[int]float64{0: 100}},
		{Number: 10, State: Pruned},
		{Number: 11, State: Complete, Values: []float64{9}, Constraints: []float64{math.NaN()}},
		{Number: 12, State: Pruned, Steps: map[int]float64{1: 100}, Constraints: []float64{0.3}},
		{Number: 13, State: Waiting},
	}
	ranked, open := rank(history, Maximize)
	numbers := func(trials []*Trial) (list []int) {
		for _, t := range trials {
			list = append(list, t.Number)
		}
		return list
	}
	if got, want := numbers(ranked), []int{3, 2, 6, 4, 1, 9, 10, 8, 12, 0, 11}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	if got := numbers(open); !slices.Equal(got, []int{7, 13}) {
		t.Errorf("open: %v, want 7 and 13", got)
	}
	if ranked, _ := rank(history, Minimize); numbers(ranked)[0] != 2 || numbers(ranked)[3] != 1 {
		t.Errorf("to be minimised: %v, want 2 first and the pruned 1 fourth", numbers(ranked))
	}
}

// The constrained optimum of x + y with x + y <= 1 on the unit square is 1; without the constraint's report it is 2.
func TestTPEKeepsConstraints(t *testing.T) {
	cfg := Config{Kind: TPE, Space: numbers(2, 0, 1), Directions: []Direction{Maximize}, Seed: 4}
	sampler, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var history []Trial
	best, feasible := 0.0, 0
	for number := range 80 {
		proposal, err := sampler.Ask(history)
		if err != nil {
			t.Fatal(err)
		}
		sum := proposal.Point["x0"] + proposal.Point["x1"]
		trial := Trial{Number: number, State: Complete, Point: proposal.Point, Values: []float64{sum}, Constraints: []float64{sum - 1}}
		if trial.Feasible() {
			best = max(best, sum)
			feasible++
		}
		history = append(history, trial)
	}
	if best < 0.99 || feasible < 40 {
		t.Errorf("best %.4f of %d feasible trials; want at least 0.99, and half of 80", best, feasible)
	}
}

// Words, steps, a logarithmic scale and a parameter that exists only where it matters: the best is at "ties" with density
// 0.3 and lambda 0.6, and the method without a density never gets close.
func TestTPEFindsAConditionalOptimum(t *testing.T) {
	space := Space{
		{Name: "method", Choices: []string{"task_arithmetic", "ties", "dare"}},
		{Name: "lambda", High: 1, Step: 0.05},
		{Name: "density", Low: 0.01, High: 1, Log: true, When: "method", Is: []string{"ties", "dare"}},
	}
	score := func(p Point) float64 {
		lambda, density := p["lambda"]-0.6, math.Log(max(p["density"], 0.01)/0.3)
		return []float64{0.3, 1, 0.8}[int(p["method"])] - lambda*lambda - 0.1*density*density
	}
	var found []float64
	for seed := range uint64(5) {
		best := math.Inf(-1)
		for _, trial := range ask(t, Config{Kind: TPE, Space: space, Directions: []Direction{Maximize}, Seed: seed}, 60, score) {
			best = max(best, trial.Values[0])
		}
		found = append(found, best)
	}
	slices.Sort(found)
	if found[2] < 0.995 {
		t.Errorf("best scores %v of 5 seeds, want a median of at least 0.995 of 1", found)
	}
}

// A density integrates to 1 over the scales, and its samples fall where it says: the share in each of 10 equal cells within
// 5 standard deviations of 40,000 draws.
func TestParzenIsADensity(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, p := range []Param{
		{Name: "p", Low: -2, High: 3},
		{Name: "p", Low: 0.001, High: 8, Log: true},
		{Name: "p", Low: 1, High: 10, Integer: true},
		{Name: "p", Low: 1, High: 10, Integer: true, Log: true},
		{Name: "p", Choices: []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}},
	} {
		var trials []*Trial
		for range 6 {
			trials = append(trials, &Trial{Point: Point{"p": p.fromUnit(rng.Float64() * 0.5)}})
		}
		for name, widths := range map[string]func([][]float64) [][]float64{
			"nearest":    func(x [][]float64) [][]float64 { return nearestWidths(x, 0.02) },
			"neighbours": neighbourWidths,
		} {
			pz := newParzen([]Param{p}, trials, fading(6), widths)
			buffer := make([]float64, 7)
			var want [10]float64
			if p.count() == 10 {
				for k := range want {
					want[k] = math.Exp(pz.logDensity(candidateAt(pz.params, []float64{p.nth(float64(k))}), buffer))
				}
			} else {
				const points = 1000 // the midpoint rule a cell
				for i := range 10 * points {
					c := candidateAt(pz.params, []float64{p.fromUnit((float64(i) + 0.5) / (10 * points))})
					want[i/points] += math.Exp(pz.logDensity(c, buffer)) / (10 * points)
				}
			}
			total := 0.0
			for _, w := range want {
				total += w
			}
			if math.Abs(total-1) > 1e-5 {
				t.Errorf("%+v, %s: the density integrates to %v", p, name, total)
			}
			const draws = 40000
			var got [10]float64
			for range draws {
				v := pz.sample(rng).value[0]
				cell := min(int(p.toUnit(v)*10), 9)
				if p.count() == 10 {
					cell = int(math.Round(v - p.nth(0)))
				}
				got[cell] += 1. / draws
			}
			for k := range want {
				if math.Abs(got[k]-want[k]) > 5*math.Sqrt(want[k]/draws)+1e-5 {
					t.Errorf("%+v, %s: cell %d has %.4f of the draws, want %.4f", p, name, k, got[k], want[k])
				}
			}
		}
	}
}

func TestNormalMass(t *testing.T) {
	for _, c := range []struct{ a, b, want float64 }{ // scipy.stats.norm: cdf(b) - cdf(a), or sf(a) - sf(b)
		{-1, 1, 0.6826894921370859},
		{0, math.Inf(1), 0.5},
		{5, 6, 2.856649842341556e-07},
		{-6, -5, 2.856649842341556e-07},
		{20, 21, 2.7536241153268778e-89},
	} {
		if got := normalMass(c.a, c.b); math.Abs(got-c.want) > 1e-12*c.want {
			t.Errorf("[%v, %v]: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func BenchmarkTPE(b *testing.B) {
	space := numbers(8, 0, 1)
	sampler, err := New(Config{Kind: TPE, Space: space, Directions: []Direction{Minimize}})
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	history := make([]Trial, 1000)
	for i := range history {
		point := space.point(func(int) float64 { return rng.Float64() })
		history[i] = Trial{Number: i, State: Complete, Point: point, Values: []float64{rng.Float64()}}
	}
	for b.Loop() {
		if _, err := sampler.Ask(history); err != nil {
			b.Fatal(err)
		}
	}
}
