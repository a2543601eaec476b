package search_test

import (
	"fmt"

	"syncretic/sweep/search"
)

func ExampleNew() {
	space := search.Space{
		{Name: "method", Choices: []string{"task_arithmetic", "ties"}},
		{Name: "lambda", Low: 0, High: 1, Step: 0.5},
		{Name: "density", Low: 0.1, High: 1, Grid: []float64{0.2, 0.8}, When: "method", Is: []string{"ties"}},
	}
	fmt.Println(space.GridSize(), "points")
	sampler, err := search.New(search.Config{Kind: search.Grid, Space: space, Directions: []search.Direction{search.Maximize}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var history []search.Trial
	for range 5 {
		proposal, err := sampler.Ask(history)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(proposal.Point)
		history = append(history, search.Trial{Number: len(history), State: search.Running, Point: proposal.Point})
	}
	// Output:
	// 9 points
	// map[lambda:0 method:0]
	// map[lambda:0.5 method:0]
	// map[lambda:1 method:0]
	// map[density:0.2 lambda:0 method:1]
	// map[density:0.8 lambda:0 method:1]
}

// Three trials have reported how they do on the first part of the probe data; the worst should end here.
func ExampleHalving_Prune() {
	h := search.Halving{Eta: 3, Rungs: 3, Direction: search.Maximize}
	var history []search.Trial
	for number, score := range []float64{0.71, 0.64, 0.52} {
		history = append(history, search.Trial{Number: number, State: search.Running, Steps: map[int]float64{0: score}})
	}
	fmt.Println(h.Prune(history, 0, 0), h.Prune(history, 2, 0))
	// Output: false true
}
