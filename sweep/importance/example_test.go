package importance_test

import (
	"fmt"

	"syncretic/sweep/importance"
	"syncretic/sweep/search"
)

func ExamplePEDANOVA() {
	space := search.Space{{Name: "lambda", High: 1}, {Name: "density", Low: 0.1, High: 1}}
	var trials []search.Trial
	for i := range 100 {
		lambda, density := float64(i%10)/9, 0.1+0.1*float64(i/10)
		trials = append(trials, search.Trial{Number: i, State: search.Complete,
			Point: search.Point{"lambda": lambda, "density": density}, Values: []float64{0.8 - (lambda-0.3)*(lambda-0.3) + 0.001*density}})
	}
	for _, s := range importance.PEDANOVA(space, trials, importance.Options{Direction: search.Maximize}) {
		fmt.Printf("%s %.2f\n", s.Name, s.Value)
	}
	// Output:
	// lambda 1.00
	// density 0.00
}
