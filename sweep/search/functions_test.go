package search

import "math"

// function is a test function with minimum value 0, of any number of dimensions. testdata/functions.py is its twin.
type function struct {
	name      string
	low, high float64 // of every coordinate
	eval      func(x []float64) float64
}

// optimum is where coordinate i of a function on [low, high] is best: neither in the centre nor in a corner, and elsewhere
// in each dimension, so that a sampler gains nothing from a liking for the middle, for a border or for the diagonal.
func optimum(low, high float64, i int) float64 {
	_, f := math.Modf(0.2 + float64(i+1)*0.6180339887498949)
	return low + (high-low)*(0.15+0.7*f)
}

// functions lists a bowl, a curved valley, and three with many local minima: with a bowl underneath, nearly flat far
// away, and with 2^n wells of similar depth.
func functions() []function {
	list := []function{
		{"sphere", -5, 5, func(z []float64) float64 {
			return sum(z, func(v float64) float64 { return v * v })
		}},
		{"rosenbrock", -5, 5, func(z []float64) float64 {
			total := 0.0
			for i, v := range z {
				u, next := v+1, 1.0 // one dimension: the second coordinate stands at its best
				if i+1 < len(z) {
					next = z[i+1] + 1
				} else if i > 0 {
					break
				}
				total += 100*(next-u*u)*(next-u*u) + (1-u)*(1-u)
			}
			return total
		}},
		{"rastrigin", -5.12, 5.12, func(z []float64) float64 {
			return sum(z, func(v float64) float64 { return v*v + 10 - 10*math.Cos(2*math.Pi*v) })
		}},
		{"ackley", -32.768, 32.768, func(z []float64) float64 {
			n := float64(len(z))
			square := sum(z, func(v float64) float64 { return v * v }) / n
			wave := sum(z, func(v float64) float64 { return math.Cos(2 * math.Pi * v) }) / n
			return 20 - 20*math.Exp(-0.2*math.Sqrt(square)) + math.E - math.Exp(wave)
		}},
		{"styblinski-tang", -5, 5, func(z []float64) float64 {
			const best, least = -2.903534027771178, -78.33233140754285
			return sum(z, func(v float64) float64 {
				u := v + best
				return (u*u*u*u - 16*u*u + 5*u - least) / 2
			})
		}},
	}
	for i, f := range list {
		list[i].eval = func(x []float64) float64 {
			z := make([]float64, len(x))
			for i := range x {
				z[i] = x[i] - optimum(f.low, f.high, i)
			}
			return f.eval(z)
		}
	}
	return list
}

func sum(z []float64, f func(float64) float64) float64 {
	total := 0.0
	for _, v := range z {
		total += f(v)
	}
	return total
}
