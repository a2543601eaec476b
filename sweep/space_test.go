package sweep

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
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

func TestPoints(t *testing.T) {
	for _, c := range []struct {
		name  string
		space Space
		want  []string
	}{
		{"shared without 0", toySpace(0.5, 1), []string{"0", "0.5", "1"}},
		{"shared, 0 in the middle", toySpace(0.5, 0, -1), []string{"0", "0.5", "-1"}},
		{"shared, only 0", toySpace(0), []string{"0"}},
		{"per culture", Space{Mode: PerCulture, Vectors: []string{"b", "a"}, Values: []float64{0, 1}},
			[]string{"0", "a=1 b=0", "a=0 b=1", "1"}},
		{"per culture without 0", Space{Mode: PerCulture, Vectors: []string{"a", "b"}, Values: []float64{0.5, 1}},
			[]string{"0", "0.5", "a=0.5 b=1", "a=1 b=0.5", "1"}},
		{"at the limit", Space{Mode: PerCulture, Vectors: []string{"a"}, Values: []float64{0, 1}, MaxTrials: 2}, []string{"0", "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			points, err := c.space.Points()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range points {
				got = append(got, p.String())
				back, ok := c.space.lambdas(c.space.params(p))
				if !ok || !back.Equal(p) {
					t.Errorf("%v comes back from its parameters as %v", p, back)
				}
				for key, v := range c.space.params(p) {
					if r, ok := c.space.ranges().Param(key); !ok || v < r.Low || v > r.High {
						t.Errorf("parameter %s = %v outside of %v", key, v, r)
					}
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
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
		{"explosion", Space{Mode: PerCulture, Vectors: []string{"a", "b", "c", "d"}, Values: DefaultValues()},
			"21 values over 4 vectors has 194481 points, the limit is 1000"},
		{"explosion past integers", Space{Mode: PerCulture, Vectors: strings.Split("abcdefghijklmnopqrstuvwxyz", ""), Values: DefaultValues()}, "the limit is 1000"},
		{"long list", Space{Mode: Shared, Vectors: []string{"a"}, Values: []float64{1, 2, 3}, MaxTrials: 2}, "3 points, the limit is 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.space.Points()
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
	for _, other := range []Lambdas{{"a": -0.5}, {"a": -0.5, "c": 0.25}, {"a": -0.5, "b": 0.3}} {
		if l.Equal(other) {
			t.Errorf("%v equals %v", l, other)
		}
	}
}
