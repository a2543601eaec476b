package mert

import (
	"math/rand/v2"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op"
)

// normEps is torch's default, which transformers uses in the convolutional norms whatever layer_norm_eps says.
const normEps = 1e-5

// pass is one run of the encoder over a batch. Training and inference share it: they differ in the weights (parameters
// or constants) and in dropout. Operators over constants keep no graph, so in inference each tensor is free once used.
type pass struct {
	cfg   *Config
	m     *model
	clips int
	train bool   // dropout and layerdrop are on
	seed  uint64 // of dropout and layerdrop
	sites uint64 // random places met so far

	// recycle gives each tensor's memory back once it has been used, which inference does. keep excepts the hidden states,
	// whose receiver then keeps them.
	recycle, keep bool
}

// free gives the memory of a tensor that nobody uses any more back.
func (p *pass) free(x mat.Tensor) {
	if p.recycle {
		op.Release(x)
	}
}

// site numbers the places that draw random numbers, in the order of the pass, and gives each its own seed.
func (p *pass) site() uint64 {
	p.sites++
	return rand.NewPCG(p.seed, p.sites).Uint64()
}

func (p *pass) dropout(x mat.Tensor, probability float64) mat.Tensor {
	seed := p.site()
	if !p.train || probability == 0 {
		return x
	}
	return op.Dropout(x, op.Drop{P: float32(probability), Seed: seed})
}

func (p *pass) layerNorm(x mat.Tensor, n affine) mat.Tensor {
	return op.LayerNorm(x, n.w, n.b, float32(p.cfg.LayerNormEps))
}

// normalised is layerNorm of an x that is used nowhere else.
func (p *pass) normalised(x mat.Tensor, n affine) mat.Tensor {
	defer p.free(x)
	return p.layerNorm(x, n)
}

// conv is convolution i of the front-end with its norm and GELU.
func (p *pass) conv(x mat.Tensor, i int) mat.Tensor {
	l := p.m.convs[i]
	if l.norm.w == nil {
		return op.Conv1D(x, l.conv.w, l.conv.b, p.clips, l.kernel, l.stride, op.GELU)
	}
	x = op.Conv1D(x, l.conv.w, l.conv.b, p.clips, l.kernel, l.stride, op.None)
	defer p.free(x)
	if p.cfg.FeatExtractNorm == "group" {
		return op.GroupNorm(x, l.norm.w, l.norm.b, p.clips, normEps, op.GELU)
	}
	y := op.LayerNorm(x, l.norm.w, l.norm.b, normEps)
	defer p.free(y)
	return op.Activate(y, op.GELU)
}

// front is the whole convolutional front-end: [clips*samples][1] to [clips*frames][conv_dim].
func (p *pass) front(x mat.Tensor) mat.Tensor {
	for i := range p.m.convs {
		y := p.conv(x, i)
		if i > 0 { // the first x is the caller's
			p.free(x)
		}
		x = y
	}
	return x
}

// project takes the features to the width of the transformer, with the constant-Q columns if the config has them, and
// replaces masked frames. The features are used up.
func (p *pass) project(x mat.Tensor, extra []float32, mask []bool) mat.Tensor {
	if p.cfg.FeatureExtractorCQT {
		bins := p.cfg.cqtBins()
		features := x
		x = op.Concat(features, op.Tensor(len(extra)/bins, bins, extra))
		p.free(features)
	}
	if p.m.featureNorm.w != nil {
		x = p.normalised(x, p.m.featureNorm)
	}
	features := x
	x = op.Linear(features, p.m.projection.w, p.m.projection.b, op.None)
	p.free(features)
	x = p.dropout(x, p.cfg.FeatProjDropout)
	if mask != nil {
		x = op.MaskRows(x, p.m.mask, mask)
	}
	return x
}

// transform runs the positional convolution and the transformer, and hands each hidden state to emit as it is known:
// num_hidden_layers + 1 of them. x is used up.
func (p *pass) transform(x mat.Tensor, emit func(mat.Tensor)) {
	cfg := p.cfg
	projected := x
	x = op.PosConv(projected, p.m.gain, p.m.direction, p.m.positionBias, p.clips, cfg.NumConvPosEmbeddingGroups, cfg.NumConvPosEmbeddings)
	p.free(projected)
	if !cfg.DoStableLayerNorm {
		x = p.normalised(x, p.m.norm)
	}
	x = p.dropout(x, cfg.HiddenDropout)
	emit(x)
	p.layers(x, 0, emit)
}

// layers runs the layers from one on, which x enters, and hands their hidden states to emit. x is used up.
func (p *pass) layers(x mat.Tensor, from int, emit func(mat.Tensor)) {
	for i := from; i < len(p.m.layers); i++ {
		input := x
		if dropped := p.layerDropped(); !dropped {
			x = p.layer(x, &p.m.layers[i])
			if !p.keep {
				p.free(input)
			}
		}
		if p.cfg.DoStableLayerNorm && i == len(p.m.layers)-1 {
			x = p.normalised(x, p.m.norm)
		}
		emit(x)
	}
	if !p.keep {
		p.free(x)
	}
}

// layerDropped draws whether to skip a layer in training.
func (p *pass) layerDropped() bool {
	draw := float64(p.site()>>11) / (1 << 53)
	return p.train && draw < p.cfg.LayerDrop
}

// layer is one transformer layer. Post-LN: h = norm(x + attention(x)), norm'(h + feedForward(h)), with x and h scaled
// where the config asks for DeepNorm. Pre-LN: the norms sit at the entry of the two branches instead.
func (p *pass) layer(x mat.Tensor, l *transformerLayer) mat.Tensor {
	if p.cfg.DoStableLayerNorm {
		n := p.layerNorm(x, l.norm)
		h := p.residual(x, p.attention(n, l))
		p.free(n)
		n = p.layerNorm(h, l.finalNorm)
		defer p.free(h)
		defer p.free(n)
		return p.residual(h, p.feedForward(n, l))
	}
	h := p.normalised(p.residual(x, p.attention(x, l)), l.norm)
	defer p.free(h)
	return p.normalised(p.residual(h, p.feedForward(h, l)), l.finalNorm)
}

// residual joins a branch, which is used up, with its input.
func (p *pass) residual(x, branch mat.Tensor) mat.Tensor {
	defer p.free(branch)
	if !p.cfg.DeepNorm {
		return op.Add(x, branch)
	}
	return op.AddScaled(branch, x, float32(p.cfg.residualScale()))
}

func (p *pass) attention(x mat.Tensor, l *transformerLayer) mat.Tensor {
	drop := op.Drop{Seed: p.site()}
	if p.train {
		drop.P = float32(p.cfg.AttentionDropout)
	}
	qkv := op.QKV(x, l.q.w, l.q.b, l.k.w, l.k.b, l.v.w, l.v.b)
	context := op.Attention(qkv, p.cfg.NumAttentionHeads, p.clips, drop)
	p.free(qkv)
	defer p.free(context)
	return p.dropout(op.Linear(context, l.out.w, l.out.b, op.None), p.cfg.HiddenDropout)
}

func (p *pass) feedForward(x mat.Tensor, l *transformerLayer) mat.Tensor {
	h := p.dropout(op.Linear(x, l.up.w, l.up.b, op.GELU), p.cfg.ActivationDropout)
	defer p.free(h)
	return p.dropout(op.Linear(h, l.down.w, l.down.b, op.None), p.cfg.HiddenDropout)
}
