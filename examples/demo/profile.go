package demo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"syncretic/adapt"
)

// Profile says how large the demonstration is. The settings come from measurement on the same miniature: many small steps, a
// heavy weight on the normalised spectrum and centred filters are what lets so small an encoder learn from raw audio.
type Profile struct {
	Name         string         `json:"name"`
	About        string         `json:"about"`
	Seconds      float64        `json:"seconds"` // of a clip
	Train        int            `json:"train"`   // clips a culture
	Valid        int            `json:"valid"`   // clips a culture
	Test         int            `json:"test"`    // clips a culture
	Encoder      map[string]any `json:"encoder"`
	CodebookDim  int            `json:"codebook_dim"`
	CropSeconds  float64        `json:"crop_seconds"` // of a training crop
	Clips        int            `json:"clips"`        // in a batch
	Base         adapt.Stage    `json:"base"`
	Stages       []adapt.Stage  `json:"stages"`
	Heldout      int            `json:"heldout"`       // clips a culture for the masked loss
	ProbeSeconds float64        `json:"probe_seconds"` // how much of each clip the probes hear
	Lambdas      []float64      `json:"lambdas"`
	Replicates   int            `json:"replicates"` // of the bootstrap
}

// DefaultProfile is the name of the profile that runs when none is asked for.
const DefaultProfile = "default"

// Profiles lists the names of all profiles.
func Profiles() []string { return slices.Sorted(maps.Keys(profiles())) }

// FindProfile looks a profile up by name.
func FindProfile(name string) (Profile, error) {
	p, ok := profiles()[name]
	if !ok {
		return Profile{}, fmt.Errorf("%w: no profile %q; there are %s", adapt.ErrConfig, name, strings.Join(Profiles(), ", "))
	}
	return p, nil
}

func profiles() map[string]Profile {
	front := adapt.FrontEnd()
	raw := Profile{
		Name: DefaultProfile, About: "raw audio, about five minutes on two cores",
		Seconds: 4, Train: 200, Valid: 60, Test: 140,
		Encoder: encoder(32, 96, 3, 4), CodebookDim: 32, CropSeconds: 1, Clips: 8,
		Base:    stage("base", 1500, 3e-3, nil, 0),
		Stages:  []adapt.Stage{stage("front-end", 100, 1.5e-3, front, 0.2), stage("all", 450, 1.5e-3, nil, 0)},
		Heldout: 60, ProbeSeconds: 2.5, Lambdas: []float64{0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1}, Replicates: 1000,
	}
	long := raw
	long.Name, long.About = "long", "raw audio, more clips, a larger encoder and more steps: an evening on two cores"
	long.Train, long.Valid, long.Test, long.Heldout = 800, 200, 400, 200
	long.Encoder = encoder(48, 144, 4, 6)
	long.Base = stage("base", 12000, 2e-3, nil, 0)
	long.Stages = []adapt.Stage{stage("front-end", 600, 1e-3, front, 0.2), stage("all", 2400, 1e-3, nil, 0)}
	long.Lambdas = []float64{0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1}
	long.ProbeSeconds = 4

	quick := raw
	quick.Name, quick.About = "quick", "a smaller encoder that is also given the spectrum, under 90 seconds on two cores: for checks"
	quick.Train, quick.Valid, quick.Test, quick.Heldout = 100, 40, 60, 40
	quick.Encoder = encoder(16, 64, 2, 4)
	quick.Encoder["feature_extractor_cqt"] = true
	quick.CodebookDim = 16
	quick.Base = stage("base", 250, 3e-3, nil, 0)
	quick.Stages = []adapt.Stage{stage("front-end", 20, 1.5e-3, front, 0.2), stage("all", 160, 2.5e-3, nil, 0)}
	quick.ProbeSeconds = 1.5
	quick.Lambdas = []float64{0, 0.1, 0.25, 0.4, 1}
	quick.Replicates = 400
	return map[string]Profile{raw.Name: raw, long.Name: long, quick.Name: quick}
}

func stage(name string, steps int, peak float64, train []string, replay float64) adapt.Stage {
	return adapt.Stage{Name: name, Steps: steps, Train: train, Replay: replay, LR: adapt.Schedule{Peak: peak, Warmup: 0.1, Shape: "linear"}}
}

// encoder is MERT's architecture in miniature: the same strides and kernels, so the same 75 frames a second, with pre-layer
// normalisation as in MERT-330M.
func encoder(channels, hidden, layers, heads int) map[string]any {
	conv := func(v ...int) []int { return v }
	return map[string]any{
		"model_type": "hubert", "architectures": []string{"HubertModel"}, "sample_rate": 24000,
		"conv_dim":    conv(channels, channels, channels, channels, channels, channels, channels),
		"conv_kernel": conv(10, 3, 3, 3, 3, 2, 2), "conv_stride": conv(5, 2, 2, 2, 2, 2, 2), "conv_bias": false,
		"feat_extract_norm": "group", "feat_proj_layer_norm": true, "do_stable_layer_norm": true,
		"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": 4 * hidden,
		"num_conv_pos_embeddings": 32, "num_conv_pos_embedding_groups": 4, "centred_conv_init": true,
		"hidden_dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0, "feat_proj_dropout": 0.0, "layerdrop": 0.0,
		"mask_time_prob": 0.05,
	}
}
