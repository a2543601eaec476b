package taskvector

import (
	"math"

	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// Loss is how far a stored vector is from the one it was made from: ‖τ − stored‖ / ‖τ‖, Euclidean norms, 0 where nothing is lost.
type Loss struct {
	Relative float64 // over all tensors
	Worst    float64 // of the tensor where it is largest
	Tensor   string  // that tensor, "" where nothing is lost
}

// lossElements is the length of one partial sum. It is part of the result: sums are joined in order, so that they do not depend
// on how many cores share them.
const lossElements = 1 << 17

// Lost measures what a form lost: tau is the vector, approx what [Decode] gives. They must have the same tensors. It reads both
// once, several ranges at a time. A value that is not finite is an error that wraps [ErrInvalid].
func Lost(tau, approx checkpoint.Source, interrupt func() error) (Loss, error) {
	type unit struct{ tensor, lo, hi int }
	var units []unit
	infos := tau.Tensors()
	for i, info := range infos {
		for n, lo := info.Elements(), 0; lo < n; lo += lossElements {
			units = append(units, unit{i, lo, min(n, lo+lossElements)})
		}
	}
	type sums struct{ whole, lost float64 }
	parts := make([]sums, len(units))
	if err := each(len(units), func(i int, s *scratch) error {
		u := units[i]
		name := infos[u.tensor].Name
		x, y := room(&s.block, u.hi-u.lo), room(&s.values, u.hi-u.lo)
		if interrupt != nil {
			if err := interrupt(); err != nil {
				return err
			}
		}
		if err := tau.Read(name, u.lo, x); err != nil {
			return err
		}
		if err := approx.Read(name, u.lo, y); err != nil {
			return err
		}
		parts[i].whole = vec.Square(x)
		vec.Sub(x, y)
		parts[i].lost = vec.Square(x)
		if sum := parts[i].whole + parts[i].lost; math.IsNaN(sum) || math.IsInf(sum, 0) {
			return invalid("tensor %q: not finite, in elements [%d %d)", name, u.lo, u.hi)
		}
		return nil
	}); err != nil {
		return Loss{}, err
	}
	var all sums
	tensors := make([]sums, len(infos))
	for i, p := range parts {
		t := &tensors[units[i].tensor]
		t.whole, t.lost = t.whole+p.whole, t.lost+p.lost
		all.whole, all.lost = all.whole+p.whole, all.lost+p.lost
	}
	ratio := func(s sums) float64 {
		if s.lost == 0 {
			return 0
		}
		return math.Sqrt(s.lost / s.whole)
	}
	loss := Loss{Relative: ratio(all)}
	for i, t := range tensors {
		if r := ratio(t); r > loss.Worst {
			loss.Worst, loss.Tensor = r, infos[i].Name
		}
	}
	return loss, nil
}
