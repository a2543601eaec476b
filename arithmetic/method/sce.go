package method

import (
	"math"

	"syncretic/arithmetic/vec"
)

// selected is the combination of sce, whose masks and weights are known.
type selected struct {
	span
	all     bool // everything takes part
	cut     cut  // otherwise what lies above it, by variance
	weights []float32
}

// sce selects, calculates and erases: of the elements whose variance over the task vectors is not 0, the select_topk with the
// largest take part, of equal ones the first (mergekit leaves that open); each task vector weighs by its mean square after that,
// equally where the squares sum to less than 1e-6; elements that disagree with the sign of the sum (+ where it is 0) are erased.
// The sum of the weights that took part divides, at least 1e-6.
//
// It makes a pass to count, one to select (see cuts) and one for the squares; the first two only where select_topk is below 1.
func sce(t *Task) (kernel, error) {
	s := &selected{span: span{t.others(), t.base()}, all: true}
	if share := float32(t.Params["select_topk"]); len(s.models) > 0 && share < 1 {
		s.all = false
		s.cut = cut{bits: math.MaxUint32} // nothing lies above
		count, err := s.varying(t)
		if err != nil {
			return nil, err
		}
		if k := min(count, int(float32(count)*share)); k > 0 { // in float32, as mergekit does
			found, err := cutsOf(t, s.variances, []rank{{k: k}})
			if err != nil {
				return nil, err
			}
			s.cut = found[0]
		}
	}
	return s, s.weigh(t)
}

// variances are the values by which elements are selected: the population variance over the models, rounded to float32.
func (s *selected) variances(offset, n int, w *work) (func(int) ([]float32, error), error) {
	d, _, err := s.read(offset, n, w)
	if err != nil {
		return nil, err
	}
	v := variance(d, n, w)
	return func(int) ([]float32, error) { return v, nil }, nil
}

// variance is the variance of each element over n models, as Σ (d_i − d_j)²/n² over the pairs. Unlike a mean square of differences
// from the mean, that is 0 without rounding where all models agree, and does not depend on which of them it is that differs.
func variance(d [][]float32, n int, w *work) []float32 {
	v, x := w.block(n), w.block(n)
	clear(v)
	for i := range d {
		for j := range i {
			copy(x, d[i])
			vec.Sub(x, d[j])
			vec.AddSquare(v, x)
		}
	}
	vec.DivideBy(v, float32(len(d)*len(d)))
	return v
}

// varying counts the elements whose variance is not 0.
func (s *selected) varying(t *Task) (int, error) {
	parts, err := scan(t, func(part *int, offset, n int, w *work) error {
		v, err := values(s.variances).at(offset, n, 0, w)
		above, _ := vec.Between(v, 1, 1, nil) // magnitudes of 1 bit and more: all but 0
		*part += above
		return err
	})
	count := 0
	for _, p := range parts {
		count += p
	}
	return count, err
}

// masked reads the task vectors without what was not selected.
func (s *selected) masked(offset, n int, w *work) (d [][]float32, base []float32, err error) {
	d, base, err = s.read(offset, n, w)
	if err == nil && !s.all {
		s.mask(offset, d, w)
	}
	return d, base, err
}

// mask clears what was not selected.
func (s *selected) mask(offset int, d [][]float32, w *work) {
	n := len(d[0])
	v := variance(d, n, w)
	ties := s.cut.ties(offset, n)
	for _, d := range d {
		switch {
		case ties == noTies:
			vec.KeepWhere(d, v, s.cut.bits)
		case ties == allTies && s.cut.bits > 0:
			vec.KeepWhere(d, v, s.cut.bits-1)
		case ties == someTies:
			for i, x := range v {
				if !s.cut.above(vec.Magnitude(x), offset+i) {
					d[i] = 0
				}
			}
		}
	}
}

// weigh finds the weights.
func (s *selected) weigh(t *Task) error {
	squares := make([]float64, len(s.models))
	parts, err := scan(t, func(part *[]float64, offset, n int, w *work) error {
		if *part == nil {
			*part = make([]float64, len(s.models))
		}
		d, _, err := s.masked(offset, n, w)
		for m, d := range d {
			(*part)[m] += vec.Square(d)
		}
		return err
	})
	if err != nil {
		return err
	}
	sum := 0.0
	for m := range squares {
		for _, p := range parts {
			squares[m] += p[m] / float64(t.Elements())
		}
		if math.IsNaN(squares[m]) || math.IsInf(squares[m], 0) {
			return invalid("%s: mean square of the task vector is %v, want finite values", s.models[m].Model, squares[m])
		}
		sum += squares[m]
	}
	for _, square := range squares {
		weight := 1 / float64(len(squares))
		if sum >= 1e-6 {
			weight = square / sum
		}
		s.weights = append(s.weights, float32(weight))
	}
	return nil
}

func (s *selected) block(offset int, dst []float32, w *work) error {
	d, base, err := s.masked(offset, len(dst), w)
	if err != nil {
		return err
	}
	n := len(dst)
	sign, divisor := w.block(n), w.block(n)
	clear(sign)
	for _, d := range d {
		vec.Add(sign, d)
	}
	clear(dst)
	clear(divisor)
	for m, d := range d {
		vec.Scale(d, s.weights[m])
		vec.AddAgreeing(dst, divisor, d, sign, s.weights[m])
	}
	vec.AtLeast(divisor, 1e-6)
	vec.Divide(dst, divisor)
	vec.Add(dst, base)
	return nil
}
