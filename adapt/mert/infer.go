package mert

import (
	"slices"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op"
)

// HiddenStates runs the encoder over one clip and returns all hidden states, [num_hidden_layers+1][frames*hidden_size],
// as transformers returns them after its feature extractor: the clip is normalised where preprocessor_config.json says
// so. The last state of a pre-LN encoder is the normalised one, see [Encoder.Forward]. A clip too short for a frame is
// an [ErrInvalid].
//
// Memory grows with the frames: the states themselves, 4·(layers+1)·hidden_size bytes a frame, and the working set of
// one layer. The convolutions run in pieces of constant size. Attention takes time with the square of the frames:
// cut long recordings into windows.
func (e *Encoder) HiddenStates(samples []float32) ([][]float32, error) {
	var states [][]float32
	err := e.run(samples, true, func(h []float32) { states = append(states, h) })
	return states, err
}

// Features is [Encoder.HiddenStates] averaged over the frames, [num_hidden_layers+1][hidden_size]: what probes take.
// Sums are in float64. Only one state is in memory at a time, and what [Encoder.Reuse] keeps.
func (e *Encoder) Features(samples []float32) ([][]float32, error) {
	if _, err := e.frames(len(samples)); err != nil {
		return nil, err
	}
	var means [][]float32
	memory, layer, from := e.reuse.look(samples)
	take := func(h []float32) {
		means = append(means, mean(h, e.cfg.HiddenSize))
		if at := len(means) - 1; memory.wants(at) {
			k := &kept{means: copied(means)}
			if at < e.cfg.NumHiddenLayers {
				k.hidden = slices.Clone(h)
			}
			memory.keep(at, k)
		}
	}
	if from == nil {
		err := e.run(samples, false, take)
		return means, err
	}
	means = copied(from.means)
	if from.hidden != nil {
		x := op.Tensor(len(from.hidden)/e.cfg.HiddenSize, e.cfg.HiddenSize, slices.Clone(from.hidden))
		e.inference(false).layers(x, layer, func(h mat.Tensor) { take(values(h)) })
	}
	return means, nil
}

// mean is the mean of a state [frames][dim] over the frames.
func mean(h []float32, dim int) []float32 {
	sums := make([]float64, dim)
	for row := 0; row < len(h); row += dim {
		for i, v := range h[row : row+dim] {
			sums[i] += float64(v)
		}
	}
	mean := make([]float32, dim)
	for i, s := range sums {
		mean[i] = float32(s * float64(dim) / float64(len(h)))
	}
	return mean
}

// copied is a deep copy.
func copied(x [][]float32) [][]float32 {
	y := make([][]float32, len(x))
	for i := range x {
		y[i] = slices.Clone(x[i])
	}
	return y
}

// inference is a pass over one clip.
func (e *Encoder) inference(keep bool) *pass {
	return &pass{cfg: &e.cfg, m: e.eval.Load(), clips: 1, recycle: true, keep: keep}
}

// run hands each hidden state of a clip to emit, in order; emit may keep them if keep is set.
func (e *Encoder) run(samples []float32, keep bool, emit func([]float32)) error {
	if _, err := e.frames(len(samples)); err != nil {
		return err
	}
	extra, err := e.Extra(samples)
	if err != nil {
		return err
	}
	p := e.inference(keep)
	x := p.project(p.frontInPieces(e.prep.prepare(samples)), extra, nil)
	p.transform(x, func(h mat.Tensor) { emit(values(h)) })
	return nil
}

// values is the memory of a tensor, without a copy.
func values(t mat.Tensor) []float32 { return mat.Data[float32](t.Value()) }

// pieceFrames is the length of a piece of the front-end, in frames. The widest state of a piece, the first
// convolution's output, is then 64 times that many rows: 16 MiB for MERT.
const pieceFrames = 128

// frontInPieces is the front-end over one clip in pieces of constant size, so that its memory does not grow with the
// clip. Neighbouring pieces share the samples that both their receptive fields need; each frame is computed from the
// same values by the same operations as in one piece. A GroupNorm, which looks at the whole clip, is folded into its
// convolution first.
func (p *pass) frontInPieces(samples []float32) mat.Tensor {
	frames, dim := p.cfg.Frames(len(samples)), p.cfg.ConvDim[len(p.cfg.ConvDim)-1]
	hop, field := p.cfg.Hop(), p.cfg.ReceptiveField()
	if p.cfg.FeatExtractNorm == "group" {
		p, samples = p.withFoldedNorm(samples)
	}
	if frames <= pieceFrames {
		return p.front(op.Tensor(len(samples), 1, samples))
	}
	out := make([]float32, frames*dim)
	for start := 0; start < frames; start += pieceFrames {
		end := min(start+pieceFrames, frames)
		piece := samples[start*hop : (end-1)*hop+field]
		features := p.front(op.Tensor(len(piece), 1, piece))
		copy(out[start*dim:end*dim], values(features))
		p.free(features)
	}
	return op.Tensor(frames, dim, out)
}
