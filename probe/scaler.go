package probe

import "math"

// scaler maps features to the input of a head: it picks layers, and shifts and scales each input. Mean and scale are float32
// so that a saved head is the head.
type scaler struct {
	layers      []int     // picked
	dim         int       // of a layer
	mean, scale []float32 // [len(layers)*dim]; 0 and 1 when nothing is standardised
}

// newScaler fits a scaler to the rows of f. As in scikit-learn's StandardScaler the variance is the population's, and an
// input that is constant up to rounding keeps scale 1.
func newScaler(f *Features, layers []int, standardise bool) (*scaler, error) {
	s := &scaler{layers: layers, dim: f.Dim}
	inputs := s.inputs()
	s.mean, s.scale = make([]float32, inputs), make([]float32, inputs)
	for j := range s.scale {
		s.scale[j] = 1
	}
	if !standardise {
		return s, nil
	}
	n := float64(len(f.Items))
	mean, square := make([]float64, inputs), make([]float64, inputs)
	if err := s.visit(f, func(_, j int, v float32) { mean[j] += float64(v) }); err != nil {
		return nil, err
	}
	for j := range mean {
		mean[j] /= n
	}
	if err := s.visit(f, func(_, j int, v float32) {
		d := float64(v) - mean[j]
		square[j] += d * d
	}); err != nil {
		return nil, err
	}
	const eps = 0x1p-52
	for j := range mean {
		variance := square[j] / n
		s.mean[j] = float32(mean[j])
		if constant := n * mean[j] * eps; variance > n*eps*variance+constant*constant {
			s.scale[j] = float32(math.Sqrt(variance))
		}
		if s.scale[j] == 0 { // a variance below float32's range
			s.scale[j] = 1
		}
	}
	return s, nil
}

func (s *scaler) inputs() int { return len(s.layers) * s.dim }

// visit calls do with every picked value: row of f, input, value.
func (s *scaler) visit(f *Features, do func(i, j int, v float32)) error {
	buf := make([]float32, f.Layers*f.Dim)
	for i := range f.Items {
		row, err := f.Row(i, buf)
		if err != nil {
			return err
		}
		for at, layer := range s.layers {
			for d, v := range row[layer*s.dim : (layer+1)*s.dim] {
				do(i, at*s.dim+d, v)
			}
		}
	}
	return nil
}

// float64s returns the inputs [rows][inputs].
func (s *scaler) float64s(f *Features) ([]float64, error) {
	out := make([]float64, len(f.Items)*s.inputs())
	err := s.visit(f, func(i, j int, v float32) {
		out[i*s.inputs()+j] = (float64(v) - float64(s.mean[j])) / float64(s.scale[j])
	})
	return out, err
}

// float32s returns the inputs [rows][inputs].
func (s *scaler) float32s(f *Features) ([]float32, error) {
	out := make([]float32, len(f.Items)*s.inputs())
	err := s.visit(f, func(i, j int, v float32) {
		out[i*s.inputs()+j] = (v - s.mean[j]) / s.scale[j]
	})
	return out, err
}
