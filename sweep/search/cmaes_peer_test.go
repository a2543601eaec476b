package search

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
)

// cmaesPeer is testdata/cmaes_peer.json: the best values of 20 seeds, sorted, by function and number of dimensions.
type cmaesPeer struct {
	Made  string
	Cells []struct {
		Function       string
		Dimensions     int
		Budget         int
		Sixth, Quarter []float64 // by the initial sigma's share of the range
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
			history, _ := mustCMAES(t, Config{Space: cube(f, cell.Dimensions), Seed: seed}).straight(cell.Budget, f.at)
			values = append(values, leastValue(history))
		}
		slices.Sort(values)
		fmt.Printf("%-16s %d %9.3g %9.3g %9.3g \n", f.name, cell.Dimensions, median(values), median(cell.Sixth), median(cell.Quarter))
	}
}

func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
