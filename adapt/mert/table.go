package mert

import (
	"fmt"
	"slices"
	"strings"
)

// weight is one row of the weight table: a tensor of the encoder, by transformers' name and shape.
type weight struct {
	name  string
	shape []int
	fill  fill // how New draws it
}

// elements is the number of values.
func (w weight) elements() int {
	n := 1
	for _, d := range w.shape {
		n *= d
	}
	return n
}

// matrix is the two-dimensional form that the operators take, over the same values in the same order: [out][rest] for
// weights, one column for vectors, [taps] for the weight-norm gain.
func (w weight) matrix() (rows, cols int) {
	if w.fill == gainFill {
		return w.elements(), 1
	}
	return w.shape[0], w.elements() / w.shape[0]
}

// scope collects rows of the table under a name prefix.
type scope struct {
	prefix string
	rows   *[]weight
}

// in is the scope of a module within this one.
func (s scope) in(format string, args ...any) scope {
	return scope{prefix: s.prefix + fmt.Sprintf(format, args...) + ".", rows: s.rows}
}

func (s scope) tensor(name string, f fill, shape ...int) {
	*s.rows = append(*s.rows, weight{name: s.prefix + name, shape: shape, fill: f})
}

// norm is a LayerNorm or a GroupNorm with one group a channel.
func (s scope) norm(dim int) {
	s.tensor("weight", oneFill, dim)
	s.tensor("bias", zeroFill, dim)
}

// linear has weights as PyTorch stores them, [out][in].
func (s scope) linear(out, in int, weight, bias fill) {
	s.tensor("weight", weight, out, in)
	s.tensor("bias", bias, out)
}

// The two spellings of the positional convolution's weight norm. Encoders carry the first, which torch has written
// since 2.1; files of either are read.
const (
	gainName, directionName       = "parametrizations.weight.original0", "parametrizations.weight.original1"
	oldGainName, oldDirectionName = "weight_g", "weight_v"
)

// weights is the weight table: every tensor of an encoder with this configuration, sorted by name. It is the one place
// that states names and shapes; New, Load, Tensors and Params all follow it. The config must be valid.
func (c Config) weights() []weight {
	var rows []weight
	root := scope{rows: &rows}
	if c.MaskTimeProb > 0 || c.MaskFeatureProb > 0 {
		root.tensor("masked_spec_embed", unitFill, c.HiddenSize)
	}

	in := 1
	for i, out := range c.ConvDim {
		layer := root.in("feature_extractor.conv_layers.%d", i)
		layer.tensor("conv.weight", c.convFill(i), out, in, c.ConvKernel[i])
		if c.ConvBias {
			layer.tensor("conv.bias", zeroFill, out)
		}
		if c.FeatExtractNorm == "layer" || i == 0 {
			layer.in("layer_norm").norm(out)
		}
		in = out
	}

	projection := root.in("feature_projection")
	if c.FeatProjLayerNorm {
		projection.in("layer_norm").norm(c.featureDim())
	}
	projection.in("projection").linear(c.HiddenSize, c.featureDim(), fanInFill(c.featureDim()), fanInFill(c.featureDim()))

	encoder := root.in("encoder")
	position := encoder.in("pos_conv_embed.conv")
	position.tensor("bias", zeroFill, c.HiddenSize)
	position.tensor(gainName, gainFill, 1, 1, c.NumConvPosEmbeddings)
	position.tensor(directionName, c.directionFill(), c.HiddenSize, c.HiddenSize/c.NumConvPosEmbeddingGroups, c.NumConvPosEmbeddings)
	encoder.in("layer_norm").norm(c.HiddenSize)

	normal, branch := fill{normalKind, c.InitializerRange}, c.branchFill()
	for i := range c.NumHiddenLayers {
		layer := encoder.in("layers.%d", i)
		for _, p := range []string{"q_proj", "k_proj"} {
			layer.in("attention.%s", p).linear(c.HiddenSize, c.HiddenSize, normal, zeroFill)
		}
		for _, p := range []string{"v_proj", "out_proj"} {
			layer.in("attention.%s", p).linear(c.HiddenSize, c.HiddenSize, branch, zeroFill)
		}
		layer.in("layer_norm").norm(c.HiddenSize)
		layer.in("feed_forward.intermediate_dense").linear(c.IntermediateSize, c.HiddenSize, branch, zeroFill)
		layer.in("feed_forward.output_dense").linear(c.HiddenSize, c.IntermediateSize, branch, zeroFill)
		layer.in("final_layer_norm").norm(c.HiddenSize)
	}
	slices.SortFunc(rows, func(a, b weight) int { return strings.Compare(a.name, b.name) })
	return rows
}
