package probe

import (
	"math"
	"math/rand/v2"

	"syncretic/adapt/gemm"
	"syncretic/adapt/op/elem"
	"syncretic/checkpoint"
)

// mlp is MARBLE's probe: mix of layers -> Linear -> ReLU -> dropout -> Linear.
type mlp struct {
	layers, dim, hidden, tags int

	mix          []float32 // [layers]; nil for one layer
	hiddenWeight []float32 // [hidden][dim]
	hiddenBias   []float32 // [hidden]
	outputWeight []float32 // [tags][hidden]
	outputBias   []float32 // [tags]
}

// emptyMLP returns an mlp whose weights are all 0.
func emptyMLP(layers, dim, hidden, tags int) *mlp {
	m := &mlp{layers: layers, dim: dim, hidden: hidden, tags: tags}
	if layers > 1 {
		m.mix = make([]float32, layers)
	}
	m.hiddenWeight, m.hiddenBias = make([]float32, hidden*dim), make([]float32, hidden)
	m.outputWeight, m.outputBias = make([]float32, tags*hidden), make([]float32, tags)
	return m
}

// newMLP draws the initial weights as MARBLE and PyTorch do: mix N(0, 1), each Linear U(±1/√in).
func newMLP(layers, dim, hidden, tags int, random *rand.Rand) *mlp {
	m := emptyMLP(layers, dim, hidden, tags)
	for l := range m.mix {
		m.mix[l] = float32(random.NormFloat64())
	}
	for _, linear := range []struct {
		in   int
		fill []float32
	}{{dim, m.hiddenWeight}, {dim, m.hiddenBias}, {hidden, m.outputWeight}, {hidden, m.outputBias}} {
		bound := 1 / math.Sqrt(float64(linear.in))
		for i := range linear.fill {
			linear.fill[i] = float32(bound * (2*random.Float64() - 1))
		}
	}
	return m
}

// tensors returns the weights, which it shares.
func (m *mlp) tensors() []checkpoint.Tensor {
	out := []checkpoint.Tensor{
		{Name: "hidden.weight", Shape: []int{m.hidden, m.dim}, Data: m.hiddenWeight},
		{Name: "hidden.bias", Shape: []int{m.hidden}, Data: m.hiddenBias},
		{Name: "output.weight", Shape: []int{m.tags, m.hidden}, Data: m.outputWeight},
		{Name: "output.bias", Shape: []int{m.tags}, Data: m.outputBias},
	}
	if m.mix != nil {
		out = append(out, checkpoint.Tensor{Name: "mix", Shape: []int{m.layers}, Data: m.mix})
	}
	return out
}

// copyFrom takes the values of other, which has the same shapes.
func (m *mlp) copyFrom(other *mlp) {
	from := other.tensors()
	for i, t := range m.tensors() {
		copy(t.Data, from[i].Data)
	}
}

// activations are what a forward pass leaves for the backward pass, and gradients on their way; reused from batch to batch.
type activations struct {
	shares []float64 // [layers], the softmax of mix
	x      []float32 // [rows][dim], what the hidden layer sees
	h      []float32 // [rows][hidden], after ReLU and dropout
	z      []float32 // [rows][tags], logits, then their gradient
	dh, dx []float32 // like h and x
}

// dropout is the one of a batch: what becomes of an element depends on its place and the seed alone.
type dropout struct {
	p    float64
	seed uint64
}

