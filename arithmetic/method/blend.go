package method

import "syncretic/arithmetic/vec"

// blend is Σ c_i x_i, with its own coefficients for each vector of a partition; for differences from an origin, the origin is
// added. A coefficient of 0 leaves its input out, so that a blend that is one of the inputs is that input bit for bit.
type blend struct {
	span
	parts partition
	coef  []float32 // [vectors][models]
}

// blended makes the pass of a method whose coefficients come from f.
func (s span) blended(t *Task, p partition, f solver) (kernel, error) {
	c, err := s.solve(t, p, len(s.models), f)
	return &blend{s, p, c}, err
}

func (b *blend) block(offset int, dst []float32, w *work) error {
	x, origin, err := b.read(offset, len(dst), w)
	if err != nil {
		return err
	}
	n := len(x)
	if b.parts.stride > 1 {
		for i := range dst {
			v := (offset + i) % b.parts.stride
			dst[i] = combineOne(x, i, b.coef[v*n:(v+1)*n])
		}
	} else {
		b.parts.runs(offset, len(dst), func(v, lo, hi int) {
			combine(dst[lo:hi], x, lo, b.coef[v*n:(v+1)*n])
		})
	}
	if origin != nil {
		vec.Add(dst, origin)
	}
	return nil
}

// combine computes dst = Σ c_i x_i over elements from lo on, in the order of the inputs.
func combine(dst []float32, x [][]float32, lo int, c []float32) {
	hi, first := lo+len(dst), true
	for i, coef := range c {
		switch {
		case coef == 0:
		case first:
			first = false
			copy(dst, x[i][lo:hi])
			if coef != 1 {
				vec.Scale(dst, coef)
			}
		default:
			vec.AddScaled(dst, coef, x[i][lo:hi])
		}
	}
	if first {
		clear(dst)
	}
}

// combineOne is combine for one element.
func combineOne(x [][]float32, at int, c []float32) float32 {
	var sum float32
	for i, coef := range c {
		if coef != 0 {
			sum += float32(coef * x[i][at])
		}
	}
	return sum
}
