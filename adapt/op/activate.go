package op

import (
	"slices"

	"github.com/nlpodyssey/spago/mat"
)

type standalone struct {
	activation
	x mat.Tensor
	y *mat.Dense[float32]
}

// Activate returns act(x), for the places where no operator before it takes an
// activation: [rows][cols] -> [rows][cols].
func Activate(x mat.Tensor, act Activation) mat.Tensor {
	return run(&standalone{activation: activation{act: act}, x: x})
}

func (l *standalone) Operands() []mat.Tensor { return []mat.Tensor{l.x} }

func (l *standalone) Forward() (mat.Tensor, error) {
	rows, cols := dims(l.x)
	l.y = Tensor(rows, cols, l.forward(slices.Clone(values(l.x)), rows, cols, requiresGrad(l.x)))
	return l.y, nil
}

func (l *standalone) Backward(gy mat.Tensor) error {
	rows, cols := dims(l.x)
	g := values(gy)
	l.backward(g, rows, cols)
	give(l.x, g)
	l.y.ZeroGrad()
	return nil
}