// forward puts the logits of rows, each [layers][dim], into a.z. It works on this many goroutines at most.
func (m *mlp) forward(a *activations, rows [][]float32, drop dropout, workers int) {
	n := len(rows)
	a.x, a.h, a.z = resize(a.x, n*m.dim), resize(a.h, n*m.hidden), resize(a.z, n*m.tags)
	if m.mix == nil {
		for i, row := range rows {
			copy(a.x[i*m.dim:], row[:m.dim])
		}
	} else {
		a.shares = softmax(m.mix)
		share(n, workers, func(i int) {
			x := a.x[i*m.dim : (i+1)*m.dim]
			clear(x)
			for l, s := range a.shares {
				elem.AddScaled(x, rows[i][l*m.dim:(l+1)*m.dim], float32(s))
			}
		})
	}
	linear(a.h, a.x, m.hiddenWeight, m.hiddenBias, n, workers)
	for i, v := range a.h {
		a.h[i] = max(v, 0)
	}
	if drop.p > 0 {
		elem.Drop(a.h, a.h, float32(drop.p), drop.seed, 0)
	}
	linear(a.z, a.h, m.outputWeight, m.outputBias, n, workers)
}

// backward turns the gradient of the logits in a.z into that of the weights, which it writes to g, after a forward pass of the
// same rows.
func (m *mlp) backward(g *mlp, a *activations, rows [][]float32, drop dropout, workers int) {
	n := len(rows)
	linearGrad(g.outputWeight, g.outputBias, a.z, a.h, n, workers)
	a.dh = resize(a.dh, n*m.hidden)
	multiply(workers, false, false, n, m.hidden, m.tags, a.z, m.tags, m.outputWeight, m.hidden, a.dh, m.hidden)
	kept := float32(1)
	if drop.p > 0 {
		kept = 1 / (1 - float32(drop.p))
	}
	for i, v := range a.h { // 0 where the ReLU or dropout made it so
		if v > 0 {
			a.dh[i] *= kept
		} else {
			a.dh[i] = 0
		}
	}
	linearGrad(g.hiddenWeight, g.hiddenBias, a.dh, a.x, n, workers)
	if m.mix == nil {
		return
	}
	a.dx = resize(a.dx, n*m.dim)
	multiply(workers, false, false, n, m.dim, m.hidden, a.dh, m.hidden, m.hiddenWeight, m.dim, a.dx, m.dim)
	dots := make([]float64, n*m.layers) // of each row with its gradient, so that the order of the sum is that of the rows
	share(n, workers, func(i int) {
		for l := range m.layers {
			dots[i*m.layers+l] = float64(elem.Dot(a.dx[i*m.dim:(i+1)*m.dim], rows[i][l*m.dim:(l+1)*m.dim]))
		}
	})
	toward := make([]float64, m.layers) // gradient of each share
	for i, d := range dots {
		toward[i%m.layers] += d
	}
	var mean float64
	for l, s := range a.shares {
		mean += s * toward[l]
	}
	for l, s := range a.shares {
		g.mix[l] = float32(s * (toward[l] - mean))
	}
}

func (m *mlp) logits(rows [][]float32, workers int) []float32 {
	var a activations
	m.forward(&a, rows, dropout{}, workers)
	return a.z
}

// linear computes y = x·wᵀ + b for x [n][in], w [out][in].
func linear(y, x, w, b []float32, n, workers int) {
	out := len(b)
	in := len(w) / out
	multiply(workers, false, true, n, out, in, x, in, w, in, y, out)
	for i := range n {
		elem.Add(y[i*out:(i+1)*out], b)
	}
}

// linearGrad computes the gradients of linear's w and b from that of y.
func linearGrad(dw, db, dy, x []float32, n, workers int) {
	out := len(db)
	in := len(dw) / out
	multiply(workers, true, false, out, in, n, dy, out, x, in, dw, in)
	clear(db)
	elem.SumRows(db, dy, n, out)
}

// multiply is gemm.Multiply, or gemm.MultiplySerial, which gives the same bits, for one worker.
func multiply(workers int, transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
	if workers > 1 {
		gemm.Multiply(transA, transB, m, n, k, a, lda, b, ldb, false, c, ldc)
		return
	}
	gemm.MultiplySerial(transA, transB, m, n, k, a, lda, b, ldb, false, c, ldc)
}

// softmax returns exp(x)/Σ exp(x).
func softmax[T float32 | float64](x []T) []float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, float64(v))
	}
	var sum float64
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Exp(float64(v) - top)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}
