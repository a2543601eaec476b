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

// Sampling says how the items of a test set are drawn again. A draw depends on Seed and its number alone, so results are the same for
// any GOMAXPROCS; draws run in parallel.
type Sampling struct {
	Replicates int    // draws, at least 2; 1000 and more for an interval, 10,000 for a p-value of a thousandth
	Seed       uint64 // of PCG(Seed, number of the draw)
	// Groups names for each item the recording that it is a part of: recordings are drawn whole, since two crops of one are no two
	// observations. Nil when every item is a recording of its own.
	Groups []int
}

// clusters are the groups of items, numbered by their first appearance; of is nil where each item is its own.
type clusters struct {
	count int
	of    []int
}

// clusters checks the sampling of that many items.
func (s Sampling) clusters(items int) (clusters, error) {
	switch {
	case items < 1:
		return clusters{}, fmt.Errorf("%w: no items", ErrInvalid)
	case s.Replicates < 2:
		return clusters{}, fmt.Errorf("%w: %d replicates, want at least 2", ErrInvalid, s.Replicates)
	case s.Groups == nil:
		return clusters{count: items}, nil
	case len(s.Groups) != items:
		return clusters{}, fmt.Errorf("%w: groups of %d items, want %d", ErrInvalid, len(s.Groups), items)
	}
	c, number := clusters{of: make([]int, items)}, map[int]int{}
	for i, g := range s.Groups {
		k, seen := number[g]
		if !seen {
			k = len(number)
			number[g] = k
		}
		c.of[i] = k
	}
	c.count = len(number)
	return c, nil
}

// spread writes to each item the count of its group.
func (c clusters) spread(counts, groups []int) {
	if c.of == nil {
		copy(counts, groups)
		return
	}
	for i, k := range c.of {
		counts[i] = groups[k]
	}
}

// each calls work for 0 to n-1 on GOMAXPROCS goroutines, with two buffers of its goroutine: one count an item, one a group.
func (c clusters) each(n, items int, work func(r int, counts, groups []int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			counts, groups := make([]int, items), make([]int, c.count)
			for r := int(next.Add(1)) - 1; r < n; r = int(next.Add(1)) - 1 {
				work(r, counts, groups)
			}
		})
	}
	wg.Wait()
}

// bootstrap returns the statistic on each draw of groups with replacement, rising, without the draws where it is undefined.
func (s Sampling) bootstrap(c clusters, items int, statistic func(counts []int) float64) ([]float64, error) {
	draws := make([]float64, s.Replicates)
	c.each(s.Replicates, items, func(r int, counts, groups []int) {
		clear(groups)
		random := rand.New(rand.NewPCG(s.Seed, uint64(r)))
		for range groups {
			groups[random.IntN(len(groups))]++
		}
		c.spread(counts, groups)
		draws[r] = statistic(counts)
	})
	draws = slices.DeleteFunc(draws, math.IsNaN)
	if 2*len(draws) < s.Replicates {
		return nil, fmt.Errorf("%w: the statistic is undefined in %d of %d resamples", ErrInvalid, s.Replicates-len(draws), s.Replicates)
	}
	slices.Sort(draws)
	return draws, nil
}

// jackknife returns the statistic without each group in turn.
func (c clusters) jackknife(items int, statistic func(counts []int) float64) []float64 {
	out := make([]float64, c.count)
	c.each(c.count, items, func(r int, counts, groups []int) {
		for k := range groups {
			groups[k] = 1
		}
		groups[r] = 0
		c.spread(counts, groups)
		out[r] = statistic(counts)
	})
	return out
}

// onAll returns the statistic of all items once.
func onAll(items int, statistic func(counts []int) float64) (float64, error) {
	value := statistic(slices.Repeat([]int{1}, items))
	if math.IsNaN(value) {
		return 0, fmt.Errorf("%w: the statistic is undefined on these items", ErrInvalid)
	}
	return value, nil
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
