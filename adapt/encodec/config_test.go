package encodec

import (
	"errors"
	"strings"
	"testing"
)

func TestDefaultConfigIsEncodec24khz(t *testing.T) {
	c := caseConfig(t, "24khz")
	if c.Hop() != 320 || c.FrameRate() != 75 || c.Codebooks() != 32 || c.width() != 512 {
		t.Errorf("hop %d, %d frames a second, %d codebooks, %d channels in the LSTM", c.Hop(), c.FrameRate(), c.Codebooks(), c.width())
	}
	for samples, frames := range map[int]int{1: 1, 320: 1, 321: 2, 120000: 375, 120001: 376} {
		if c.Frames(samples) != frames {
			t.Errorf("%d samples make %d frames, want %d", samples, c.Frames(samples), frames)
		}
	}
	if c.lookBack() != 478 {
		t.Errorf("a frame looks back on %d samples, want 478", c.lookBack())
	}
	parameters := 0
	table := c.weights()
	for _, w := range table {
		n := 1
		for _, d := range w.shape {
			n *= d
		}
		if strings.HasPrefix(w.name, "encoder.") {
			parameters += n
		}
	}
	// 62 tensors of 7 425 792 parameters are transformers' count for EncodecConfig().
	if len(table) != 62+32 || parameters != 7425792 {
		t.Errorf("%d tensors, the encoder's of %d parameters, want 94 and 7425792", len(table), parameters)
	}
	empty, err := ParseConfig([]byte(`{}`))
	if err != nil || empty.Codebooks() != 32 || empty.Hop() != 320 {
		t.Errorf("an empty config is %+v, %v, want transformers' defaults", empty, err)
	}
}

func TestConfigRefuses(t *testing.T) {
	for document, want := range map[string]string{
		`[]`:                               "cannot unmarshal array",
		`{`:                                "unexpected end",
		`{"model_type": "dac"}`:            `model_type: "dac", want "encodec"`,
		`{"num_filters": "many"}`:          "num_filters: a JSON string, want int",
		`{"num_filters": 0}`:               "num_filters: 0, want 1 to",
		`{"num_filters": 9000}`:            "upsampling_ratios: 4 strides that double 9000 filters",
		`{"hidden_size": 100000}`:          "hidden_size: 100000",
		`{"compress": 64}`:                 "compress: 64, want 1 to 32",
		`{"upsampling_ratios": []}`:        "upsampling_ratios: 0 strides",
		`{"upsampling_ratios": [8, 0]}`:    "upsampling_ratios: [8 0]",
		`{"upsampling_ratios": [65536,2]}`: "product of up to",
		`{"audio_channels": 2}`:            "audio_channels: 2, want 1",
		`{"normalize": true}`:              "normalize: true",
		`{"chunk_length_s": 1.0}`:          "chunk_length_s: 1, want null",
		`{"norm_type": "time_group_norm"}`: "norm_type",
		`{"use_causal_conv": false}`:       "use_causal_conv",
		`{"pad_mode": "constant"}`:         `pad_mode: "constant"`,
		`{"codebook_size": 1000}`:          "codebook_size: 1000, want a power of 2",
		`{"codebook_size": 1}`:             "codebook_size: 1",
		`{"codebook_dim": 64}`:             "codebook_dim: 64, want hidden_size 128",
		`{"target_bandwidths": []}`:        "target_bandwidths: none",
		`{"target_bandwidths": [0.1]}`:     "make 0 codebooks",
		`{"target_bandwidths": [-1]}`:      "-1 kbit/s",
		`{"target_bandwidths": [1e5]}`:     "codebooks, want 1 to 1024",
		`{"num_residual_layers": 8, "dilation_growth_rate": 16}`: "dilation_growth_rate: 16 for 8 layers",
		`{"sampling_rate": -24000}`:                              "sampling_rate: -24000",
	} {
		if _, err := ParseConfig([]byte(document)); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", document, err, want)
		}
	}
}

// FuzzParseConfig: any document is refused, or gives a table of weights that can be stated without overflow.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"upsampling_ratios": [2, 2], "num_residual_layers": 8, "dilation_growth_rate": 16}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig(data)
		if err != nil {
			if !errors.Is(err, ErrConfig) {
				t.Fatal(err)
			}
			return
		}
		for _, w := range c.weights() {
			for _, d := range w.shape {
				if d < 1 || d > 1<<22 {
					t.Fatalf("%s: shape %v", w.name, w.shape)
				}
			}
		}
	})
}
