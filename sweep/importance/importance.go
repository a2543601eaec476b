// Package importance says which parameters of a search mattered, from its finished trials alone.
//
// The method is PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023, arXiv 2304.10255) with the regimes of conditional
// PED-ANOVA (arXiv 2601.20800): how far the values of a parameter among the best tenth of the trials are distributed
// differently from its values among all trials. A parameter that the best trials hold where all others hold it too did not
// matter. It is the one method here, and not fANOVA's random forest beside it, since it has no random choice, costs one pass
// over the trials, and needs no value made up where a parameter does not exist. Optuna shows the same by default; where its figures
// must be met to the last digit, see [Options].
//
//	for _, share := range importance.PEDANOVA(space, trials, importance.Options{Direction: search.Maximize}) {
//		fmt.Printf("%-12s %.0f %%\n", share.Name, 100*share.Value)
//	}
package importance

import (
	"cmp"
	"math"
	"slices"

	"syncretic/sweep/search"
)

const (
	best        = 0.1   // share of the trials whose values of a parameter are compared with those of all
	fewest      = 2     // trials of a regime, below which it is passed over
	unreachable = 1e-12 // added to densities, which are divided by
)

// Share is how much one parameter mattered. The values of all parameters sum to 1.
type Share struct {
	Name   string
	Value  float64
	Trials int // in which the parameter exists, of those that the estimate rests on
}

// Options say what a trial is judged by.
type Options struct {
	Objective int              // index into a trial's Values
	Direction search.Direction // of that objective

	// Optuna smooths the estimates of categorical parameters as Optuna 5.0 does, for figures that equal those of its dashboard. Its
	// kernels are the wider the fewer choices occur: where the best trials all hold one of six choices, that choice gets 3/8 of the
	// estimate, and so a parameter that decides everything seems to decide little. Without this, the estimate is what the trials are
	// and one more, spread over all choices.
	Optuna bool
}

// PEDANOVA estimates how much each parameter of the space decides whether a trial is among the best tenth by one objective,
// best first; equal ones stay in the space's order. It rests on COMPLETE trials with a finite value of the objective, whether
// or not they keep their constraints. With
//
//	D = sum over cells x of a parameter's grid of p_all(x) (p_best(x)/p_all(x) − 1)²
//
// where p are Parzen estimates by Scott's rule over at most 50 cells, a parameter that exists in every trial has importance D. One
// that exists under a condition has D among the trials where it exists, times (share of them in the best tenth)² / (share of them
// in all trials): a parameter matters little where the best trials do not have it. Shares are these, divided by their sum.
//
// The answer is nil when nothing can be said: fewer than two such trials, or a best tenth that is distributed as all are. Unlike
// this, Optuna then gives every parameter the same share. The same trials give the same answer in whatever order they come, but for
// the rounding of sums. Cost: trials × parameters, and 50² a parameter.
func PEDANOVA(space search.Space, trials []search.Trial, o Options) []Share {
	region := slices.DeleteFunc(slices.Clone(trials), func(t search.Trial) bool {
		return t.State != search.Complete || o.Objective < 0 || o.Objective >= len(t.Values) || math.IsNaN(t.Values[o.Objective]) || math.IsInf(t.Values[o.Objective], 0)
	})
	if len(region) < fewest {
		return nil
	}
	target := top(region, o)
	shares := make([]Share, len(space))
	var sum float64
	for i, p := range space {
		all, good := cells(p, region), cells(p, target)
		shares[i] = Share{Name: p.Name, Trials: all.trials}
		if all.trials < fewest || good.trials == 0 || len(all.counts) < 2 {
			continue
		}
		inBest, inAll := float64(good.trials)/float64(len(target)), float64(all.trials)/float64(len(region))
		shares[i].Value = inBest * inBest / inAll * divergence(good.density(p, o.Optuna), all.density(p, o.Optuna))
		sum += shares[i].Value
	}
	if !(sum > 0) || len(target) == len(region) {
		return nil
	}
	for i := range shares {
		shares[i].Value /= sum
	}
	slices.SortStableFunc(shares, func(a, b Share) int { return cmp.Compare(b.Value, a.Value) })
	return shares
}

// top is the best tenth of the trials, rounded up, with all that are as good as the last of them.
func top(trials []search.Trial, o Options) []search.Trial {
	loss := func(t search.Trial) float64 {
		if o.Direction == search.Maximize {
			return -t.Values[o.Objective]
		}
		return t.Values[o.Objective]
	}
	losses := make([]float64, len(trials))
	for i, t := range trials {
		losses[i] = loss(t)
	}
	slices.Sort(losses)
	cutoff := losses[int(math.Ceil(best*float64(len(losses))))-1]
	return slices.DeleteFunc(slices.Clone(trials), func(t search.Trial) bool { return loss(t) > cutoff })
}

// divergence is Pearson's: sum q (p/q − 1)².
func divergence(p, q []float64) float64 {
	var sum float64
	for i := range p {
		over := (p[i]+unreachable)/(q[i]+unreachable) - 1
		sum += (q[i] + unreachable) * over * over
	}
	return sum
}
