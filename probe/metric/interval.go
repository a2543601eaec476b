package metric

import (
	"fmt"
	"math"
)

// Estimate is a statistic of one tagger with its 95 % interval.
type Estimate struct {
	Value      float64 `json:"value"`      // over all items
	Low        float64 `json:"low"`        // end of the interval below
	High       float64 `json:"high"`       // and above
	Replicates int     `json:"replicates"` // resamples in which the statistic was defined
}

// Bootstrap returns a statistic of the items with its percentile interval: recordings are drawn with replacement, and the interval
// runs from the 2.5 % to the 97.5 % quantile of the draws (linear interpolation, as numpy's default). Efron and Tibshirani 1993,
// chapter 13. It covers the choice of test recordings only, not that of training seeds.
//
// The statistic is a function of how often each item counts, NaN where it is undefined, safe for concurrent use: what the Prepare
// methods of this package return. Draws in which it is NaN are left out; Replicates counts the rest. Errors, which wrap [ErrInvalid]: no
// items, fewer than 2 replicates, groups of another number of items, a statistic that is undefined on all items or in more than half
// of the draws.
func Bootstrap(items int, statistic func(counts []int) float64, s Sampling) (Estimate, error) {
	c, err := s.clusters(items)
	if err != nil {
		return Estimate{}, err
	}
	value, err := onAll(items, statistic)
	if err != nil {
		return Estimate{}, err
	}
	draws, err := s.bootstrap(c, items, statistic)
	if err != nil {
		return Estimate{}, err
	}
	return Estimate{Value: value, Low: quantile(draws, tail), High: quantile(draws, 1-tail), Replicates: len(draws)}, nil
}

// tail is what a 95 % interval leaves out at each end.
const tail = 0.025

// BCa is [Bootstrap] with the bias-corrected and accelerated interval (Efron 1987; Efron and Tibshirani 1993, section 14.3), which
// covers better where the statistic is skewed or biased, as areas near 1 are: the quantiles that bound the draws are
//
//	Φ(z0 + (z0 ± 1.96) / (1 - a·(z0 ± 1.96)))
//
// with z0 = Φ⁻¹ of the share of draws below the value, ties counting half, and the acceleration a from the statistic without each
// recording in turn. That costs as many evaluations more as there are recordings: for very many use Bootstrap, from which it then
// hardly differs. A recording without which the statistic is undefined is left out of a.
//
// Errors are Bootstrap's, and one where all draws lie on one side of the value, or none differs from another: the correction is
// infinite or undefined then.
func BCa(items int, statistic func(counts []int) float64, s Sampling) (Estimate, error) {
	c, err := s.clusters(items)
	if err != nil {
		return Estimate{}, err
	}
	value, err := onAll(items, statistic)
	if err != nil {
		return Estimate{}, err
	}
	draws, err := s.bootstrap(c, items, statistic)
	if err != nil {
		return Estimate{}, err
	}
	out := Estimate{Value: value, Replicates: len(draws)}
	out.Low, out.High, err = bca(value, draws, c.jackknife(items, statistic))
	return out, err
}

// bca returns the ends of the interval from the rising draws and the jackknife's values.
func bca(value float64, draws, jackknife []float64) (low, high float64, err error) {
	var below float64
	for _, d := range draws {
		switch {
		case d < value:
			below++
		case d == value:
			below += 0.5
		}
	}
	z0 := normalQuantile(below / float64(len(draws)))
	if math.IsInf(z0, 0) || draws[0] == draws[len(draws)-1] {
		return 0, 0, fmt.Errorf("%w: all resamples lie on one side of the statistic's value %.6g, or on it: no BCa interval; use percentiles", ErrInvalid, value)
	}
	a := acceleration(jackknife)
	at := func(z float64) float64 {
		z += z0
		return quantile(draws, normalCDF(z0+z/(1-a*z)))
	}
	z := normalQuantile(1 - tail)
	return at(-z), at(z), nil
}

// acceleration is Σ u³ / (6 (Σ u²)^1.5) of the distances u of the values below their mean, 0 where all are equal.
func acceleration(jackknife []float64) float64 {
	centre, _ := mean(jackknife)
	var square, cube float64
	for _, v := range jackknife {
		if !math.IsNaN(v) {
			u := centre - v
			square += u * u
			cube += u * u * u
		}
	}
	if square == 0 {
		return 0
	}
	return cube / (6 * math.Pow(square, 1.5))
}

func normalCDF(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

func normalQuantile(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }
