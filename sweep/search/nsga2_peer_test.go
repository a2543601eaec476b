package search

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
)

// nsga2Peer is testdata/nsga2_peer.json.
type nsga2Peer struct {
	Made         string
	Trials       int
	Dimensions   int
	Default, SBX map[string][]float64 // hypervolumes by function, sorted by seed's result
	Golden       []struct {
		Directions []Direction
		Trials     []struct{ Values, Constraints []float64 }
		Front      []int
		Reference  []float64
		// the area that the trials with values dominate
		Hypervolume float64
	}
}

func readNSGA2Peer(t *testing.T) nsga2Peer {
	t.Helper()
	data, err := os.ReadFile("testdata/nsga2_peer.json")
	if err != nil {
		t.Fatal(err)
	}
	var peer nsga2Peer
	if err := json.Unmarshal(data, &peer); err != nil {
		t.Fatal(err)
	}
	return peer
}

func zdtParts(p Point) (first, g float64) {
	for i := 1; i < len(p); i++ {
		g += p[fmt.Sprint("x", i)]
	}
	return p["x0"], 1 + 9*g/float64(len(p)-1)
}

// zdt1 and zdt2 are functions of Zitzler, Deb and Thiele, "Comparison of Multiobjective Evolutionary Algorithms", 2000: a convex
// front and one that is not.
func zdt1(p Point) []float64 {
	f, g := zdtParts(p)
	return []float64{f, g * (1 - math.Sqrt(f/g))}
}

func zdt2(p Point) []float64 {
	f, g := zdtParts(p)
	return []float64{f, g * (1 - f*f/g/g)}
}

func frontArea(history []Trial) float64 {
	var points [][]float64
	for _, t := range history {
		if t.State == Complete {
			points = append(points, t.Values)
		}
	}
	return Hypervolume2(points, minimizeBoth(), []float64{1.1, 4})
}

// TestNSGA2ReachesOptuna compares the median hypervolume over 20 seeds with that of Optuna's sampler: its defaults, and, within
// noise, its operators of the same kind. Noise: with 95 % the sixth of 20 sorted values is below their distribution's median.
func TestNSGA2ReachesOptuna(t *testing.T) {
	peer := readNSGA2Peer(t)
	for name, f := range map[string]func(Point) []float64{"zdt1": zdt1, "zdt2": zdt2} {
		var areas []float64
		for seed := range uint64(20) {
			s := mustNSGA2(t, Config{Space: cube(function{high: 1}, peer.Dimensions), Directions: minimizeBoth(), Seed: seed})
			areas = append(areas, frontArea(askedAll(t, s, peer.Trials, f)))
		}
		slices.Sort(areas)
		t.Logf("%s: median %.4f, Optuna's default %.4f, its SBX %.4f", name, median(areas), median(peer.Default[name]), median(peer.SBX[name]))
		if ours := median(areas); ours < median(peer.Default[name]) || ours < peer.SBX[name][5] {
			t.Errorf("%s: median %.4f, Optuna's default %.4f, its SBX %.4f, of which the sixth is %.4f",
				name, ours, median(peer.Default[name]), median(peer.SBX[name]), peer.SBX[name][5])
		}
	}
}

// TestNonDominatedIsOptunas: the front is that of study.best_trials, and its area that of Optuna's hypervolume.
func TestNonDominatedIsOptunas(t *testing.T) {
	cases := readNSGA2Peer(t).Golden
	if len(cases) != 4 {
		t.Fatalf("%d cases, want 4", len(cases))
	}
	for _, c := range cases {
		var trials []Trial
		var points [][]float64
		for i, values := range c.Trials {
			trial := Trial{Number: i, State: Fail, Constraints: values.Constraints}
			if values.Values != nil {
				trial.State, trial.Values = Complete, values.Values
				points = append(points, values.Values)
			}
			trials = append(trials, trial)
		}
		if got := NonDominated(trials, c.Directions); !slices.Equal(got, c.Front) {
			t.Errorf("%v: front %v, want %v", c.Directions, got, c.Front)
		}
		if len(c.Directions) == 2 {
			if got := Hypervolume2(points, c.Directions, c.Reference); math.Abs(got-c.Hypervolume) > 1e-12 {
				t.Errorf("%v: hypervolume %v, want %v", c.Directions, got, c.Hypervolume)
			}
		}
	}
}

func TestNonDominatedLeavesOut(t *testing.T) {
	trials := []Trial{
		{State: Complete, Values: []float64{1}},
		{State: Complete, Values: []float64{0, math.NaN()}},
		{State: Running},
		{State: Complete, Values: []float64{5, 5}},
		{State: Complete, Values: []float64{0, 0}, Constraints: []float64{0.1}},
		{State: Complete, Values: []float64{math.Inf(-1), 9}},
		{State: Complete, Values: []float64{5, 5}, Constraints: []float64{0, -1}},
	}
	if got := NonDominated(trials, minimizeBoth()); !slices.Equal(got, []int{3, 5, 6}) {
		t.Errorf("front %v, want [3 5 6]", got)
	}
	if got := NonDominated(nil, minimizeBoth()); len(got) != 0 {
		t.Errorf("front %v of nothing", got)
	}
	if got := Hypervolume2(nil, minimizeBoth(), []float64{1, 1}); got != 0 {
		t.Errorf("hypervolume %v of nothing", got)
	}
}
