package metric

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// ranking holds the scores of the positives and of the negatives of one tag as keys, each rising. Both ranking metrics depend
// on nothing but their order, and two short sorts are cheaper than one sort of pairs.
type ranking struct {
	positives, negatives, scratch []uint64
}

// reset fills r with the pairs of one tag, or of all tags when tag is negative, reusing its buffers.
func (r *ranking) reset(scores [][]float64, labels [][]bool, tag int) {
	r.positives, r.negatives = r.positives[:0], r.negatives[:0]
	for i, row := range scores {
		if tag >= 0 {
			r.add(row[tag], labels[i][tag])
			continue
		}
		for t, s := range row {
			r.add(s, labels[i][t])
		}
	}
	r.positives, r.scratch = sortKeys(r.positives, r.scratch)
	r.negatives, r.scratch = sortKeys(r.negatives, r.scratch)
}

func (r *ranking) add(score float64, positive bool) {
	if positive {
		r.positives = append(r.positives, key(score))
	} else {
		r.negatives = append(r.negatives, key(score))
	}
}

// auc returns the probability that a positive scores above a negative, a tie counting half; NaN without both.
// With midranks R of all scores this is the Mann-Whitney form
//
//	(Σ R(positive) - P(P+1)/2) / (P·N)
//
// and equals the area under the ROC curve with straight lines through ties. The count is exact: it is a sum of halves.
func (r *ranking) auc() float64 {
	p, n := len(r.positives), len(r.negatives)
	if p == 0 || n == 0 {
		return math.NaN()
	}
	var twice float64 // two for each win, one for each tie
	below, upTo := 0, 0
	for _, s := range r.positives {
		for below < n && r.negatives[below] < s {
			below++
		}
		for upTo < n && r.negatives[upTo] <= s {
			upTo++
		}
		twice += float64(below + upTo)
	}
	return twice / 2 / (float64(p) * float64(n))
}

// averagePrecision returns Σ (R_n - R_(n-1)) P_n over the distinct scores from the highest down, P and R being precision
// and recall of "score >= that score"; 0 without positives.
func (r *ranking) averagePrecision() float64 {
	p := len(r.positives)
	var sum float64
	tp, fp := 0, 0
	for tp < p {
		s := r.positives[p-1-tp]
		before := tp
		for tp < p && r.positives[p-1-tp] == s {
			tp++
		}
		for fp < len(r.negatives) && r.negatives[len(r.negatives)-1-fp] >= s {
			fp++
		}
		sum += float64(tp-before) / float64(p) * (float64(tp) / float64(tp+fp))
	}
	return sum
}

// ROCAUC returns the area under the ROC curve: the probability that a random positive scores above a random negative,
// ties counting half (midranks). Hanley and McNeil 1982; equal to scikit-learn's roc_auc_score.
//
// Scores and labels are [items][tags]. A tag without positives or without negatives is NaN in PerTag, is left out of
// Macro and is counted in LeftOut; Macro is NaN when every tag is. Micro is NaN when all labels are equal. Cost: a sort
// of the items for each tag, and one of all pairs.
func ROCAUC(scores [][]float64, labels [][]bool) (Summary, error) {
	tags, err := validate(scores, labels)
	if err != nil {
		return Summary{}, err
	}
	return summarise(scores, labels, tags, (*ranking).auc)[0], nil
}

// AveragePrecision returns the step-wise area under the precision-recall curve,
//
//	AP = Σ_n (R_n - R_(n-1)) · P_n
//
// over the distinct scores from the highest down, without interpolation; its macro mean is the mAP of the tagging
// literature. Equal to scikit-learn's average_precision_score, including 0 for a tag without positives, which counts
// in Macro: LeftOut is always 0.
func AveragePrecision(scores [][]float64, labels [][]bool) (Summary, error) {
	tags, err := validate(scores, labels)
	if err != nil {
		return Summary{}, err
	}
	return summarise(scores, labels, tags, (*ranking).averagePrecision)[0], nil
}

// pairsEach is how many pairs a goroutine of summarise must have to be worth its start.
const pairsEach = 1 << 16

// summarise computes ranking metrics of validated input per tag, macro and micro; they share the sorting. The tags, and all pairs as one
// more of them, are shared out among GOMAXPROCS goroutines, and no value depends on which had it. Memory: 16 bytes a pair for the micro
// average, and 16 an item for each goroutine.
func summarise(scores [][]float64, labels [][]bool, tags int, metrics ...func(*ranking) float64) []Summary {
	out := make([]Summary, len(metrics))
	for k := range out {
		out[k].PerTag = make([]float64, tags)
	}
	var next atomic.Int64
	work := func() {
		r := &ranking{}
		for t := int(next.Add(1)) - 2; t < tags; t = int(next.Add(1)) - 2 { // from -1, all pairs, which take longest
			r.reset(scores, labels, t)
			for k, of := range metrics {
				if t < 0 {
					out[k].Micro = of(r)
				} else {
					out[k].PerTag[t] = of(r)
				}
			}
		}
	}
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), tags+1, 1+len(scores)*tags/pairsEach) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	for k := range out {
		out[k].Macro, out[k].LeftOut = mean(out[k].PerTag)
	}
	return out
}

// mean returns the mean of the values that are not NaN (NaN when there are none) and the number of those that are.
func mean(values []float64) (mean float64, leftOut int) {
	var sum float64
	for _, v := range values {
		if math.IsNaN(v) {
			leftOut++
			continue
		}
		sum += v
	}
	if leftOut == len(values) {
		return math.NaN(), leftOut
	}
	return sum / float64(len(values)-leftOut), leftOut
}
