package metric

// F1Statistic is F1 at a threshold as a [Statistic]. Two taggers with thresholds of their own are compared by [Difference].
type F1Statistic struct {
	Average   Average // Macro unless it is Micro
	Threshold float64
}

// Prepare implements [Statistic].
func (f F1Statistic) Prepare(scores [][]float64, labels [][]bool) func(counts []int) float64 {
	tags := len(labels[0])
	outcomes := make([]uint8, 0, len(labels)*tags) // 1 predicted, 2 positive, 3 both
	for i, row := range labels {
		for t, positive := range row {
			var o uint8
			if scores[i][t] >= f.Threshold {
				o |= 1
			}
			if positive {
				o |= 2
			}
			outcomes = append(outcomes, o)
		}
	}
	return func(counts []int) float64 {
		table := make([][4]int, tags) // by tag and outcome
		for i, n := range counts {
			if n == 0 {
				continue
			}
			for t, o := range outcomes[i*tags : (i+1)*tags] {
				table[t][o] += n
			}
		}
		var all confusion
		var macro float64
		for _, c := range table {
			one := confusion{tp: c[3], fp: c[1], fn: c[2]}
			all.tp, all.fp, all.fn = all.tp+one.tp, all.fp+one.fp, all.fn+one.fn
			macro += one.f1()
		}
		if f.Average == Micro {
			return all.f1()
		}
		return macro / float64(tags)
	}
}
