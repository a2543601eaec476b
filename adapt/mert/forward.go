package mert

import (
	"fmt"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op"
)

// Input is a batch of clips of equal length for [Encoder.Forward]. Its slices are used, not copied: they must keep
// their values until the backward pass is done.
type Input struct {
	Samples []float32 // [clips][n], raw audio: nothing is normalised
	Clips   int
	Mask    []bool    // [clips*frames], true where the frame becomes masked_spec_embed; nil masks none
	Extra   []float32 // [clips*frames][bins], of Encoder.Extra, exactly when the config sets feature_extractor_cqt

	Train bool   // dropout and layerdrop as the config says
	Seed  uint64 // of dropout and layerdrop; the same seed drops the same values

	// FeatureGradMult scales the gradient that reaches the convolutional front-end; 0 means 1. To freeze the
	// front-end instead, clear RequiresGrad on its parameters.
	FeatureGradMult float32
}

// Output is what [Encoder.Forward] built.
type Output struct {
	Conv   mat.Tensor   // [clips*frames][conv_dim], the features before their LayerNorm, behind the gradient scaling
	Hidden []mat.Tensor // num_hidden_layers+1 of [clips*frames][hidden_size]; the last is the output
}

// Forward builds the training graph over a batch: ag.Backward on anything computed from the output accumulates into
// [Encoder.Params]. A layer that layerdrop skips passes its input on, so Hidden always has all its entries.
//
// In pre-LN configs the last hidden state is the one after the final LayerNorm, as MERT's own code and transformers 4
// return it. Unlike transformers 5, whose hidden_states[-1] is the state before and last_hidden_state the one after.
//
// Errors are [ErrInvalid]: a clip too short for a frame, or slices of the wrong length.
func (e *Encoder) Forward(in Input) (*Output, error) {
	if in.Clips < 1 || len(in.Samples) == 0 || len(in.Samples)%in.Clips != 0 {
		return nil, fmt.Errorf("%w: %d samples in %d clips, want clips of equal length", ErrInvalid, len(in.Samples), in.Clips)
	}
	frames, err := e.frames(len(in.Samples) / in.Clips)
	if err != nil {
		return nil, err
	}
	rows := in.Clips * frames
	if in.Mask != nil {
		if len(in.Mask) != rows {
			return nil, fmt.Errorf("%w: mask of %d frames, want %d clips of %d", ErrInvalid, len(in.Mask), in.Clips, frames)
		}
		if e.train.mask == nil {
			return nil, fmt.Errorf("%w: mask given, but the encoder has no masked_spec_embed: set mask_time_prob above 0 in its config", ErrInvalid)
		}
	}
	extra := 0
	if e.cfg.FeatureExtractorCQT {
		extra = rows * e.cfg.cqtBins()
	}
	if len(in.Extra) != extra {
		return nil, fmt.Errorf("%w: extra input of %d values, want %d (%d frames; feature_extractor_cqt is %t)",
			ErrInvalid, len(in.Extra), extra, rows, e.cfg.FeatureExtractorCQT)
	}

	p := &pass{cfg: &e.cfg, m: e.train, clips: in.Clips, train: in.Train, seed: in.Seed}
	conv := p.front(op.Tensor(len(in.Samples), 1, in.Samples))
	if s := in.FeatureGradMult; s != 0 && s != 1 {
		conv = op.ScaleGrad(conv, s)
	}
	out := &Output{Conv: conv}
	p.transform(p.project(conv, in.Extra, in.Mask), func(h mat.Tensor) { out.Hidden = append(out.Hidden, h) })
	return out, nil
}

// frames is the number of frames of a clip, or an error that says how long it must be.
func (e *Encoder) frames(samples int) (int, error) {
	if n := e.cfg.Frames(samples); n > 0 {
		return n, nil
	}
	least := e.cfg.ReceptiveField()
	return 0, fmt.Errorf("%w: clip of %d samples, want at least %d (%.4g s at %d Hz)",
		ErrInvalid, samples, least, float64(least)/float64(e.cfg.Rate()), e.cfg.Rate())
}
