package probe

import (
	"math"
	"runtime"

	"syncretic/adapt/op/elem"
)

// scaler maps features to the input of a head: it picks neighbouring layers, and shifts and scales each input. Mean and scale
// are float32 so that a saved head is the head.
type scaler struct {
	layers      []int     // picked, rising without gaps
	dim         int       // of a layer
	mean, scale []float32 // [len(layers)*dim]; 0 and 1 when nothing is standardised
	gain, shift []float32 // 1/scale and -mean/scale, so that an input is gain·x + shift; nil when nothing is standardised
}

// newScaler fits a scaler to the rows of f, which it reads twice. As in scikit-learn's StandardScaler the variance is the
// population's, and an input that is constant up to rounding keeps scale 1.
func newScaler(f *Features, layers []int, standardise bool) (*scaler, error) {
	s := emptyScaler(layers, f.Dim)
	for j := range s.scale {
		s.scale[j] = 1
	}
	if !standardise {
		return s, nil
	}
	n := float64(len(f.Items))
	mean, err := s.columns(f, func(sum []float64, row []float32, _ int) {
		for j, v := range row {
			sum[j] += float64(v)
		}
	})
	if err != nil {
		return nil, err
	}
	for j := range mean {
		mean[j] /= n
	}
	square, err := s.columns(f, func(sum []float64, row []float32, first int) {
		mean := mean[first : first+len(row)]
		for j, v := range row {
			d := float64(v) - mean[j]
			sum[j] += d * d
		}
	})
	if err != nil {
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
	s.prepare()
	return s, nil
}

// emptyScaler has room for means and scales, all 0.
func emptyScaler(layers []int, dim int) *scaler {
	s := &scaler{layers: layers, dim: dim}
	s.mean, s.scale = make([]float32, s.inputs()), make([]float32, s.inputs())
	return s
}

// of returns the part of s for some of its layers.
func (s *scaler) of(layers []int) *scaler {
	from := (layers[0] - s.layers[0]) * s.dim
	to := from + len(layers)*s.dim
	out := &scaler{layers: layers, dim: s.dim, mean: s.mean[from:to], scale: s.scale[from:to]}
	if s.gain != nil {
		out.gain, out.shift = s.gain[from:to], s.shift[from:to]
	}
	return out
}

// prepare computes what apply needs from mean and scale.
func (s *scaler) prepare() {
	s.gain, s.shift = make([]float32, s.inputs()), make([]float32, s.inputs())
	for j, scale := range s.scale {
		s.gain[j] = float32(1 / float64(scale))
		s.shift[j] = float32(-float64(s.mean[j]) / float64(scale))
	}
}

// columns sums over the rows of f, in order, what add says of neighbouring inputs from first on.
func (s *scaler) columns(f *Features, add func(sum []float64, row []float32, first int)) ([]float64, error) {
	const width = 256 // inputs at a time
	sums := make([]float64, s.inputs())
	workers := runtime.GOMAXPROCS(0)
	raw := &reader{f: f, s: &scaler{layers: s.layers, dim: s.dim}}
	err := raw.blocks(workers, func(_ int, rows [][]float32) error {
		share((len(sums)+width-1)/width, workers, func(i int) {
			from, to := i*width, min((i+1)*width, len(sums))
			for _, row := range rows {
				add(sums[from:to], row[from:to], from)
			}
		})
		return nil
	})
	return sums, err
}

func (s *scaler) inputs() int { return len(s.layers) * s.dim }

// apply writes the scaled row to dst, which is as long.
func (s *scaler) apply(dst, row []float32) {
	elem.Normalise(dst, row, s.gain, s.shift, 0, 1)
}
