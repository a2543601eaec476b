package metric

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Permutation is the outcome of a paired permutation test.
type Permutation struct {
	Difference float64 `json:"difference"` // statistic(A) - statistic(B) over all items
	P          float64 `json:"p"`          // two-sided: how often a difference as large comes about when A and B are exchangeable
	Replicates int     `json:"replicates"` // exchanges that were tried
	Exact      bool    `json:"exact"`      // they are all that exist
}

// PairedPermutation tests whether two taggers differ: under the null hypothesis it does not matter which of the two said what of a
// recording, so exchanging their scores on any set of recordings gives a difference that is as likely (Fisher 1935; for such statistics
// Noreen 1989 and Yeh 2000, cs/0008005). P is the share of exchanges whose difference is at least as far from 0, the data as they are
// counting as one: (1 + k)/(1 + Replicates) of random exchanges (Phipson and Smyth 2010), or k/2^n where all 2^n exchanges of n
// recordings are no more than Replicates, and are all tried.
//
// Beside the interval of [PairedBootstrap] it gives a p-value that is right on few recordings too, where percentile intervals run
// short, and that [Holm] can correct over several test sets. Taggers on different scales (logits, probabilities) are never alike row
// by row: for a [RankStatistic] scores are therefore replaced by their midranks within tagger and tag, which leaves the difference as
// it is. [F1Statistic], and what judges each row by itself, needs no such care; for anything else bring them to one scale first.
//
// Errors are those of PairedBootstrap, and groups of another number of items.
func PairedPermutation(labels [][]bool, scoresA, scoresB [][]float64, statistic Statistic, s Sampling) (Permutation, error) {
	if err := validatePair(labels, scoresA, scoresB); err != nil {
		return Permutation{}, err
	}
	if _, ranked := statistic.(RankStatistic); ranked {
		scoresA, scoresB = midranks(scoresA), midranks(scoresB)
	}
	return Exchange(len(labels), statistic.Prepare(slices.Concat(scoresA, scoresB), slices.Concat(labels, labels)), s)
}

// Exchange is [PairedPermutation] of any statistic, prepared on the rows of A followed by the rows of B in the same order of items:
// an exchange is then a choice of one row of each item for the one tagger, and of the other rows for the other.
func Exchange(items int, pooled func(counts []int) float64, s Sampling) (Permutation, error) {
	c, err := s.clusters(items)
	if err != nil {
		return Permutation{}, err
	}
	// difference takes the exchange from the second half of counts: 1 for each item whose scores are exchanged.
	difference := func(counts []int) float64 {
		for i := range items {
			counts[i] = 1 - counts[items+i]
		}
		own := pooled(counts)
		for k, v := range counts {
			counts[k] = 1 - v
		}
		return own - pooled(counts)
	}
	out := Permutation{Difference: difference(make([]int, 2*items)), Replicates: s.Replicates}
	if math.IsNaN(out.Difference) {
		return Permutation{}, fmt.Errorf("%w: the statistic is undefined on these items", ErrInvalid)
	}
	if c.count < 62 && 1<<c.count <= s.Replicates {
		out.Exact, out.Replicates = true, 1<<c.count
	}
	draws := make([]float64, out.Replicates)
	c.each(out.Replicates, 2*items, func(r int, counts, groups []int) {
		random := rand.New(rand.NewPCG(s.Seed, uint64(r)))
		for k := range groups {
			groups[k] = int(random.Uint64() >> 63)
			if out.Exact {
				groups[k] = r >> k & 1
			}
		}
		c.spread(counts[items:], groups)
		draws[r] = difference(counts)
	})
	if slices.ContainsFunc(draws, math.IsNaN) { // no statistic of this package: each draw holds the labels of every item once
		return Permutation{}, fmt.Errorf("%w: the statistic is undefined after some exchanges", ErrInvalid)
	}
	asFar := 0
	for _, d := range draws {
		if math.Abs(d) >= math.Abs(out.Difference)-roundings {
			asFar++
		}
	}
	if out.Exact {
		out.P = float64(asFar) / float64(out.Replicates)
	} else {
		out.P = float64(1+asFar) / float64(1+out.Replicates)
	}
	return out, nil
}

// roundings is how far two differences may be apart that are equal but for the order of sums.
const roundings = 1e-12

// midranks returns the rank of each score within its tag, the mean rank of equals.
func midranks(scores [][]float64) [][]float64 {
	tags := len(scores[0])
	flat, out := make([]float64, len(scores)*tags), make([][]float64, len(scores))
	for i := range out {
		out[i] = flat[i*tags : (i+1)*tags]
	}
	for t := range tags {
		order := sortedItems(scores, t)
		for first := 0; first < len(order); {
			last := first
			for last+1 < len(order) && order[last+1].score == order[first].score {
				last++
			}
			for _, o := range order[first : last+1] {
				out[o.item][t] = -float64(first+last) / 2 // order falls, ranks rise
			}
			first = last + 1
		}
	}
	return out
}
