package sweep

import (
	"fmt"
	"math"
	"strings"
)

// Lambdas are the coefficients of one point by the vector's name.
type Lambdas map[string]float64

// IsBase reports whether every coefficient is 0.
func (l Lambdas) IsBase() bool {
	for _, v := range l {
		if v != 0 {
			return false
		}
	}
	return true
}

// Size is sum |lambda_i|, summed in the order of the names: the measure by which ties go to the smaller lambda.
func (l Lambdas) Size() float64 {
	var sum float64
	for _, name := range sortedKeys(l) {
		sum += math.Abs(l[name])
	}
	return sum
}

// String is for people: the coefficient alone where all are equal, otherwise "name=value" in the order of the names, to four digits.
// A sampler's coefficients have more; a trial's recipe keeps them all.
func (l Lambdas) String() string {
	var parts []string
	same := len(l) > 0
	names := sortedKeys(l)
	for _, name := range names {
		same = same && l[name] == l[names[0]]
		parts = append(parts, fmt.Sprintf("%s=%.4g", name, l[name]))
	}
	if same {
		return fmt.Sprintf("%.4g", l[names[0]])
	}
	return strings.Join(parts, " ")
}
