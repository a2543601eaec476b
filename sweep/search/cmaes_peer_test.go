package search

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
)

// cmaesPeer is testdata/cmaes_peer.json: the best values of 20 seeds, sorted, by function and number of dimensions.
type cmaesPeer struct {
	Made  string
	Cells []struct {
		Function   string
		Dimensions int
		Budget     int
		Values     []float64
	}
}

// TestCMAESReachesCmaes compares medians over 20 seeds with those of the package cmaes, at equal budgets.
func TestCMAESReachesCmaes(t *testing.T) {
	data, err := os.ReadFile("testdata/cmaes_peer.json")
	if err != nil {
		t.Fatal(err)
	}
	var peer cmaesPeer
	if err := json.Unmarshal(data, &peer); err != nil {
		t.Fatal(err)
	}
	for _, cell := range peer.Cells {
		f := functions()[slices.IndexFunc(functions(), func(f function) bool { return f.name == cell.Function })]
		var values []float64
		for seed := range uint64(20) {
			values = append(values, cmaesBest(t, f, cell.Dimensions, cell.Budget, seed))
		}
		slices.Sort(values)
		fmt.Printf("%-16s %d %9.3g %9.3g (%9.3g)\n", f.name, cell.Dimensions, median(values), median(cell.Values), cell.Values[14])
	}
}

// cmaesBest runs one search, trial after trial, and returns the best value.
func cmaesBest(t *testing.T, f function, n, budget int, seed uint64) float64 {
	var space Space
	for i := range n {
		space = append(space, Param{Name: fmt.Sprint("x", i), Low: f.low, High: f.high})
	}
	sampler, err := newCMAES(Config{Kind: CMAES, Space: space, Directions: []Direction{Minimize}, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	best := math.Inf(1)
	var history []Trial
	for number := range budget {
		proposal, err := sampler.Ask(history)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, n)
		for i, p := range space {
			x[i] = proposal.Point[p.Name]
		}
		value := f.eval(x)
		best = min(best, value)
		history = append(history, Trial{Number: number, State: Complete, Point: proposal.Point, Values: []float64{value}, Tags: proposal.Tags})
	}
	return best
}

func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
