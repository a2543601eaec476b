package encodec

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// ErrConfig marks a configuration that is malformed, or that describes a model which this package does not run.
var ErrConfig = errors.New("invalid EnCodec config")

// Config is the part of a Hugging Face config.json that decides the codes. Make one with [ParseConfig] or
// [DefaultConfig]: the zero value is not valid.
type Config struct {
	ModelType          string    `json:"model_type"`        // "encodec"
	TargetBandwidths   []float64 `json:"target_bandwidths"` // kbit/s; the largest decides the number of codebooks
	SamplingRate       int       `json:"sampling_rate"`     // Hz
	AudioChannels      int       `json:"audio_channels"`    // 1
	Normalize          bool      `json:"normalize"`         // false
	ChunkLength        *float64  `json:"chunk_length_s"`    // null
	HiddenSize         int       `json:"hidden_size"`       // channels of an embedding
	NumFilters         int       `json:"num_filters"`       // channels of the first convolution; they double at every stride
	NumResidualLayers  int       `json:"num_residual_layers"`
	UpsamplingRatios   []int     `json:"upsampling_ratios"` // the decoder's strides: the encoder has them in reverse
	NormType           string    `json:"norm_type"`         // "weight_norm"
	KernelSize         int       `json:"kernel_size"`
	LastKernelSize     int       `json:"last_kernel_size"`
	ResidualKernelSize int       `json:"residual_kernel_size"`
	DilationGrowthRate int       `json:"dilation_growth_rate"`
	UseCausalConv      bool      `json:"use_causal_conv"` // true
	PadMode            string    `json:"pad_mode"`        // "reflect"
	Compress           int       `json:"compress"`        // residual blocks narrow their channels by it
	NumLSTMLayers      int       `json:"num_lstm_layers"`
	CodebookSize       int       `json:"codebook_size"` // a power of 2
	CodebookDim        *int      `json:"codebook_dim"`  // null or hidden_size
	UseConvShortcut    bool      `json:"use_conv_shortcut"`
}

// DefaultConfig is transformers' EncodecConfig without arguments, which is facebook/encodec_24khz.
func DefaultConfig() Config {
	return Config{
		ModelType: "encodec", TargetBandwidths: []float64{1.5, 3, 6, 12, 24}, SamplingRate: 24000, AudioChannels: 1,
		HiddenSize: 128, NumFilters: 32, NumResidualLayers: 1, UpsamplingRatios: []int{8, 5, 4, 2}, NormType: "weight_norm",
		KernelSize: 7, LastKernelSize: 7, ResidualKernelSize: 3, DilationGrowthRate: 2, UseCausalConv: true, PadMode: "reflect",
		Compress: 2, NumLSTMLayers: 2, CodebookSize: 1024, UseConvShortcut: true,
	}
}

