package method

import "syncretic/arithmetic/vec"

// takeLargest takes, of each element, the weighted task vector with the largest magnitude; of equal ones the first. MagMax,
// arXiv 2407.06322.
type takeLargest struct{}

func (takeLargest) combine(sum, _ []float32, deltas [][]float32, _ []float32, _ *work) {
	copy(sum, deltas[0])
	for _, d := range deltas[1:] {
		for i, x := range d {
			if vec.Magnitude(x) > vec.Magnitude(sum[i]) {
				sum[i] = x
			}
		}
	}
}

// unify takes the sign of the sum and, of the task vectors with that sign, the largest magnitude: the unified vector of EMR
// merging (arXiv 2405.17461, section 3.2). Where the sum is 0 so is the result. The per-task masks and scales of EMR, which
// need to know the task at inference, are not part of a merge.
type unify struct{}

func (unify) combine(sum, _ []float32, deltas [][]float32, _ []float32, w *work) {
	sign := w.block(len(sum))
	total(sign, deltas)
	clear(sum)
	for _, d := range deltas {
		for i, x := range d {
			if (sign[i] > 0 && x > sum[i]) || (sign[i] < 0 && x < sum[i]) {
				sum[i] = x
			}
		}
	}
}

// standOut adds the task vectors where at least k of them stand out from the others' sum: TALL masks and consensus merging,
// arXiv 2405.07813, equations 4 and 6. Vectors take part with their weights.
type standOut struct {
	k      int
	lambda []float32 // a model
}

func agreement(t *Task) combiner {
	s := standOut{k: int(t.Params["k"])}
	for _, in := range t.others() {
		s.lambda = append(s.lambda, float32(in.Params["tall_lambda"]))
	}
	return s
}

func (s standOut) combine(sum, _ []float32, deltas [][]float32, _ []float32, _ *work) {
	total(sum, deltas)
	for i, all := range sum {
		votes := 0
		for j, d := range deltas {
			if abs(d[i]) > s.lambda[j]*abs(all-d[i]) {
				votes++
			}
		}
		if votes < s.k {
			sum[i] = 0
		}
	}
}

func abs(x float32) float32 {
	if x < 0 {
		return -x
	}
	return x
}
