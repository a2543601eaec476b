package method

import (
	"math"
	"sync"

	"syncretic/checkpoint"
)

// Statistics is what was found out about one model on data of its task, as a checkpoint: a safetensors file with tensors under the
// names of the model's own. It is what [Input.Stats] holds for the methods with Data.
//
//	fisher   for every tensor of floats one of the same shape, the diagonal of the Fisher information: the mean, over examples, of
//	         the squared gradient of the log-likelihood of a label that the model draws
//	regmean  for a weight [out][in] under the weight's own name XᵀX [in][in], the sum over examples (of the task, as many for each
//	         model) of the products of the layer's inputs; for a convolution's kernel [out][in][k...] the same of its unfolded
//	         inputs, [in·k][in·k]. What has none in any model is averaged.
//
// F32 is the type to store them in: squares of gradients underflow in F16, and sums of products lose in 16 bits what makes them
// positive definite.
//
// A Statistics remembers what is found out about all tensors, so that a merge of many tensors asks once; give the same one to each
// task of a model. Any other Source works as well, and is asked each time.
type Statistics struct {
	checkpoint.Source
	mu    sync.Mutex
	known bool
	norm  float64
}

// NewStatistics wraps a model's statistics. It reads nothing.
func NewStatistics(src checkpoint.Source) *Statistics { return &Statistics{Source: src} }

// statistics are the input's, nil where it has none.
func (in *Input) statistics() *Statistics {
	if s, ok := in.Stats.(*Statistics); ok || in.Stats == nil {
		return s
	}
	return NewStatistics(in.Stats)
}

// Norm is the L2 norm of all tensors of floats together. interrupt, which may be nil, ends it with its error.
func (s *Statistics) Norm(interrupt func() error) (float64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known {
		return s.norm, nil
	}
	var square float64
	for _, info := range s.Tensors() {
		if info.DType.Integer() {
			continue
		}
		n := info.Elements()
		parts := make([]float64, (n+chunkElements-1)/chunkElements)
		err := overChunks(n, chunkElements, interrupt, func(c chunk, w *work) error {
			for lo := c.lo; lo < c.hi; lo += blockElements {
				w.reset()
				x := w.block(min(blockElements, c.hi-lo))
				if err := s.Read(info.Name, lo, x); err != nil {
					return err
				}
				for _, v := range x {
					parts[c.index] += float64(float64(v) * float64(v))
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		for _, p := range parts {
			square += p
		}
	}
	s.norm, s.known = math.Sqrt(square), true
	return s.norm, nil
}
