package encodec

import (
	"strconv"

	"syncretic/adapt/gemm"
	"syncretic/adapt/op/elem"
)

// lstmLayer is one layer of an LSTM as PyTorch defines it, of as many outputs as inputs:
//
//	i, f, o = σ(W x_t + U h_{t−1} + b),   g = tanh(W x_t + U h_{t−1} + b)
//	c_t = f·c_{t−1} + i·g,   h_t = o·tanh(c_t)
//
// The rows of W, U and b stand in the order i, f, g, o.
type lstmLayer struct {
	dim       int
	input     []float32 // W transposed, [dim][4·dim]
	recurrent []float32 // U, [4·dim][dim]
	bias      []float32 // [4·dim], the sum of PyTorch's two
}

func newLSTMLayer(v vars, i, dim int) *lstmLayer {
	l := &lstmLayer{dim: dim}
	w := v.tensor("weight_ih_l"+strconv.Itoa(i), 4*dim, dim)
	l.recurrent = v.tensor("weight_hh_l"+strconv.Itoa(i), 4*dim, dim)
	l.bias = append(l.bias, v.tensor("bias_ih_l"+strconv.Itoa(i), 4*dim)...)
	elem.Add(l.bias, v.tensor("bias_hh_l"+strconv.Itoa(i), 4*dim))
	if w != nil {
		l.input = transposed(w, 4*dim, dim)
	}
	return l
}

// memory is what a layer keeps from frame to frame, zeros at the start, and its buffers.
type memory struct{ h, c, gates, tanh []float32 }

func (l *lstmLayer) begin() *memory {
	return &memory{h: make([]float32, l.dim), c: make([]float32, l.dim), tanh: make([]float32, l.dim)}
}

// run writes the outputs for the frames x, [n][dim], to y, which may be x. W of all frames is one product; U of each frame
// has to wait for the frame before it, and reads all of U from cache: this is what bounds the speed.
func (l *lstmLayer) run(y, x []float32, m *memory) {
	d, n := l.dim, len(x)/l.dim
	m.gates = sized(m.gates, n*4*d)
	fill(m.gates, l.bias)
	gemm.MultiplySerial(false, false, n, 4*d, d, x, d, l.input, 4*d, true, m.gates, 4*d)
	for t := range n {
		gates := m.gates[t*4*d : (t+1)*4*d]
		elem.AddProduct(gates, l.recurrent, d, m.h)
		elem.Sigmoid(gates[:2*d])
		elem.Tanh(gates[2*d : 3*d])
		elem.Sigmoid(gates[3*d:])
		i, f, g, o := gates[:d], gates[d:2*d], gates[2*d:3*d], gates[3*d:]
		for j := range m.c {
			m.c[j] = f[j]*m.c[j] + i[j]*g[j]
		}
		copy(m.tanh, m.c)
		elem.Tanh(m.tanh)
		for j, v := range m.tanh {
			m.h[j] = o[j] * v
		}
		copy(y[t*d:(t+1)*d], m.h)
	}
}

// transposed returns m, [rows][cols], as [cols][rows].
func transposed(m []float32, rows, cols int) []float32 {
	out := make([]float32, len(m))
	for r := range rows {
		for c, v := range m[r*cols : (r+1)*cols] {
			out[c*rows+r] = v
		}
	}
	return out
}
