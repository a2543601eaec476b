package probe

import (
	"math"
	"math/rand/v2"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op"
	"syncretic/adapt/optim"
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

// weights are mlp's as tensors of a graph, in the order of mlp.tensors; the last is nil for one layer.
type weights [5]mat.Tensor

// forward returns the logits [rows][tags] of x [rows][layers*dim].
func (m *mlp) forward(w weights, x []float32, drop op.Drop) mat.Tensor {
	width := m.layers * m.dim
	var h mat.Tensor = op.Tensor(len(x)/width, width, x)
	if m.mix != nil {
		h = op.LayerMix(h, w[4], m.layers)
	}
	h = op.Dropout(op.Linear(h, w[0], w[1], op.ReLU), drop)
	return op.Linear(h, w[2], w[3], op.None)
}

// constants returns the weights as tensors without gradients.
func (m *mlp) constants() (w weights) {
	for i, t := range m.tensors() {
		w[i] = op.Tensor(rowsOf(t), len(t.Data)/rowsOf(t), t.Data)
	}
	return w
}

// params returns the weights as parameters, which share m's memory.
func (m *mlp) params() (w weights, params []optim.Param) {
	for i, t := range m.tensors() {
		p := op.Param(rowsOf(t), len(t.Data)/rowsOf(t), t.Data)
		w[i], params = p, append(params, optim.Param{Name: t.Name, Value: p})
	}
	return w, params
}

// rowsOf returns the rows of a weight as a matrix; vectors are columns.
func rowsOf(t checkpoint.Tensor) int { return t.Shape[0] }

// logits scores without dropout, in blocks of items that bound the memory.
func (m *mlp) logits(s *scaler, f *Features) ([][]float64, error) {
	x, err := s.float32s(f)
	if err != nil {
		return nil, err
	}
	return m.apply(x), nil
}

func (m *mlp) apply(x []float32) [][]float64 {
	const block = 1024 // items
	width := m.layers * m.dim
	w := m.constants()
	var out [][]float64
	for start := 0; start < len(x); start += block * width {
		end := min(start+block*width, len(x))
		y := mat.Data[float32](m.forward(w, x[start:end], op.Drop{}).Value())
		for i := 0; i < len(y); i += m.tags {
			row := make([]float64, m.tags)
			for t := range row {
				row[t] = float64(y[i+t])
			}
			out = append(out, row)
		}
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
