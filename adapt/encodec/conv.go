package encodec

import (
	"math"

	"syncretic/adapt/gemm"
	"syncretic/adapt/op/elem"
)

// conv is a causal convolution over time:
//
//	y[t][o] = b[o] + Σ_k Σ_i w[k][i][o]·x[t·stride − left + k·dilation][i]
//
// where x is reflected at the recording's edges, as [reflect] says.
type conv struct {
	in, out                  int
	kernel, stride, dilation int
	w                        []float32 // [kernel][in][out]: weight norm folded in
	b                        []float32 // [out]
}

// newConv takes its weights from v. Weight norm is over each output channel: w[o] = g[o]·v[o] / ‖v[o]‖.
func newConv(v vars, in, out, kernel, stride, dilation int) *conv {
	c := &conv{in: in, out: out, kernel: kernel, stride: stride, dilation: dilation}
	v = v.in("conv")
	c.b = v.tensor("bias", out)
	gain := v.tensor(gainName, out, 1, 1)
	direction := v.tensor(directionName, out, in, kernel)
	if direction == nil {
		return c // a dry run, for names and shapes
	}
	c.w = make([]float32, len(direction))
	for o := range out {
		row := direction[o*in*kernel : (o+1)*in*kernel]
		squares := 0.0
		for _, x := range row {
			squares += float64(x) * float64(x)
		}
		scale := float64(gain[o]) / math.Sqrt(squares)
		for j, x := range row {
			i, k := j/kernel, j%kernel
			c.w[(k*in+i)*out+o] = float32(float64(x) * scale)
		}
	}
	return c
}

// left is the number of rows that a row of output sees before its own stride of them.
func (c *conv) left() int { return (c.kernel-1)*c.dilation + 1 - c.stride }

// length is the number of rows out of total rows in: each begun stride gives one.
func (c *conv) length(total int) int { return (total + c.stride - 1) / c.stride }

func (c *conv) width() int { return c.out }

// needs returns the rows of input, of total, from which output rows [lo, hi) are computed. At the start they include
// those that are reflected; at the end, where kernels are twice the stride, the look-back holds those.
func (c *conv) needs(lo, hi, total int) (from, to int) {
	from, to = lo*c.stride-c.left(), hi*c.stride
	if from < 0 {
		from, to = 0, max(to, 1-from)
	}
	return from, min(to, total)
}

// window returns the padded input rows [lo·stride − left, hi·stride), from x or from buf, filled with them.
func (c *conv) window(x rows, lo, hi, total int, buf *[]float32) []float32 {
	from, to := lo*c.stride-c.left(), hi*c.stride
	if from >= 0 && to <= total {
		return x.at(from, to)
	}
	*buf = sized(*buf, (to-from)*c.in)
	for i := from; i < to; i++ {
		dst := (*buf)[(i-from)*c.in : (i-from+1)*c.in]
		if j := reflect(i, total, c.left()); j < total {
			copy(dst, x.at(j, j+1))
		} else {
			clear(dst)
		}
	}
	return *buf
}

// reflect returns the row that stands at row i of the padded input. Edges are mirrors: what is beyond one repeats what is
// before it, without the edge itself:
//
//	    left │ 0 … total−1 │ less than a stride
//	x3 x2 x1 │ x0 x1 x2 x3 │ x2 x1
//
// A recording with no more rows than left has zeros after it, total and above here, and the left mirror shows those as well.
func reflect(i, total, left int) int {
	switch {
	case i < 0:
		return -i
	case i >= total && total > left:
		return 2*(total-1) - i
	}
	return i
}

// add adds to the rows y, [n][out], the convolution, without bias, of their window x.
func (c *conv) add(y, x []float32, multiply multiplier) {
	n := len(y) / c.out
	if c.dilation == 1 { // the taps of a row are adjacent: one product over rows that overlap
		k := c.kernel * c.in
		multiply(false, false, n, c.out, k, x, c.stride*c.in, c.w, c.out, true, y, c.out)
		return
	}
	for k := range c.kernel {
		multiply(false, false, n, c.out, c.in, x[k*c.dilation*c.in:], c.stride*c.in, c.w[k*c.in*c.out:], c.out, true, y, c.out)
	}
}

// multiplier is gemm.Multiply or gemm.MultiplySerial.
type multiplier = func(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, accumulate bool, c []float32, ldc int)

// run computes output rows [lo, hi) into y.
func (c *conv) run(y []float32, x rows, lo, hi, total int, s *scratch) {
	fill(y, c.b)
	c.add(y, c.window(x, lo, hi, total, &s.padded), gemm.MultiplySerial)
}

// activated is a conv of ELU(x).
type activated struct{ *conv }

func (a activated) run(y []float32, x rows, lo, hi, total int, s *scratch) {
	a.compute(y, x, lo, hi, total, s, gemm.MultiplySerial)
}

func (a activated) compute(y []float32, x rows, lo, hi, total int, s *scratch, multiply multiplier) {
	w := a.window(x, lo, hi, total, &s.padded)
	s.elu = sized(s.elu, len(w))
	elem.ELU(s.elu, w)
	fill(y, a.b)
	a.add(y, s.elu, multiply)
}

// fill sets every row of y to b.
func fill(y, b []float32) {
	n := copy(y, b)
	for n < len(y) { // copies that double: rows are short
		n += copy(y[n:], y[:min(n, 4096/len(b)*len(b)+len(b))])
	}
}
