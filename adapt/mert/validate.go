package mert

import (
	"fmt"
	"math"
)

// maxSize bounds every size in a config, so that no product of them can overflow.
const maxSize = 1 << 16

// Validate reports the first key that is out of range or not supported, as an [ErrConfig].
func (c Config) Validate() error {
	switch c.ModelType {
	case "hubert", "mert_model", "music_hubert":
	default:
		return c.errorf("model_type", "%q, want hubert, mert_model or music_hubert", c.ModelType)
	}
	sizes := []struct {
		key   string
		value int
	}{
		{"hidden_size", c.HiddenSize}, {"num_hidden_layers", c.NumHiddenLayers},
		{"num_attention_heads", c.NumAttentionHeads}, {"intermediate_size", c.IntermediateSize},
		{"num_conv_pos_embeddings", c.NumConvPosEmbeddings},
		{"num_conv_pos_embedding_groups", c.NumConvPosEmbeddingGroups},
	}
	for _, s := range sizes {
		if s.value < 1 || s.value > maxSize {
			return c.errorf(s.key, "%d, want 1 to %d", s.value, maxSize)
		}
	}
	if c.HiddenSize%c.NumAttentionHeads != 0 {
		return c.errorf("num_attention_heads", "%d does not divide hidden_size %d", c.NumAttentionHeads, c.HiddenSize)
	}
	if c.HiddenSize%c.NumConvPosEmbeddingGroups != 0 {
		return c.errorf("num_conv_pos_embedding_groups", "%d does not divide hidden_size %d", c.NumConvPosEmbeddingGroups, c.HiddenSize)
	}
	if err := c.validateFront(); err != nil {
		return err
	}
	rates := []struct {
		key   string
		value float64
	}{
		{"hidden_dropout", c.HiddenDropout}, {"activation_dropout", c.ActivationDropout},
		{"attention_dropout", c.AttentionDropout}, {"feat_proj_dropout", c.FeatProjDropout}, {"layerdrop", c.LayerDrop},
		{"mask_time_prob", c.MaskTimeProb}, {"mask_feature_prob", c.MaskFeatureProb},
	}
	for _, r := range rates {
		if !(r.value >= 0 && r.value < 1) {
			return c.errorf(r.key, "%g, want a probability from 0 up to but not 1", r.value)
		}
	}
	if !(c.LayerNormEps > 0 && c.LayerNormEps < 1) {
		return c.errorf("layer_norm_eps", "%g, want a number between 0 and 1", c.LayerNormEps)
	}
	if !(c.InitializerRange >= 0 && c.InitializerRange < math.MaxFloat32) {
		return c.errorf("initializer_range", "%g, want a finite number of at least 0", c.InitializerRange)
	}
	if math.IsNaN(c.AttentionRelax) || math.IsInf(c.AttentionRelax, 0) {
		return c.errorf("attention_relax", "%g, want a finite number", c.AttentionRelax)
	}
	if c.HiddenAct != "gelu" {
		return c.errorf("hidden_act", "%q is not supported, want \"gelu\"", c.HiddenAct)
	}
	if c.DeepNorm && c.DoStableLayerNorm {
		return c.errorf("deepnorm", "true goes with post-LN layers: want do_stable_layer_norm false")
	}
	if c.ConvPosBatchNorm {
		return c.errorf("conv_pos_batch_norm", "true is not supported: MERT's positional convolution has a weight norm")
	}
	if c.SampleRate < 0 {
		return c.errorf("sample_rate", "%d, want a positive number of Hz", c.SampleRate)
	}
	return c.validateCQT()
}

func (c Config) validateFront() error {
	n := len(c.ConvDim)
	if n == 0 || n > 64 {
		return c.errorf("conv_dim", "%d layers, want 1 to 64", n)
	}
	if len(c.ConvKernel) != n || len(c.ConvStride) != n {
		return c.errorf("conv_dim", "%d layers, but conv_kernel has %d and conv_stride %d", n, len(c.ConvKernel), len(c.ConvStride))
	}
	hop := 1
	for i := range n {
		for _, s := range []struct {
			key   string
			value int
		}{{"conv_dim", c.ConvDim[i]}, {"conv_kernel", c.ConvKernel[i]}, {"conv_stride", c.ConvStride[i]}} {
			if s.value < 1 || s.value > maxSize {
				return c.errorf(s.key, "layer %d: %d, want 1 to %d", i, s.value, maxSize)
			}
		}
		if hop *= c.ConvStride[i]; hop > math.MaxInt32 {
			return c.errorf("conv_stride", "the product of the strides is above %d", math.MaxInt32)
		}
	}
	if c.FeatExtractNorm != "group" && c.FeatExtractNorm != "layer" {
		return c.errorf("feat_extract_norm", "%q, want \"group\" or \"layer\"", c.FeatExtractNorm)
	}
	if c.FeatExtractActivation != "gelu" {
		return c.errorf("feat_extract_activation", "%q is not supported, want \"gelu\"", c.FeatExtractActivation)
	}
	return nil
}

// errorf is an ErrConfig about one key.
func (c Config) errorf(key, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrConfig, key, fmt.Sprintf(format, args...))
}
