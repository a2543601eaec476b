package method

import (
	"math"

	"syncretic/arithmetic/vec"
)

// stock is t·(Σ θ_i)/n + (1−t) θ_0, with its own t for each vector of a partition.
type stock struct {
	span
	base  *Input
	parts partition
	ratio []float32 // t
}

// modelStock goes from the base toward the mean of the models as far as their angles advise: where the task vectors are
// orthogonal they are noise around the base, and t is 0; where they agree, t is 1. cos is the mean over all pairs, with products
// of norms below 1e-6 counted as 1e-6. It is not held at 0: opposed task vectors give a negative t, as in mergekit. Where
// 1+(n−1) cos is 0, the result is the base.
func modelStock(t *Task) (kernel, error) {
	p := t.whole()
	if t.Params.on("filter_wise") {
		p = t.byRow()
	}
	models := t.others()
	ratio, err := span{models, t.base()}.solve(t, p, 1, stockRatio)
	return &stock{span{models: models}, t.base(), p, ratio}, err
}

func stockRatio(g gram, c []float32) error {
	var sum float64
	for i := range g.n {
		for j := i + 1; j < g.n; j++ {
			sum += clamp(g.at(i, j)/max(1e-6, g.norm(i)*g.norm(j)), -1, 1)
		}
	}
	n := float64(g.n)
	cos := sum / (n * (n - 1) / 2)
	if divisor := 1 + (n-1)*cos; math.Abs(divisor) >= 1e-6 {
		c[0] = float32(n * cos / divisor)
	}
	return nil
}

func (s *stock) block(offset int, dst []float32, w *work) error {
	if err := s.base.read(offset, dst); err != nil {
		return err
	}
	x, _, err := s.read(offset, len(dst), w)
	if err != nil {
		return err
	}
	s.parts.runs(offset, len(dst), func(v, lo, hi int) {
		t := s.ratio[v]
		if t == 0 {
			return
		}
		mean := x[0][lo:hi]
		for _, y := range x[1:] {
			vec.Add(mean, y[lo:hi])
		}
		out := dst[lo:hi]
		vec.Scale(out, 1-t)
		vec.AddScaled(out, t/float32(len(x)), mean)
	})
	return nil
}
