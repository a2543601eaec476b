package method

import (
	"math"

	"syncretic/arithmetic/vec"
)

// Several methods give a linear combination of their inputs, with coefficients that follow from norms and angles alone. So one
// pass over the inputs gathers their Gram matrix, coefficients are found in it, in float64, without another look at a tensor
// (even where that is an iteration: a mean of vectors stays in their span), and blocks are combined with them. Where a method
// works on task vectors, the matrix is that of the differences themselves, so that nothing cancels.

// gram is the Gram matrix of n vectors: their dot products, in float64. Its upper triangle is kept row by row.
type gram struct {
	n   int
	dot []float64
}

func newGram(n int) gram { return gram{n, make([]float64, triangle(n))} }

func triangle(n int) int { return n * (n + 1) / 2 }

// at is the dot product of vectors i and j.
func (g gram) at(i, j int) float64 { return g.dot[g.place(i, j)] }

func (g gram) place(i, j int) int {
	if i > j {
		i, j = j, i
	}
	return i*g.n - i*(i-1)/2 + j - i
}

func (g gram) norm(i int) float64 { return math.Sqrt(g.at(i, i)) }

// add adds the dot products of elements [lo, hi) of the vectors.
func (g gram) add(x [][]float32, lo, hi int) {
	for j := range x {
		even := j &^ 1 // its partner, whose products with itself and with j come together
		for i := range even {
			g.dot[g.place(i, j)] += vec.Dot(x[i][lo:hi], x[j][lo:hi])
		}
		switch {
		case j != even:
			aa, ab, bb := vec.Dots(x[even][lo:hi], x[j][lo:hi])
			g.dot[g.place(even, even)] += aa
			g.dot[g.place(even, j)] += ab
			g.dot[g.place(j, j)] += bb
		case j == len(x)-1:
			g.dot[g.place(j, j)] += vec.Square(x[j][lo:hi])
		}
	}
}

// product is G·c: the dot products of the combination Σ c_i x_i with each vector.
func (g gram) product(c []float64) []float64 {
	p := make([]float64, g.n)
	for i := range p {
		for j, x := range c {
			p[i] += g.at(i, j) * x
		}
	}
	return p
}

// length is the norm of the combination Σ c_i x_i.
func (g gram) length(c []float64) float64 {
	var square float64
	for i, p := range g.product(c) {
		square += p * c[i]
	}
	return math.Sqrt(max(0, square)) // rounding may leave less than 0 of a zero vector
}

// units is the Gram matrix of the vectors divided by norms. A vector whose norm is given as 0 becomes 0.
func (g gram) units(norms []float64) gram {
	u := newGram(g.n)
	at := 0
	for i := range norms {
		for j := i; j < g.n; j++ {
			if norms[i] != 0 && norms[j] != 0 {
				u.dot[at] = g.dot[at] / norms[i] / norms[j]
			}
			at++
		}
	}
	return u
}

// span is what a method combines: tensors of models, or their differences from an origin.
type span struct {
	models []Input
	origin *Input // nil: the tensors themselves
}

