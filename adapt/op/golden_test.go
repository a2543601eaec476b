package op

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
)

// golden is one operator as PyTorch computes it; see testdata/make_ops.py.
type golden struct {
	Operands [][]float32
	Seed     []float32
	Value    []float64
	Grads    [][]float64
}

// TestPyTorch compares values and all gradients with PyTorch's in float64.
func TestPyTorch(t *testing.T) {
	data, err := os.ReadFile("testdata/ops.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases map[string]golden }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name   string
		shapes []shape
		f      func(x []mat.Tensor) mat.Tensor
	}{
		{"linear_gelu", []shape{{6, 8}, {10, 8}, {10, 1}}, func(x []mat.Tensor) mat.Tensor { return Linear(x[0], x[1], x[2], GELU) }},
		{"attention", []shape{{14, 36}}, func(x []mat.Tensor) mat.Tensor { return Attention(x[0], 3, 2, Drop{}) }},
		{"layer_norm", []shape{{5, 9}, {9, 1}, {9, 1}}, func(x []mat.Tensor) mat.Tensor { return LayerNorm(x[0], x[1], x[2], 1e-5) }},
		{"group_norm_gelu", []shape{{22, 6}, {6, 1}, {6, 1}}, func(x []mat.Tensor) mat.Tensor { return GroupNorm(x[0], x[1], x[2], 2, 1e-5, GELU) }},
		{"conv1d_gelu", []shape{{30, 4}, {6, 12}}, func(x []mat.Tensor) mat.Tensor { return Conv1D(x[0], x[1], nil, 2, 3, 2, GELU) }},
		{"conv1d_first", []shape{{130, 1}, {16, 10}}, func(x []mat.Tensor) mat.Tensor { return Conv1D(x[0], x[1], nil, 2, 10, 5, None) }},
		{"pos_conv", []shape{{18, 8}, {6, 1}, {8, 24}, {8, 1}}, func(x []mat.Tensor) mat.Tensor { return PosConv(x[0], x[1], x[2], x[3], 2, 2, 6) }},
		{"codebook_loss", []shape{{8, 8}, {15, 4}}, func(x []mat.Tensor) mat.Tensor {
			y, _ := CodebookLoss(x[0], x[1], []int{6, 9}, []int{0, 3, 4, 7}, [][]int32{{5, 0, 2, 2}, {8, 1, 0, 3}}, 0.1)
			return y
		}},
		{"masked_mse", []shape{{6, 5}}, nil},
		{"bce_with_logits", []shape{{4, 5}}, nil},
	}
	if len(file.Cases) != len(cases) {
		t.Errorf("testdata/ops.json has %d cases, want %d", len(file.Cases), len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g, ok := file.Cases[c.name]
			if !ok {
				t.Fatal("no such case in testdata/ops.json")
			}
			switch c.name { // the last operand is a constant here
			case "masked_mse":
				c.f = func(x []mat.Tensor) mat.Tensor { return MaskedMSE(x[0], g.Operands[1], []int{1, 2, 5}) }
			case "bce_with_logits":
				c.f = func(x []mat.Tensor) mat.Tensor { return BCEWithLogits(x[0], g.Operands[1]) }
			}
			x := make([]mat.Tensor, len(c.shapes))
			for i, s := range c.shapes {
				x[i] = Param(s.rows, s.cols, g.Operands[i])
			}
			y := c.f(x)
			near(t, "value", values(y), g.Value, valueTolerance)
			rows, cols := dims(y)
			y.AccGrad(Tensor(rows, cols, g.Seed))
			if err := ag.Backward(y); err != nil {
				t.Fatal(err)
			}
			for i := range x {
				near(t, "gradient", mat.Data[float32](x[i].Grad()), g.Grads[i], gradTolerance)
			}
		})
	}
}