// ParseConfig reads a config.json. Keys that it does not know are about the decoder or training and are passed over;
// keys that are absent take transformers' defaults. Errors are [ErrConfig] and name the key.
func ParseConfig(data []byte) (Config, error) {
	c := DefaultConfig()
	c.TargetBandwidths, c.UpsamplingRatios = nil, nil
	if err := json.Unmarshal(data, &c); err != nil {
		var mistyped *json.UnmarshalTypeError
		if errors.As(err, &mistyped) && mistyped.Field != "" {
			return Config{}, errConfig(mistyped.Field, "a JSON %s, want %s", mistyped.Value, mistyped.Type)
		}
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if c.TargetBandwidths == nil {
		c.TargetBandwidths = DefaultConfig().TargetBandwidths
	}
	if c.UpsamplingRatios == nil {
		c.UpsamplingRatios = DefaultConfig().UpsamplingRatios
	}
	return c, c.Validate()
}

// Bounds on sizes, so that no product of them overflows and a config cannot ask for more than its weights hold.
const (
	maxSize     = 1 << 14
	maxHop      = 1 << 16
	maxLookBack = 1 << 20 // samples
)

// Validate reports the first key that is out of range or not supported, as an [ErrConfig].
func (c Config) Validate() error {
	sizes := []struct {
		key        string
		value, max int
	}{
		{"sampling_rate", c.SamplingRate, math.MaxInt32}, {"hidden_size", c.HiddenSize, maxSize},
		{"num_filters", c.NumFilters, maxSize}, {"num_residual_layers", c.NumResidualLayers, 8},
		{"kernel_size", c.KernelSize, 64}, {"last_kernel_size", c.LastKernelSize, 64},
		{"residual_kernel_size", c.ResidualKernelSize, 64}, {"dilation_growth_rate", c.DilationGrowthRate, 16},
		{"compress", c.Compress, c.NumFilters}, {"num_lstm_layers", c.NumLSTMLayers, 16}, {"codebook_size", c.CodebookSize, 1 << 15},
	}
	for _, s := range sizes {
		if s.value < 1 || s.value > s.max {
			return errConfig(s.key, "%d, want 1 to %d", s.value, s.max)
		}
	}
	if n := len(c.UpsamplingRatios); n < 1 || n > 16 || c.NumFilters<<n > maxSize {
		return errConfig("upsampling_ratios", "%d strides that double %d filters, want 1 to 16 and at most %d", n, c.NumFilters, maxSize)
	}
	hop := 1
	for _, r := range c.UpsamplingRatios {
		if r < 1 || r > maxHop || hop*r > maxHop {
			return errConfig("upsampling_ratios", "%v, want positive strides with a product of up to %d", c.UpsamplingRatios, maxHop)
		}
		hop *= r
	}
	switch {
	case c.ModelType != "encodec":
		return errConfig("model_type", "%q, want \"encodec\"", c.ModelType)
	case c.AudioChannels != 1:
		return errConfig("audio_channels", "%d, want 1: only mono models such as encodec_24khz are supported", c.AudioChannels)
	case c.Normalize:
		return errConfig("normalize", "true is not supported")
	case c.ChunkLength != nil:
		return errConfig("chunk_length_s", "%g, want null: models that encode in chunks are not supported", *c.ChunkLength)
	case c.NormType != "weight_norm":
		return errConfig("norm_type", "%q is not supported, want \"weight_norm\"", c.NormType)
	case !c.UseCausalConv:
		return errConfig("use_causal_conv", "false is not supported")
	case c.PadMode != "reflect":
		return errConfig("pad_mode", "%q is not supported, want \"reflect\"", c.PadMode)
	case c.CodebookSize&(c.CodebookSize-1) != 0 || c.CodebookSize < 2:
		return errConfig("codebook_size", "%d, want a power of 2", c.CodebookSize)
	case c.CodebookDim != nil && *c.CodebookDim != c.HiddenSize:
		return errConfig("codebook_dim", "%d, want hidden_size %d", *c.CodebookDim, c.HiddenSize)
	}
	if n := c.lookBack(); n > maxLookBack {
		return errConfig("dilation_growth_rate", "%d for %d layers: a frame looks back on %d samples, want at most %d",
			c.DilationGrowthRate, c.NumResidualLayers, n, maxLookBack)
	}
	return c.validateBandwidths()
}

// lookBack is the number of samples before its own hop that the input of a frame's LSTM step depends on: 478 in
// encodec_24khz.
func (c Config) lookBack() int {
	samples, row := c.KernelSize-1, 1 // row: samples between rows of a level
	for _, stride := range c.strides() {
		dilation := 1
		for range c.NumResidualLayers {
			samples += (c.ResidualKernelSize - 1) * dilation * row
			dilation *= c.DilationGrowthRate
		}
		samples += stride * row
		row *= stride
	}
	return samples
}

func (c Config) validateBandwidths() error {
	if len(c.TargetBandwidths) == 0 {
		return errConfig("target_bandwidths", "none given")
	}
	for _, b := range c.TargetBandwidths {
		if !(b > 0 && b <= 1e6) {
			return errConfig("target_bandwidths", "%g kbit/s, want a positive number", b)
		}
	}
	if n := c.Codebooks(); n < 1 || n > 1024 {
		return errConfig("target_bandwidths", "%v kbit/s make %d codebooks, want 1 to 1024", c.TargetBandwidths, n)
	}
	return nil
}

// Hop is the distance between frames in samples.
func (c Config) Hop() int {
	hop := 1
	for _, r := range c.UpsamplingRatios {
		hop *= r
	}
	return hop
}

// FrameRate is the number of frames a second, rounded up as transformers does.
func (c Config) FrameRate() int { return (c.SamplingRate + c.Hop() - 1) / c.Hop() }

// Frames is the number of frames of a recording: its samples divided by the hop, rounded up.
func (c Config) Frames(samples int) int { return (samples + c.Hop() - 1) / c.Hop() }

// Codebooks is the number of codebooks that the last, highest bandwidth uses: 32 in encodec_24khz.
func (c Config) Codebooks() int {
	return int(1000 * c.TargetBandwidths[len(c.TargetBandwidths)-1] / float64(c.FrameRate()*bits.Len(uint(c.CodebookSize-1))))
}

// strides are the encoder's, in its order.
func (c Config) strides() []int {
	s := slices.Clone(c.UpsamplingRatios)
	slices.Reverse(s)
	return s
}

// width is the number of channels of the LSTM.
func (c Config) width() int { return c.NumFilters << len(c.UpsamplingRatios) }

// errConfig is an ErrConfig about one key.
func errConfig(key, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrConfig, key, fmt.Sprintf(format, args...))
}