// read reads a range of every vector, and of the origin where there is one.
func (s span) read(offset, n int, w *work) (x [][]float32, origin []float32, err error) {
	if s.origin != nil {
		origin = w.block(n)
		if err := s.origin.read(offset, origin); err != nil {
			return nil, nil, err
		}
	}
	x = w.list(len(s.models))
	for i := range s.models {
		x[i] = w.block(n)
		if origin != nil {
			err = s.models[i].delta(offset, x[i], origin)
		} else {
			err = s.models[i].read(offset, x[i])
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return x, origin, nil
}

// solver finds coefficients from a Gram matrix. It is safe for concurrent use.
type solver func(g gram, c []float32) error

// solve makes the pass: the k coefficients that f finds for each vector of p. A Gram matrix that is not finite is an error,
// instead of a tensor of NaN.
func (s span) solve(t *Task, p partition, k int, f solver) ([]float32, error) {
	c := make([]float32, p.vectors*k)
	finish := func(v int, g gram) error {
		for i := range s.models {
			if norm := g.norm(i); math.IsNaN(norm) || math.IsInf(norm, 0) {
				return invalid("%s: norm is %v, want finite values", s.models[i].Model, norm)
			}
		}
		return f(g, c[v*k:(v+1)*k])
	}
	switch {
	case p.vectors == 1:
		parts, err := scan(t, func(part *gram, offset, n int, w *work) error {
			x, _, err := s.read(offset, n, w)
			if err != nil {
				return err
			}
			if part.dot == nil {
				*part = newGram(len(x))
			}
			part.add(x, 0, n)
			return nil
		})
		if err != nil {
			return nil, err
		}
		g := newGram(len(s.models))
		for _, part := range parts {
			for i, x := range part.dot {
				g.dot[i] += x
			}
		}
		return c, finish(0, g)
	case p.stride == 1:
		return c, s.rows(t, p, finish)
	default:
		return c, s.columns(t, p, finish)
	}
}

// rows gathers one Gram matrix a row. Workers take whole rows, and read many short ones at once.
func (s span) rows(t *Task, p partition, finish func(v int, g gram) error) error {
	return overChunks(p.vectors, max(1, chunkElements/p.length), t.Interrupt, func(c chunk, w *work) error {
		g := newGram(len(s.models))
		for lo, end := c.lo*p.length, c.hi*p.length; lo < end; {
			n := min(end-lo, max(1, blockElements/p.length)*p.length)
			for part := range (n + blockElements - 1) / blockElements { // more than one of a row that is longer than a block
				from := lo + part*blockElements
				w.reset()
				x, _, err := s.read(from, min(blockElements, lo+n-from), w)
				if err != nil {
					return err
				}
				p.runs(from, len(x[0]), func(v, a, b int) {
					if err != nil {
						return
					}
					if from+a == v*p.length {
						clear(g.dot)
					}
					g.add(x, a, b)
					if from+b == (v+1)*p.length {
						err = finish(v, g)
					}
				})
				if err != nil {
					return err
				}
			}
			lo += n
		}
		return nil
	})
}

// stripe is how many columns a worker sums up at a time.
const stripe = 1 << 10

// columns gathers one Gram matrix a column. Workers take stripes of columns, so that what they hold does not grow with the
// number of rows and each sum runs down its column.
func (s span) columns(t *Task, p partition, finish func(v int, g gram) error) error {
	return overChunks(p.vectors, stripe, t.Interrupt, func(c chunk, w *work) error {
		width := c.hi - c.lo
		sums := make([]float64, triangle(len(s.models))*width) // [pair][column]
		rows := 1                                              // read at once: more where they lie side by side
		if width == p.vectors {
			rows = blockElements / width
		}
		for row := 0; row < p.length; row += rows {
			w.reset()
			n := min(rows, p.length-row) * width
			x, _, err := s.read(row*p.stride+c.lo, n, w)
			if err != nil {
				return err
			}
			pair := sums
			for i := range x {
				for _, y := range x[i:] {
					for lo := 0; lo < n; lo += width {
						addProducts(pair[:width], x[i][lo:lo+width], y[lo:lo+width])
					}
					pair = pair[width:]
				}
			}
		}
		g := newGram(len(s.models))
		for v := range width {
			for pair := range g.dot {
				g.dot[pair] = sums[pair*width+v]
			}
			if err := finish(c.lo+v, g); err != nil {
				return err
			}
		}
		return nil
	})
}

// addProducts computes sum[i] += x[i]·y[i].
func addProducts(sum []float64, x, y []float32) {
	x, y = x[:len(sum)], y[:len(sum)]
	for i := range sum {
		sum[i] += float64(float64(x[i]) * float64(y[i]))
	}
}
