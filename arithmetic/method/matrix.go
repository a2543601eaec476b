package method

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"syncretic/arithmetic/svd"
)

// solver runs decompositions for the task.
func (t *Task) solver() svd.Solver { return svd.Solver{Interrupt: t.Interrupt} }

// matrix reads weight·(θ − θ_0) of a model as [out][rest], or weight·θ without an origin. A number that is not finite is an error:
// in a decomposition it would be in every element.
func (t *Task) matrix(c contributor, origin *Input) (*mat.Dense, error) {
	rows, width := t.matrixShape()
	data := make([]float64, rows*width)
	from := ""
	if origin != nil {
		from = " from the base's"
	}
	err := overChunks(len(data), chunkElements, t.Interrupt, func(part chunk, w *work) error {
		for lo := part.lo; lo < part.hi; lo += blockElements {
			w.reset()
			n := min(blockElements, part.hi-lo)
			x := w.block(n)
			var b []float32
			switch {
			case origin != nil && c.Delta != nil:
				if err := c.delta(lo, x, nil); err != nil {
					return err
				}
			case origin != nil:
				b = w.block(n)
				if err := origin.read(lo, b); err != nil {
					return err
				}
				fallthrough
			default:
				if err := c.read(lo, x); err != nil {
					return err
				}
			}
			for i, v := range x {
				d := float64(v)
				if b != nil {
					d -= float64(b[i])
				}
				if math.IsNaN(d) || math.IsInf(d, 0) {
					return invalid("%s: element %d is %v%s, want finite values", c.Model, lo+i, d, from)
				}
				data[lo+i] = c.weight * d
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return mat.NewDense(rows, width, data), nil
}

// flat is a matrix's elements; m has no gaps between its rows.
func flat(m *mat.Dense) []float64 { return m.RawMatrix().Data }
