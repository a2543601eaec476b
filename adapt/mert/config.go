package mert

import (
	_ "embed"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// ErrConfig marks a configuration that is malformed, or that describes an encoder which this package does not build.
var ErrConfig = errors.New("invalid encoder config")

// Config is the architecture of an encoder, with the keys of a Hugging Face config.json. Make one with [ParseConfig],
// [DefaultConfig] or [Base95M]: the zero value is not valid. Keys that this package does not know are kept by
// ParseConfig and written back by [Config.JSON].
type Config struct {
	ModelType         string   `json:"model_type"`    // "hubert", "mert_model" or "music_hubert"
	Architectures     []string `json:"architectures"` // kept for transformers
	HiddenSize        int      `json:"hidden_size"`
	NumHiddenLayers   int      `json:"num_hidden_layers"`
	NumAttentionHeads int      `json:"num_attention_heads"`
	IntermediateSize  int      `json:"intermediate_size"`
	HiddenAct         string   `json:"hidden_act"` // "gelu", the exact erf form
	LayerNormEps      float64  `json:"layer_norm_eps"`
	InitializerRange  float64  `json:"initializer_range"` // standard deviation of the transformer's linear weights in New

	HiddenDropout     float64 `json:"hidden_dropout"`
	ActivationDropout float64 `json:"activation_dropout"`
	AttentionDropout  float64 `json:"attention_dropout"`
	FeatProjDropout   float64 `json:"feat_proj_dropout"`
	LayerDrop         float64 `json:"layerdrop"`

	FeatExtractNorm       string `json:"feat_extract_norm"`       // "group" (first layer only) or "layer" (every layer)
	FeatExtractActivation string `json:"feat_extract_activation"` // "gelu"
	ConvDim               []int  `json:"conv_dim"`
	ConvStride            []int  `json:"conv_stride"`
	ConvKernel            []int  `json:"conv_kernel"`
	ConvBias              bool   `json:"conv_bias"`
	FeatProjLayerNorm     bool   `json:"feat_proj_layer_norm"`

	NumConvPosEmbeddings      int  `json:"num_conv_pos_embeddings"`
	NumConvPosEmbeddingGroups int  `json:"num_conv_pos_embedding_groups"`
	DoStableLayerNorm         bool `json:"do_stable_layer_norm"` // pre-LN layers and one LayerNorm after the stack

	// As in transformers, masked_spec_embed exists when either probability is above zero. Spans are the caller's
	// business: this package masks what Input.Mask says.
	MaskTimeProb    float64 `json:"mask_time_prob"`
	MaskFeatureProb float64 `json:"mask_feature_prob"`

	SampleRate       int     `json:"sample_rate,omitempty"`         // Hz; 0 means 24000
	AttentionRelax   float64 `json:"attention_relax,omitempty"`     // an fp16 safeguard with the same result: accepted, no effect
	DeepNorm         bool    `json:"deepnorm,omitempty"`            // residuals and fresh weights scaled by the depth; post-LN only
	ConvPosBatchNorm bool    `json:"conv_pos_batch_norm,omitempty"` // must be false

	// FeatureExtractorCQT concatenates constant-Q rows to the convolutional features, ahead of the projection.
	// The keys after Bins are this package's own; zero means the default named there.
	FeatureExtractorCQT              bool    `json:"feature_extractor_cqt,omitempty"`
	FeatureExtractorCQTBins          int     `json:"feature_extractor_cqt_bins,omitempty"`            // 336
	FeatureExtractorCQTFMin          float64 `json:"feature_extractor_cqt_fmin,omitempty"`            // Hz; 32.7
	FeatureExtractorCQTBinsPerOctave int     `json:"feature_extractor_cqt_bins_per_octave,omitempty"` // bins / 7
	FeatureExtractorCQTMaxWindow     int     `json:"feature_extractor_cqt_max_window,omitempty"`      // samples; no limit
	FeatureExtractorCQTLogFloor      float64 `json:"feature_extractor_cqt_log_floor,omitempty"`       // 0: magnitudes without logarithm
	FeatureExtractorCQTMean          float64 `json:"feature_extractor_cqt_mean,omitempty"`            // 0
	FeatureExtractorCQTStd           float64 `json:"feature_extractor_cqt_std,omitempty"`             // 1

	// CentredConvInit, this package's own, makes New subtract each filter's mean in conv layers 1 and up, which lets
	// small encoders learn from raw audio much sooner.
	CentredConvInit bool `json:"centred_conv_init,omitempty"`

	document map[string]json.RawMessage // the config.json this came from, unknown keys included
}

//go:embed base95m.json
var base95M []byte

// Base95M is the released configuration of m-a-p/MERT-v1-95M, byte for byte the same as its config.json.
func Base95M() Config {
	c, err := ParseConfig(base95M)
	if err != nil {
		panic(err) // the embedded file is part of this package
	}
	return c
}

// DefaultConfig is transformers' HubertConfig without arguments: the sizes of HuBERT base.
func DefaultConfig() Config {
	return Config{
		ModelType: "hubert", Architectures: []string{"HubertModel"},
		HiddenSize: 768, NumHiddenLayers: 12, NumAttentionHeads: 12, IntermediateSize: 3072,
		HiddenAct: "gelu", LayerNormEps: 1e-5, InitializerRange: 0.02,
		HiddenDropout: 0.1, ActivationDropout: 0.1, AttentionDropout: 0.1, LayerDrop: 0.1,
		FeatExtractNorm: "group", FeatExtractActivation: "gelu", FeatProjLayerNorm: true,
		ConvDim:              []int{512, 512, 512, 512, 512, 512, 512},
		ConvStride:           []int{5, 2, 2, 2, 2, 2, 2},
		ConvKernel:           []int{10, 3, 3, 3, 3, 2, 2},
		NumConvPosEmbeddings: 128, NumConvPosEmbeddingGroups: 16,
		MaskTimeProb: 0.05,
	}
}

// Rate is the sample rate in Hz: sample_rate, or 24000 where the config has none.
func (c Config) Rate() int {
	if c.SampleRate == 0 {
		return 24000
	}
	return c.SampleRate
}

// Hop is the distance between frames in samples: the product of the strides.
func (c Config) Hop() int {
	hop := 1
	for _, s := range c.ConvStride {
		hop *= s
	}
	return hop
}

// ReceptiveField is the shortest input in samples that gives a frame.
func (c Config) ReceptiveField() int {
	n := 1
	for i := len(c.ConvKernel) - 1; i >= 0; i-- {
		n = (n-1)*c.ConvStride[i] + c.ConvKernel[i]
	}
	return n
}

// Frames is the number of frames that a clip of that many samples gives: floor((n-kernel)/stride)+1, chained over the
// convolutions; 0 where the clip is shorter than the receptive field.
func (c Config) Frames(samples int) int {
	n := samples
	for i, k := range c.ConvKernel {
		if n < k {
			return 0
		}
		n = (n-k)/c.ConvStride[i] + 1
	}
	return n
}

// featureDim is the width of what goes into the feature projection.
func (c Config) featureDim() int {
	d := c.ConvDim[len(c.ConvDim)-1]
	if c.FeatureExtractorCQT {
		d += c.cqtBins()
	}
	return d
}

// clone is a deep copy, so that no two holders share a slice.
func (c Config) clone() Config {
	c.Architectures = slices.Clone(c.Architectures)
	c.ConvDim, c.ConvStride, c.ConvKernel = slices.Clone(c.ConvDim), slices.Clone(c.ConvStride), slices.Clone(c.ConvKernel)
	c.document = maps.Clone(c.document)
	return c
}
