package search

import (
	"math"
	"testing"
)

// mixed has every kind of number.
func mixed() Space {
	return Space{
		{Name: "lambda", High: 1},
		{Name: "scale", Low: 1e-4, High: 10, Log: true},
		{Name: "layers", Low: 1, High: 12, Integer: true},
		{Name: "density", Low: 0.1, High: 1, Step: 0.1},
		{Name: "rank", Low: 1, High: 512, Log: true, Integer: true},
		{Name: "flag", Low: 0, High: 1, Integer: true},
		{Name: "fixed", Low: 3, High: 3},
	}
}

// mixedValue is 0 at one point of mixed, and grows in each parameter.
func mixedValue(p Point) float64 {
	square := func(v float64) float64 { return v * v }
	return square(p["lambda"]-0.3) + square(math.Log(p["scale"]/0.05)) + square(p["layers"]-9) + square(10*(p["density"]-0.3)) +
		square(math.Log(p["rank"]/16)) + square(p["flag"]-1)
}

// TestCMAESSteps: with steps, integers and logarithms the optimum is found, points lie on the steps, and no parameter stands still.
func TestCMAESSteps(t *testing.T) {
	for seed := range uint64(3) {
		c := mustCMAES(t, Config{Space: mixed(), Seed: seed})
		history := asked(t, c, 400, mixedValue)
		late := map[string]map[float64]bool{}
		for i, trial := range history {
			if !c.config.Space.Contains(trial.Point) {
				t.Fatalf("trial %d: %v is outside of the space", i, trial.Point)
			}
			for _, p := range mixed() {
				v := trial.Point[p.Name]
				if p.Integer && v != math.Trunc(v) || p.Name == "density" && math.Abs(v*10-math.Round(v*10)) > 1e-9 {
					t.Fatalf("trial %d: %s = %v", i, p.Name, v)
				}
				if late[p.Name] == nil {
					late[p.Name] = map[float64]bool{}
				}
				if i >= 300 {
					late[p.Name][v] = true
				}
			}
		}
		if least := leastValue(history); least > 1e-2 {
			t.Errorf("seed %d: best value %g, want below 1e-2", seed, least)
		}
		for name, values := range late {
			if name != "fixed" && len(values) < 2 {
				t.Errorf("seed %d: %s stands still in the last 100 trials", seed, name)
			}
		}
	}
}

// TestCMAESMargin: after an update of a very narrow distribution, the neighbours of the mean's value keep their probability.
func TestCMAESMargin(t *testing.T) {
	axes := []axis{newAxis(Param{Name: "layers", Low: 1, High: 5, Integer: true}), newAxis(Param{Name: "lambda", High: 1})}
	for _, mean := range []float64{0.05, 0.3, 0.5, 0.62, 0.97, -0.4, 1.3} {
		d := newDistribution(newStrategy(2, 6), []float64{mean, 0.5})
		d.sigma = 1e-9
		value := axes[0].value(mean)
		d.correctMargin(axes)
		lower, upper := axes[0].cell(d.mean[0])
		deviation := d.sigma * d.stretch[0]
		below, above := normalBelow((lower-d.mean[0])/deviation), normalBelow((d.mean[0]-upper)/deviation)
		const margin = 1.0 / 12
		if axes[0].value(d.mean[0]) != value || math.Abs(below+above-margin) > 1e-6 || d.mean[1] != 0.5 || d.stretch[1] != 1 {
			t.Errorf("mean %v: now %v (value %v, was %v), %v below and %v above, want %v together", mean, d.mean, axes[0].value(d.mean[0]), value, below, above, margin)
		}
	}
	wide := newDistribution(newStrategy(2, 6), []float64{0.5, 0.5})
	wide.correctMargin(axes)
	if math.Abs(wide.mean[0]-0.5) > 1e-12 || math.Abs(wide.stretch[0]-1) > 1e-12 {
		t.Errorf("a wide distribution moved to %v, stretched by %v", wide.mean, wide.stretch)
	}
}

func TestAxis(t *testing.T) {
	for _, p := range mixed() {
		a := newAxis(p)
		for _, u := range []float64{-1e9, -0.1, 0, 1e-12, 0.2, 0.49, 0.77, 1, 1.1, 1e9} {
			v := a.value(u)
			if !(v >= p.Low && v <= p.High) {
				t.Errorf("%s: value %v at %v", p.Name, v, u)
			}
			if back := a.value(a.unit(v)); math.Abs(back-v) > 1e-14*math.Abs(v) || a.step > 0 && back != v {
				t.Errorf("%s: %v at %v comes back as %v", p.Name, v, a.unit(v), back)
			}
			if a.single || a.step == 0 {
				continue
			}
			lower, upper := a.cell(u)
			if u > 0 && u < 1 && !(lower <= u && u <= upper) {
				t.Errorf("%s: the cell of %v is [%v, %v]", p.Name, u, lower, upper)
			}
		}
	}
}
