package importance

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"syncretic/sweep/search"
)

//go:embed testdata/ped_anova.json
var goldens []byte

// golden is a study and what Optuna 5.0.0 says of it: see testdata/make_golden.py.
type golden struct {
	Name      string
	Direction search.Direction
	Space     search.Space
	Trials    []struct {
		Point search.Point
		Value float64
	}
	Importance map[string]float64
}

func readGoldens(t *testing.T) []golden {
	t.Helper()
	var all []golden
	if err := json.Unmarshal(goldens, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 7 {
		t.Fatalf("%d goldens, want 7", len(all))
	}
	return all
}

func (g golden) trials() []search.Trial {
	var out []search.Trial
	for i, t := range g.Trials {
		out = append(out, search.Trial{Number: i, State: search.Complete, Point: t.Point, Values: []float64{math.NaN(), t.Value}})
	}
	return out
}

// tolerance is between Optuna's logarithms of masses and the masses themselves.
const tolerance = 1e-9

func TestAgainstOptuna(t *testing.T) {
	for _, g := range readGoldens(t) {
		t.Run(g.Name, func(t *testing.T) {
			got := PEDANOVA(g.Space, g.trials(), Options{Objective: 1, Direction: g.Direction, Optuna: true})
			if len(got) != len(g.Importance) {
				t.Fatalf("%d parameters, want %d", len(got), len(g.Importance))
			}
			for i, s := range got {
				if want := g.Importance[s.Name]; !(math.Abs(s.Value-want) <= tolerance) {
					t.Errorf("%s: %v, want %v", s.Name, s.Value, want)
				}
				if i > 0 && s.Value > got[i-1].Value {
					t.Errorf("%s stands after one that matters less", s.Name)
				}
			}
		})
	}
}

// TestNumbersNeedNoChoice: what is not categorical is the same either way.
func TestNumbersNeedNoChoice(t *testing.T) {
	for _, g := range readGoldens(t)[:2] {
		o := Options{Objective: 1, Direction: g.Direction}
		ours := PEDANOVA(g.Space, g.trials(), o)
		o.Optuna = true
		if theirs := PEDANOVA(g.Space, g.trials(), o); !slices.Equal(ours, theirs) {
			t.Errorf("%s: %v, want %v", g.Name, ours, theirs)
		}
	}
}

// TestDecisiveChoice: the method decides everything, a number nothing. The best tenth are 20 of 200 trials, all with choice 0,
// and every seventh or so of all trials has it.
func TestDecisiveChoice(t *testing.T) {
	space := search.Space{{Name: "method", Choices: []string{"a", "b", "c", "d", "e", "f"}}, {Name: "x", High: 1}}
	r := rand.New(rand.NewPCG(1, 2))
	var trials []search.Trial
	for i := range 200 {
		choice := float64(i % 6)
		value := r.Float64() / 100
		if choice == 0 {
			value++
		}
		trials = append(trials, search.Trial{Number: i, State: search.Complete, Point: search.Point{"method": choice, "x": r.Float64()}, Values: []float64{value}})
	}
	got := PEDANOVA(space, trials, Options{Direction: search.Maximize})
	if got[0].Name != "method" || got[0].Value < 0.9 {
		t.Errorf("%v, want the method to have at least 0.9", got)
	}
	// The raw figure: shares of the best are (20+1/6)/21 and (1/6)/21 five times over; of all (34+1/6)/201 twice, (33+1/6)/201 four times.
	all, good := cells(space[0], trials), cells(space[0], top(trials, Options{Direction: search.Maximize}))
	p := []float64{(20 + 1.0/6) / 21, 1.0 / 126, 1.0 / 126, 1.0 / 126, 1.0 / 126, 1.0 / 126}
	var want float64
	for i, q := range []float64{(34 + 1.0/6) / 201, (34 + 1.0/6) / 201, (33 + 1.0/6) / 201, (33 + 1.0/6) / 201, (33 + 1.0/6) / 201, (33 + 1.0/6) / 201} {
		want += q * (p[i]/q - 1) * (p[i]/q - 1)
	}
	if d := divergence(good.density(space[0], false), all.density(space[0], false)); math.Abs(d-want) > tolerance {
		t.Errorf("divergence %v, want %v", d, want)
	}
	if flat := PEDANOVA(space, trials, Options{Direction: search.Maximize, Optuna: true}); flat[0].Name == "method" && flat[0].Value > got[0].Value {
		t.Errorf("Optuna's kernels give the method %v, ours %v: the comment on Options is wrong", flat[0].Value, got[0].Value)
	}
}

// TestWhatIsPassedOver: trials that are not done, or have no such objective, change nothing; so does the order.
func TestWhatIsPassedOver(t *testing.T) {
	g := readGoldens(t)[3]
	o := Options{Objective: 1, Direction: g.Direction}
	want := PEDANOVA(g.Space, g.trials(), o)
	trials := g.trials()
	trials = append(trials,
		search.Trial{State: search.Pruned, Point: search.Point{"m": 1}, Steps: map[int]float64{1: 9}},
		search.Trial{State: search.Running, Point: search.Point{"m": 1}},
		search.Trial{State: search.Fail}, search.Trial{State: search.Complete, Values: []float64{9}},
		search.Trial{State: search.Complete, Values: []float64{9, math.NaN()}}, search.Trial{State: search.Complete, Values: []float64{9, math.Inf(1)}})
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(trials), func(i, j int) { trials[i], trials[j] = trials[j], trials[i] })
	got := PEDANOVA(g.Space, trials, o)
	for i := range want {
		if got[i].Name != want[i].Name || got[i].Trials != want[i].Trials || !(math.Abs(got[i].Value-want[i].Value) <= tolerance) {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
}

func TestNothingToSay(t *testing.T) {
	space := search.Space{{Name: "x", High: 1}}
	at := func(x, value float64) search.Trial {
		return search.Trial{State: search.Complete, Point: search.Point{"x": x}, Values: []float64{value}}
	}
	for name, trials := range map[string][]search.Trial{
		"no trials":         nil,
		"one trial":         {at(0.5, 1)},
		"all alike":         {at(0.1, 1), at(0.5, 1), at(0.9, 1)},
		"points of nothing": {{State: search.Complete, Values: []float64{1}}, {State: search.Complete, Values: []float64{2}}},
	} {
		if got := PEDANOVA(space, trials, Options{Direction: search.Maximize}); got != nil {
			t.Errorf("%s: %v, want nil", name, got)
		}
	}
	if got := PEDANOVA(space, []search.Trial{at(0, 1), at(1, 2)}, Options{Objective: -1}); got != nil {
		t.Errorf("an objective that is not there: %v", got)
	}
	if got := PEDANOVA(nil, []search.Trial{at(0, 1), at(1, 2)}, Options{}); got != nil {
		t.Errorf("no space: %v", got)
	}
}

// TestPointsOutsideOfTheSpace come from other programs: they count at the edge, or not at all, and never panic.
func TestPointsOutsideOfTheSpace(t *testing.T) {
	for _, c := range []struct {
		p    search.Param
		v    float64
		cell int // -1: not counted
	}{
		{search.Param{Name: "x", High: 1}, 7, 49}, {search.Param{Name: "x", High: 1}, -7, 0}, {search.Param{Name: "x", High: 1}, math.Inf(1), 49},
		{search.Param{Name: "x", High: 1}, math.NaN(), -1}, {search.Param{Name: "x", Low: 1, High: 9, Log: true}, -1, -1},
		{search.Param{Name: "x", Low: 1, High: 9, Log: true}, 0, 0}, {search.Param{Name: "x", Low: 3, High: 3}, 3, 0},
		{search.Param{Name: "x", Choices: []string{"a", "b"}}, 2, -1}, {search.Param{Name: "x", Choices: []string{"a", "b"}}, 0.5, -1},
		{search.Param{Name: "x", Choices: []string{"a", "b"}}, -1, -1}, {search.Param{Name: "x", Choices: []string{"a", "b"}}, 1, 1},
		{search.Param{Name: "x", High: 1e18, Integer: true}, 1e18, 49}, {search.Param{Name: "x", High: 10, Step: 5}, 4, 1},
	} {
		h := cells(c.p, []search.Trial{{Point: search.Point{"x": c.v}}})
		if c.cell < 0 && h.trials != 0 || c.cell >= 0 && (h.trials != 1 || h.counts[c.cell] != 1) {
			t.Errorf("%+v at %v: %d trials, counts %v; want cell %d", c.p, c.v, h.trials, h.counts, c.cell)
		}
	}
}

// TestDensitiesSumToOne over the cells, however few or many trials there are.
func TestDensitiesSumToOne(t *testing.T) {
	for _, p := range []search.Param{{Name: "x", High: 1}, {Name: "x", Low: 1e-6, High: 1, Log: true}, {Name: "x", High: 3, Integer: true}, {Name: "x", Choices: []string{"a", "b", "c"}}} {
		for _, n := range []int{1, 3, 200} {
			var trials []search.Trial
			for i := range n {
				trials = append(trials, search.Trial{Point: search.Point{"x": float64(i%4) / 2}})
			}
			for _, optuna := range []bool{false, true} {
				var sum float64
				for _, v := range cells(p, trials).density(p, optuna) {
					sum += v
				}
				if math.Abs(sum-1) > 1e-12 {
					t.Errorf("%+v of %d trials: %v", p, n, sum)
				}
			}
		}
	}
}

func BenchmarkPEDANOVA(b *testing.B) {
	space := search.Space{}
	for i := range 8 {
		space = append(space, search.Param{Name: fmt.Sprint(i), High: 1})
	}
	r := rand.New(rand.NewPCG(5, 6))
	var trials []search.Trial
	for i := range 1000 {
		point := search.Point{}
		for _, p := range space {
			point[p.Name] = r.Float64()
		}
		trials = append(trials, search.Trial{Number: i, State: search.Complete, Point: point, Values: []float64{point["0"]}})
	}
	for b.Loop() {
		PEDANOVA(space, trials, Options{Direction: search.Maximize})
	}
}
