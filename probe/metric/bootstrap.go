package metric

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Interval is a difference of two taggers with its 95 % percentile interval.
type Interval struct {
	Difference  float64 `json:"difference"`  // statistic(A) - statistic(B) over all items
	Low         float64 `json:"low"`         // 2.5 % quantile of the replicates' differences
	High        float64 `json:"high"`        // 97.5 % quantile
	Significant bool    `json:"significant"` // 0 lies outside [Low, High]
	Replicates  int     `json:"replicates"`  // resamples in which the statistic of both was defined
}

// PairedBootstrap draws the items with replacement, replicates times, computes statistic(A) - statistic(B) on each draw,
// the same items for both, and returns the difference over all items with the 2.5 % and 97.5 % quantiles of the draws
// (linear interpolation, as numpy's default). Efron and Tibshirani 1993, chapter 13. It covers the choice of test items
// only, not that of training seeds. Positive means that A is better.
//
// Draws in which either statistic is NaN are left out; Replicates counts the rest. Draw r uses PCG(seed, r), so the result
// is the same for any GOMAXPROCS; draws run in parallel. Errors: input that breaks the package's rules for either tagger,
// fewer than 2 replicates, a statistic that is undefined on all items or in more than half of the draws.
func PairedBootstrap(labels [][]bool, scoresA, scoresB [][]float64, statistic Statistic, replicates int, seed uint64) (Interval, error) {
	tags, err := validate(scoresA, labels)
	if err != nil {
		return Interval{}, fmt.Errorf("tagger A: %w", err)
	}
	if other, err := validate(scoresB, labels); err != nil {
		return Interval{}, fmt.Errorf("tagger B: %w", err)
	} else if other != tags {
		return Interval{}, fmt.Errorf("%w: tagger A scores %d tags, B %d", ErrInvalid, tags, other)
	}
	if replicates < 2 {
		return Interval{}, fmt.Errorf("%w: %d replicates, want at least 2", ErrInvalid, replicates)
	}
	ofA, ofB := statistic.Prepare(scoresA, labels), statistic.Prepare(scoresB, labels)
	once := slices.Repeat([]int{1}, len(labels))
	out := Interval{Difference: ofA(once) - ofB(once)}
	if math.IsNaN(out.Difference) {
		return Interval{}, fmt.Errorf("%w: the statistic is undefined on these items", ErrInvalid)
	}
	draws := make([]float64, replicates)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(replicates, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			counts := make([]int, len(labels))
			for r := int(next.Add(1)) - 1; r < replicates; r = int(next.Add(1)) - 1 {
				clear(counts)
				random := rand.New(rand.NewPCG(seed, uint64(r)))
				for range counts {
					counts[random.IntN(len(counts))]++
				}
				draws[r] = ofA(counts) - ofB(counts)
			}
		})
	}
	wg.Wait()
	draws = slices.DeleteFunc(draws, math.IsNaN)
	if out.Replicates = len(draws); 2*out.Replicates < replicates {
		return Interval{}, fmt.Errorf("%w: the statistic is undefined in %d of %d resamples", ErrInvalid, replicates-out.Replicates, replicates)
	}
	slices.Sort(draws)
	out.Low, out.High = quantile(draws, 0.025), quantile(draws, 0.975)
	out.Significant = out.Low > 0 || out.High < 0
	return out, nil
}

// quantile returns the q quantile of rising values, interpolated between the two nearest.
func quantile(rising []float64, q float64) float64 {
	at := q * float64(len(rising)-1)
	low := int(at)
	if low+1 >= len(rising) {
		return rising[len(rising)-1]
	}
	return rising[low] + (at-float64(low))*(rising[low+1]-rising[low])
}
