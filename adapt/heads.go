package adapt

import (
	"fmt"
	"math"

	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"

	"syncretic/adapt/op"
	"syncretic/adapt/optim"
	"syncretic/checkpoint"
)

// headPrefix stands before the heads' names wherever they share a Source with the encoder.
const headPrefix = "pretrain."

// headsFile holds the heads beside an encoder's model.safetensors, so that Hugging Face's strict loading of the latter works.
const headsFile = "heads.safetensors"

const embeddingsName = "label_embs_concat"

// Heads are the parameters that exist in pre-training only, with the names that MERT's training checkpoint uses:
//
//	final_proj.weight [codebooks*dim][hidden], final_proj.bias    one slice of dim a codebook
//	label_embs_concat [codebooks*size][dim]                       the code embeddings
//	encoder_cqt_model.fc.weight [bins][hidden], .bias             the spectrum's regression
//
// A recipe's heads say where they come from:
//
//	(nothing)  the base's own: heads.safetensors of a directory, or the training checkpoint itself; fresh where it has none
//	fresh      drawn, as MERT draws them
//	PATH       a directory that Train wrote, its heads.safetensors, or a training checkpoint such as MERT-v1-95M_fairseq.pt
//
// The heads of a training checkpoint regress plain magnitudes, and so must the teacher (log_floor 0, normalize false). Their
// embeddings are those of EnCodec's codes, so a run refuses it where the teacher's codes are a k-means's.
//
// Fresh heads on a trained encoder may have a stage of their own, [HeadsWarmup].
type Heads struct {
	projection, projectionBias *nn.Param
	embeddings                 *nn.Param
	spectrum, spectrumBias     *nn.Param
	table                      []head
}

type head struct {
	name  string
	shape []int
	into  **nn.Param
}

type headSizes struct{ hidden, books, size, dim, bins int }

func (h *Heads) names(s headSizes) []head {
	return []head{
		{"encoder_cqt_model.fc.bias", []int{s.bins}, &h.spectrumBias},
		{"encoder_cqt_model.fc.weight", []int{s.bins, s.hidden}, &h.spectrum},
		{"final_proj.bias", []int{s.books * s.dim}, &h.projectionBias},
		{"final_proj.weight", []int{s.books * s.dim, s.hidden}, &h.projection},
		{embeddingsName, []int{s.books * s.size, s.dim}, &h.embeddings},
	}
}

// newHeads draws fresh heads as MERT does: embeddings from U[0,1), linear layers from U(+-1/sqrt(inputs)).
func newHeads(s headSizes, seed uint64) *Heads {
	h := new(Heads)
	h.table = h.names(s)
	bound := 1 / math.Sqrt(float64(s.hidden))
	for i, t := range h.table {
		rng := stream(seed, "head "+t.name)
		data := make([]float32, size(t.shape))
		for j := range data {
			u := rng.Float64()
			if t.into != &h.embeddings {
				u = bound * (2*u - 1)
			}
			data[j] = float32(u)
		}
		*h.table[i].into = param(t.shape, data)
	}
	return h
}

func param(shape []int, data []float32) *nn.Param {
	if len(shape) == 1 {
		return op.Param(shape[0], 1, data)
	}
	return op.Param(shape[0], shape[1], data)
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// set reads all heads from src, in place.
func (h *Heads) set(src checkpoint.Source) error {
	for _, t := range h.table {
		info, ok := checkpoint.Find(src, t.name)
		if !ok {
			return fmt.Errorf("%w: heads: tensor %q is missing", checkpoint.ErrInvalid, t.name)
		}
		if fmt.Sprint(info.Shape) != fmt.Sprint(t.shape) {
			return fmt.Errorf("%w: heads: tensor %q: shape %v, want %v (the teacher's codebooks and bins must be those of the base)",
				checkpoint.ErrInvalid, t.name, info.Shape, t.shape)
		}
	}
	for _, t := range h.table {
		if err := src.Read(t.name, 0, mat.Data[float32]((*t.into).Matrix)); err != nil {
			return err
		}
	}
	return nil
}

// Tensors and Read make the heads a checkpoint.Source.
func (h *Heads) Tensors() []checkpoint.Info {
	infos := make([]checkpoint.Info, len(h.table))
	for i, t := range h.table {
		infos[i] = checkpoint.Info{Name: t.name, DType: checkpoint.F32, Shape: t.shape}
	}
	return infos
}

func (h *Heads) Read(name string, offset int, dst []float32) error {
	for _, t := range h.table {
		if t.name == name {
			data := mat.Data[float32]((*t.into).Matrix)
			if offset < 0 || offset+len(dst) > len(data) {
				return fmt.Errorf("heads: tensor %q: range [%d, %d) of %d elements", name, offset, offset+len(dst), len(data))
			}
			copy(dst, data[offset:])
			return nil
		}
	}
	return fmt.Errorf("heads: no tensor %q", name)
}

func (h *Heads) params() []optim.Param {
	params := make([]optim.Param, len(h.table))
	for i, t := range h.table {
		params[i] = optim.Param{Name: headPrefix + t.name, Value: *t.into}
	}
	return params
}
