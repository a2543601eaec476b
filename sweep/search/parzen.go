package search

import (
	"math"
	"math/rand/v2"
	"slices"
)

// parzen is a mixture of kernels over the parameters of a group: one kernel an observed point, and a last one, the prior,
// that covers the whole space. A kernel is a product over parameters: a normal truncated to the scale [0, 1] for a number,
// integrated over the number's cell where it comes in steps, and for a word a distribution that favours the observed one.
type parzen struct {
	params    []Param
	weight    []float64   // [kernel], cumulative
	logWeight []float64   // [kernel]
	mu, sigma [][]float64 // [param][kernel] of numbers, on the scale
	lognorm   [][]float64 // [param][kernel] log of a kernel's mass within the scale, and for continuous numbers of sigma sqrt(2 pi)
	words     [][]float64 // [param][kernel*choices] of words: probabilities
}

// candidate is a point of a group: values, and their places on the scales.
type candidate struct {
	value    []float64
	u        []float64 // numbers without steps
	from, to []float64 // numbers with steps: their cells
}

func candidateAt(params []Param, value []float64) candidate {
	n := len(params)
	buffer := make([]float64, 3*n)
	c := candidate{value, buffer[:n:n], buffer[n : 2*n : 2*n], buffer[2*n:]}
	for i, p := range params {
		switch {
		case p.Categorical():
		case p.step() == 0:
			c.u[i] = p.toUnit(value[i])
		default:
			c.from[i], c.to[i] = p.cell(value[i])
		}
	}
	return c
}

// newParzen fits a mixture to the points of trials, with a weight each; the prior's is 1. Widths gets the places of the
// trials on the scales of the numbers among the parameters, [number][trial], and the same of the bandwidths is wanted.
func newParzen(params []Param, trials []*Trial, weights []float64, widths func([][]float64) [][]float64) *parzen {
	d, n := len(params), len(trials)
	pz := &parzen{
		params: params, mu: make([][]float64, d), sigma: make([][]float64, d), lognorm: make([][]float64, d), words: make([][]float64, d),
	}
	total := 1.0
	for _, w := range weights {
		total += w
	}
	sum := 0.0
	for _, w := range append(slices.Clone(weights), 1) {
		sum += w / total
		pz.weight = append(pz.weight, sum)
		pz.logWeight = append(pz.logWeight, math.Log(w/total))
	}
	var numbers []int
	var places [][]float64
	for i, p := range params {
		observed := make([]float64, n)
		for k, t := range trials {
			observed[k] = t.Point[p.Name]
		}
		if p.Categorical() {
			pz.words[i] = wordKernels(len(p.Choices), observed)
			continue
		}
		for k, v := range observed {
			observed[k] = p.toUnit(v)
		}
		numbers, places = append(numbers, i), append(places, observed)
	}
	for j, sigma := range widths(places) {
		i := numbers[j]
		pz.mu[i], pz.sigma[i] = append(places[j], 0.5), append(sigma, 1)
		pz.lognorm[i] = make([]float64, n+1)
		for k, mu := range pz.mu[i] {
			sigma := pz.sigma[i][k]
			pz.lognorm[i][k] = math.Log(normalMass(-mu/sigma, (1-mu)/sigma))
			if params[i].step() == 0 {
				pz.lognorm[i][k] += math.Log(sigma * math.Sqrt(2*math.Pi))
			}
		}
	}
	return pz
}

// wordKernels returns the kernels of a categorical parameter, [kernel][choice]: of n+1 kernels, each gives every choice the
// weight 1/(n+1), and the observed choice 1 more; the last one has no observed choice.
func wordKernels(choices int, observed []float64) []float64 {
	n := len(observed)
	kernels := make([]float64, (n+1)*choices)
	small := 1 / float64(n+1)
	for k := range n + 1 {
		row := kernels[k*choices : (k+1)*choices]
		total := small * float64(choices)
		if k < n {
			total++
		}
		for c := range row {
			row[c] = small / total
		}
		if k < n {
			row[int(observed[k])] += 1 / total
		}
	}
	return kernels
}

// sample draws a point.
func (pz *parzen) sample(rng *rand.Rand) candidate {
	k, _ := slices.BinarySearch(pz.weight, rng.Float64())
	k = min(k, len(pz.weight)-1)
	value := make([]float64, len(pz.params))
	for i, p := range pz.params {
		if p.Categorical() {
			n := len(p.Choices)
			u := rng.Float64()
			for c, w := range pz.words[i][k*n : (k+1)*n] {
				value[i] = float64(c)
				if u -= w; u < 0 {
					break
				}
			}
			continue
		}
		mu, sigma := pz.mu[i][k], pz.sigma[i][k]
		a, b := math.Erf(-mu/sigma/math.Sqrt2), math.Erf((1-mu)/sigma/math.Sqrt2)
		x := mu + sigma*math.Sqrt2*math.Erfinv(a+rng.Float64()*(b-a))
		value[i] = p.fromUnit(min(max(x, 0), 1))
	}
	return candidateAt(pz.params, value)
}

// logDensity returns the logarithm of the mixture's density (a probability in the parameters that have steps or choices).
// The buffer has room for a number a kernel.
func (pz *parzen) logDensity(c candidate, buffer []float64) float64 {
	logs := buffer[:len(pz.logWeight)]
	copy(logs, pz.logWeight)
	for i, p := range pz.params {
		switch {
		case p.Categorical():
			n, choice := len(p.Choices), int(c.value[i])
			for k := range logs {
				logs[k] += math.Log(pz.words[i][k*n+choice])
			}
		case p.step() == 0:
			u, mu, sigma, lognorm := c.u[i], pz.mu[i], pz.sigma[i], pz.lognorm[i]
			for k := range logs {
				z := (u - mu[k]) / sigma[k]
				logs[k] -= z*z/2 + lognorm[k]
			}
		default:
			mu, sigma, lognorm := pz.mu[i], pz.sigma[i], pz.lognorm[i]
			for k := range logs {
				logs[k] += math.Log(normalMass((c.from[i]-mu[k])/sigma[k], (c.to[i]-mu[k])/sigma[k])) - lognorm[k]
			}
		}
	}
	largest := slices.Max(logs)
	total := 0.0
	for _, v := range logs {
		if d := v - largest; d > -40 {
			total += math.Exp(d)
		}
	}
	return largest + math.Log(total)
}

// normalMass returns the probability that a standard normal variable lies in [a, b], exact also far from 0.
func normalMass(a, b float64) float64 {
	if a > 0 {
		a, b = -b, -a
	}
	if b > 0 {
		return (math.Erf(b/math.Sqrt2) - math.Erf(a/math.Sqrt2)) / 2
	}
	return (math.Erfc(-b/math.Sqrt2) - math.Erfc(-a/math.Sqrt2)) / 2
}
