package metric

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// F1 returns the harmonic mean of precision and recall,
//
//	F1 = 2·TP / (2·TP + FP + FN)
//
// where a pair is predicted when its score >= threshold. Macro is the mean over tags, Micro uses the counts of all tags
// together. Equal to scikit-learn's f1_score with zero_division=0: a tag with TP = FP = FN = 0 is 0 and counts. Scores and
// labels are [items][tags]; a threshold that is NaN is an error.
func F1(scores [][]float64, labels [][]bool, threshold float64) (F1Summary, error) {
	tags, err := validate(scores, labels)
	if err != nil {
		return F1Summary{}, err
	}
	if math.IsNaN(threshold) {
		return F1Summary{}, fmt.Errorf("%w: threshold is NaN", ErrInvalid)
	}
	counts := make([]confusion, tags)
	for i, row := range scores {
		for t, s := range row {
			counts[t].add(s >= threshold, labels[i][t])
		}
	}
	out := F1Summary{Threshold: threshold, PerTag: make([]float64, tags)}
	var all confusion
	for t, c := range counts {
		out.PerTag[t] = c.f1()
		all.tp, all.fp, all.fn = all.tp+c.tp, all.fp+c.fp, all.fn+c.fn
	}
	out.Macro, _ = mean(out.PerTag)
	out.Micro = all.f1()
	return out, nil
}

// confusion counts true positives, false positives and false negatives.
type confusion struct{ tp, fp, fn int }

func (c *confusion) add(predicted, positive bool) {
	switch {
	case predicted && positive:
		c.tp++
	case predicted:
		c.fp++
	case positive:
		c.fn++
	}
}

func (c confusion) f1() float64 {
	if c.tp == 0 {
		return 0
	}
	return 2 * float64(c.tp) / float64(2*c.tp+c.fp+c.fn)
}

// Average says how the values of several tags become one.
type Average int

// The averages.
const (
	Macro Average = iota // mean of the per-tag values
	Micro                // all pairs as one tag
)

// BestThreshold returns the score that, as the one threshold of all tags, gives the highest F1 of the given average, and
// that F1. Among equals the highest threshold wins. Choose it on validation items: on test items it would be a leak.
// Candidates are the scores that occur; cost is a sort of all pairs and one pass over them.
func BestThreshold(scores [][]float64, labels [][]bool, average Average) (threshold, f1 float64, err error) {
	tags, err := validate(scores, labels)
	if err != nil {
		return 0, 0, err
	}
	if average != Macro && average != Micro {
		return 0, 0, fmt.Errorf("%w: average is %d, want Macro or Micro", ErrInvalid, average)
	}
	type pair struct {
		score    float64
		tag      int
		positive bool
	}
	pairs := make([]pair, 0, len(scores)*tags)
	counts := make([]confusion, tags)
	var all confusion
	for i, row := range scores {
		for t, s := range row {
			pairs = append(pairs, pair{s, t, labels[i][t]})
			if labels[i][t] {
				counts[t].fn++
				all.fn++
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(b.score, a.score) })
	values := make([]float64, tags)
	threshold, f1 = pairs[0].score, -1
	for i, p := range pairs {
		move(&counts[p.tag], p.positive)
		move(&all, p.positive)
		values[p.tag] = counts[p.tag].f1()
		if i+1 < len(pairs) && pairs[i+1].score == p.score {
			continue // the threshold lies between distinct scores
		}
		value := all.f1()
		if average == Macro {
			value, _ = mean(values)
		}
		if value > f1 {
			threshold, f1 = p.score, value
		}
	}
	return threshold, f1, nil
}

// move counts one more pair as predicted.
func move(c *confusion, positive bool) {
	if positive {
		c.tp++
		c.fn--
	} else {
		c.fp++
	}
}
