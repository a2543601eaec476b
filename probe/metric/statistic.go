package metric

import (
	"math"
	"slices"
)

// Statistic is one number of scores [items][tags] and labels [items][tags], for [PairedBootstrap]: [MacroROCAUC],
// [MacroAveragePrecision], or any function as a [Func].
type Statistic interface {
	// Prepare returns the statistic as a function of how often each item counts, NaN where it is undefined. That function
	// must be safe for concurrent use. The input is valid and stays unchanged while the function is in use.
	Prepare(scores [][]float64, labels [][]bool) func(counts []int) float64
}

// RankStatistic is a Statistic that depends on the order of scores only: it sorts once, not in each draw.
type RankStatistic int

const (
	// MacroROCAUC is the Macro of [ROCAUC].
	MacroROCAUC RankStatistic = iota
	// MacroAveragePrecision is the mean average precision of the tags that have a positive. Unlike the Macro of
	// [AveragePrecision] it leaves the other tags out: a draw may miss a rare tag, and counting that as 0 would add noise
	// that says nothing about the taggers.
	MacroAveragePrecision
)

// Prepare implements [Statistic].
func (k RankStatistic) Prepare(scores [][]float64, labels [][]bool) func(counts []int) float64 {
	if k == MacroAveragePrecision {
		return macroOf(weightedAveragePrecision, scores, labels)
	}
	return macroOf(weightedAUC, scores, labels)
}

// Func is a Statistic by its plain definition. It is called with rows repeated, must be safe for concurrent use and must
// not change them.
type Func func(scores [][]float64, labels [][]bool) float64

// Prepare implements [Statistic].
func (f Func) Prepare(scores [][]float64, labels [][]bool) func(counts []int) float64 {
	return func(counts []int) float64 {
		s, l := make([][]float64, 0, len(scores)), make([][]bool, 0, len(labels))
		for i, count := range counts {
			for range count {
				s, l = append(s, scores[i]), append(l, labels[i])
			}
		}
		return f(s, l)
	}
}

// macroOf returns the mean over the tags of a ranking metric, which is NaN for a tag where it is undefined.
func macroOf(metric func([]rankedItem, []int) float64, scores [][]float64, labels [][]bool) func(counts []int) float64 {
	ranked := make([][]rankedItem, len(labels[0]))
	for tag := range ranked {
		ranked[tag] = rank(scores, labels, tag)
	}
	return func(counts []int) float64 {
		var sum float64
		defined := 0
		for _, items := range ranked {
			if v := metric(items, counts); !math.IsNaN(v) {
				sum += v
				defined++
			}
		}
		if defined == 0 {
			return math.NaN()
		}
		return sum / float64(defined)
	}
}

// rankedItem is an item's place in the order of one tag's scores.
type rankedItem struct {
	item     int32
	last     bool // of the items with its score
	positive int  // all bits set for a positive, 0 for a negative: a mask instead of a branch that nothing predicts
}

// scored is an item with its score.
type scored struct {
	score float64
	item  int32
}

// sortedItems orders the items by their scores of one tag, from the highest down; the order of equals does not matter.
func sortedItems(scores [][]float64, tag int) []scored {
	order := make([]scored, len(scores))
	for i, row := range scores {
		order[i] = scored{row[tag], int32(i)}
	}
	slices.SortFunc(order, func(a, b scored) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	return order
}

// rank marks in the order of one tag's scores where each ends, and the positives.
func rank(scores [][]float64, labels [][]bool, tag int) []rankedItem {
	order := sortedItems(scores, tag)
	out := make([]rankedItem, len(order))
	for k, o := range order {
		out[k].item = o.item
		out[k].last = k+1 == len(order) || o.score != order[k+1].score
		if labels[o.item][tag] {
			out[k].positive = -1
		}
	}
	return out
}

// weightedAUC is ranking.auc with repeated items; the sums are of integers, so it is the same to the last bit.
func weightedAUC(items []rankedItem, counts []int) float64 {
	var twice, above, positives, negatives int // above: positives that score higher
	p, n := 0, 0                               // of the current score
	for _, r := range items {
		count := counts[r.item]
		p += count & r.positive
		n += count &^ r.positive
		if r.last {
			twice += n * (2*above + p)
			above += p
			positives, negatives = positives+p, negatives+n
			p, n = 0, 0
		}
	}
	if positives == 0 || negatives == 0 {
		return math.NaN()
	}
	return float64(twice) / 2 / (float64(positives) * float64(negatives))
}

// weightedAveragePrecision is ranking.averagePrecision with repeated items, but NaN without positives.
func weightedAveragePrecision(items []rankedItem, counts []int) float64 {
	total := 0
	for _, r := range items {
		total += counts[r.item] & r.positive
	}
	if total == 0 {
		return math.NaN()
	}
	var sum float64
	tp, fp, before := 0, 0, 0
	for _, r := range items {
		count := counts[r.item]
		tp += count & r.positive
		fp += count &^ r.positive
		if r.last && tp > before {
			sum += float64(tp-before) / float64(total) * (float64(tp) / float64(tp+fp))
			before = tp
		}
	}
	return sum
}
