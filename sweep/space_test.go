package sweep

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"syncretic/sweep/search"
)

func TestGrid(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to float64
		points   int
		want     []float64
	}{
		{"five", 0, 1, 5, []float64{0, 0.25, 0.5, 0.75, 1}},
		{"negative", -0.2, 0.1, 4, []float64{-0.2, -0.1, 0, 0.1}},
		{"one point", 0.3, 1, 1, []float64{0.3}},
		{"none", 0, 1, 0, []float64{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Grid(c.from, c.to, c.points); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestDefaultValuesAreWhatPeopleWrite(t *testing.T) {
	want := []float64{0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
		0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1}
	if got := DefaultValues(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// proposals asks a setup's sampler for all of its points.
func proposals(t *testing.T, setup Setup) (points []search.Point) {
	t.Helper()
	setup.Rule = Rule{Metric: ROCAUC}
	sampler, err := setup.sampler()
	if err != nil {
		t.Fatal(err)
	}
	var history []search.Trial
	for {
		p, err := sampler.Ask(history)
		if err != nil {
			t.Fatal(err)
		}
		if p.Done {
			return points
		}
		points = append(points, p.Point)
		history = append(history, search.Trial{Number: len(history), State: search.Complete, Point: p.Point, Values: []float64{0}})
	}
}

func TestChoices(t *testing.T) {
	ties := Method{Name: "ties", Fixed: map[string]float64{"normalize": 0}, Search: search.Space{{Name: "density", Low: 0.2, High: 1, Grid: []float64{0.2, 1}}}}
	for _, c := range []struct {
		name  string
		space Space
		want  []string
	}{
		{"shared", toySpace(0.5, 0, -1), []string{"task_arithmetic 0.5 map[]", "task_arithmetic 0 map[]", "task_arithmetic -1 map[]"}},
		{"per culture", Space{Mode: PerCulture, Vectors: []string{"b", "a"}, Values: []float64{0, 1}},
			[]string{"task_arithmetic 0 map[]", "task_arithmetic a=1 b=0 map[]", "task_arithmetic a=0 b=1 map[]", "task_arithmetic 1 map[]"}},
		{"per group", Space{Mode: PerGroup, Vectors: []string{"a", "b"}, Groups: []string{"low", "high"}, Values: []float64{1, 2}},
			[]string{"task_arithmetic 1 map[]", "task_arithmetic high=2 low=1 map[]", "task_arithmetic high=1 low=2 map[]", "task_arithmetic 2 map[]"}},
		{"a method's parameter", Space{Mode: Shared, Vectors: []string{"a"}, Values: []float64{1}, Methods: []Method{ties}},
			[]string{"ties 1 map[density:0.2 normalize:0]", "ties 1 map[density:1 normalize:0]"}},
		{"methods and their own parameters", Space{Mode: Shared, Vectors: []string{"a"}, Values: []float64{1}, Methods: []Method{{Name: "task_arithmetic"}, ties}},
			[]string{"task_arithmetic 1 map[]", "ties 1 map[density:0.2 normalize:0]", "ties 1 map[density:1 normalize:0]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.space.Check(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range proposals(t, Setup{Space: c.space}) {
				choice, ok := c.space.choice(p)
				if !ok {
					t.Fatalf("%v is not of the space", p)
				}
				if back := c.space.Point(choice); !maps.Equal(back, p) {
					t.Errorf("%v comes back as %v", p, back)
				}
				got = append(got, fmt.Sprint(choice.Method, " ", choice.Lambdas, " ", choice.Params))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if n := int(c.space.Params().GridSize()); n != len(c.want) {
				t.Errorf("a grid of %d points says that it has %d", len(c.want), n)
			}
			samples := c.space.Samples()
			if len(samples) != 2*len(c.space.methods()) {
				t.Errorf("%d samples of %d methods", len(samples), len(c.space.methods()))
			}
		})
	}
	if _, ok := toySpace(0, 1).choice(search.Point{"lambda": 0.5, "mu": 1}); ok {
		t.Error("a point with a foreign parameter is read")
	}
}

// TestPointIsTheInverse: whatever a sampler proposes in any kind of space is the point of the choice that it is read as.
func TestPointIsTheInverse(t *testing.T) {
	methods := []Method{{Name: "task_arithmetic"},
		{Name: "ties", Fixed: map[string]float64{"normalize": 0}, Search: search.Space{{Name: "density", Low: 0.2, High: 1}, {Name: "top", Low: 1, High: 5, Integer: true}}},
		{Name: "dare_ties", Search: search.Space{{Name: "density", Low: 0.01, High: 1, Log: true}}}}
	for _, mode := range []Mode{Shared, PerCulture, PerGroup} {
		for n := range len(methods) + 1 {
			space := Space{Mode: mode, Vectors: []string{"b", "a.c", "a"}, Values: []float64{-1, 0, 2}, Methods: methods[:n]}
			if mode == PerGroup {
				space.Groups = DefaultGroups()
			}
			points := proposals(t, Setup{Space: space, Sampler: SamplerConfig{Kind: search.Random, Trials: 50}})
			for _, p := range points {
				choice, ok := space.choice(p)
				if back := space.Point(choice); !ok || !maps.Equal(back, p) {
					t.Fatalf("mode %s, %d methods: %v is read as %+v, whose point is %v", mode, n, p, choice, back)
				}
			}
			if len(points) != 50 {
				t.Errorf("mode %s, %d methods: %d points", mode, n, len(points))
			}
		}
	}
}

func TestSpaceErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		space Space
		says  string
	}{
		{"no vectors", Space{Mode: Shared, Values: []float64{1}}, "no task vectors"},
		{"no values", toySpace(), "no values"},
		{"vector twice", Space{Mode: Shared, Vectors: []string{"a", "a"}, Values: []float64{1}}, `"a" is empty or repeated`},
		{"value twice", toySpace(0.5, 0.5), "0.5 is listed twice"},
		{"NaN", toySpace(math.NaN()), "not finite"},
		{"infinite", toySpace(math.Inf(1)), "not finite"},
		{"mode", Space{Mode: "each", Vectors: []string{"a"}, Values: []float64{1}}, `mode "each"`},
		{"no groups", Space{Mode: PerGroup, Vectors: []string{"a"}, Values: []float64{1}}, "0 groups"},
		{"groups of another mode", Space{Mode: Shared, Groups: []string{"low"}, Vectors: []string{"a"}, Values: []float64{1}}, "1 groups"},
		{"method twice", Space{Mode: Shared, Vectors: []string{"a"}, Values: []float64{1}, Methods: []Method{{Name: "ties"}, {Name: "ties"}}}, `method name "ties"`},
		{"a range that is none", Space{Mode: Shared, Vectors: []string{"a"}, Values: []float64{1}, Methods: []Method{{Name: "ties", Search: search.Space{{Name: "density", Low: 1, High: 0}}}}}, "ties.density"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.space.Check()
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want ErrConfig and %q", err, c.says)
			}
		})
	}
}

func TestLambdas(t *testing.T) {
	l := Lambdas{"a": -0.5, "b": 0.25}
	if l.IsBase() || l.Size() != 0.75 || l.String() != "a=-0.5 b=0.25" {
		t.Errorf("base %t, size %v, %q", l.IsBase(), l.Size(), l)
	}
	if !(Lambdas{"a": 0, "b": 0}).IsBase() {
		t.Error("all zeros are the base")
	}
}
