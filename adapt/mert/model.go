package mert

import (
	"fmt"

	"github.com/nlpodyssey/spago/mat"
)

// model is the encoder's weights arranged as its forward pass meets them, either as parameters or as constants over the
// same memory. A tensor that the configuration does without is nil.
type model struct {
	convs           []convLayer
	featureNorm     affine
	projection      affine
	mask            mat.Tensor // masked_spec_embed
	gain, direction mat.Tensor // weight norm of the positional convolution
	positionBias    mat.Tensor
	norm            affine // encoder.layer_norm: before the layers in post-LN, after them in pre-LN
	layers          []transformerLayer
}

// affine is a weight and a bias.
type affine struct{ w, b mat.Tensor }

type convLayer struct {
	conv           affine
	norm           affine
	kernel, stride int
}

type transformerLayer struct {
	q, k, v, out affine
	norm         affine // after attention in post-LN, before it in pre-LN
	up, down     affine
	finalNorm    affine
}

// wire arranges the tensors that wrap returns for rows of the table, whose weights are matrices of rows x cols.
func (e *Encoder) wire(wrap func(i, rows, cols int) mat.Tensor) *model {
	tensor := func(name string) mat.Tensor {
		i, ok := e.rowsByName[name]
		if !ok {
			return nil
		}
		rows, cols := e.table[i].matrix()
		return wrap(i, rows, cols)
	}
	pair := func(format string, args ...any) affine {
		name := fmt.Sprintf(format, args...)
		return affine{tensor(name + ".weight"), tensor(name + ".bias")}
	}
	m := &model{
		featureNorm:  pair("feature_projection.layer_norm"),
		projection:   pair("feature_projection.projection"),
		mask:         tensor("masked_spec_embed"),
		gain:         tensor("encoder.pos_conv_embed.conv." + gainName),
		direction:    tensor("encoder.pos_conv_embed.conv." + directionName),
		positionBias: tensor("encoder.pos_conv_embed.conv.bias"),
		norm:         pair("encoder.layer_norm"),
	}
	for i := range e.cfg.ConvDim {
		m.convs = append(m.convs, convLayer{
			conv:   pair("feature_extractor.conv_layers.%d.conv", i),
			norm:   pair("feature_extractor.conv_layers.%d.layer_norm", i),
			kernel: e.cfg.ConvKernel[i],
			stride: e.cfg.ConvStride[i],
		})
	}
	for i := range e.cfg.NumHiddenLayers {
		name := fmt.Sprintf("encoder.layers.%d.", i)
		m.layers = append(m.layers, transformerLayer{
			q:         pair("%sattention.q_proj", name),
			k:         pair("%sattention.k_proj", name),
			v:         pair("%sattention.v_proj", name),
			out:       pair("%sattention.out_proj", name),
			norm:      pair("%slayer_norm", name),
			up:        pair("%sfeed_forward.intermediate_dense", name),
			down:      pair("%sfeed_forward.output_dense", name),
			finalNorm: pair("%sfinal_layer_norm", name),
		})
	}
	return m
}
