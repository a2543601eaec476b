package probe

import (
	"fmt"
	"math"

	"syncretic/adapt/audio"
	"syncretic/checkpoint"
	"syncretic/checkpoint/recipe"
	"syncretic/probe/dataset"
)

// Config is the file of `syncretic probe fit` and `syncretic probe matrix`:
//
//	model: mert-v1-95m              # matrix: models: [base, makam, merged]
//	base: base                      # matrix: the model that others are compared with; left out, the first
//	floors: true                    # matrix: false leaves out an encoder of random weights and log-CQT statistics
//	datasets:
//	  - {name: makam, manifest: makam.csv, tags: 30}
//	  - {name: lyra, format: lyra, root: lyra-dataset/data, audio: lyra/audio}
//	  - {name: mtat, format: magnatagatune, root: MTAT, convention: tagged, western: true}
//	window: 5                        # s; 0 = whole items
//	pool: windows                    # rows that heads are fitted on: windows, or items (the mean over an item's windows)
//	normalize: true                  # each window to mean 0 and variance 1; left out, as the model's preprocessor says
//	resampler: kaiser                # or torchaudio: how files at another rate come to 24 kHz
//	skip_bad: false                  # true leaves out, and names, files that cannot be read
//	cache: features                  # where features are kept; left out, the user's cache folder; none keeps them in memory
//	dtype: float16                   # of features in the cache: float32 or float16
//	head: {kind: mlp}
//	seeds: [1, 2, 3, 4, 5]
//
// Paths are as written; who opens them says what they are relative to.
type Config struct {
	Model    string          `yaml:"model" json:"model,omitempty"`
	Models   []string        `yaml:"models" json:"models,omitempty"`
	Base     string          `yaml:"base" json:"base,omitempty"`     // matrix: a path of Models, its last part, or a floor's name; "" is the first
	Floors   *bool           `yaml:"floors" json:"floors,omitempty"` // matrix: nil is true
	Datasets []DatasetConfig `yaml:"datasets" json:"datasets"`
	Window   float64         `yaml:"window" json:"window"` // s, as ExtractOptions.Window
	// Pool is as ExtractOptions.Pool; "" is PoolWindows for an MLP head, as in MARBLE, and PoolItems for the others.
	Pool Pool `yaml:"pool" json:"pool,omitempty"`
	// Normalize has the encoder bring each window to mean 0 and variance 1, (x-mean)/sqrt(var+1e-7), or leave it as it is; nil does what
	// the model's preprocessor_config.json says. MARBLE sets it for MERT-v1-95M, which was trained without: a comparison must use one for
	// all models.
	Normalize *bool `yaml:"normalize" json:"normalize,omitempty"`

	Resampler audio.Resampling `yaml:"resampler" json:"resampler,omitempty"` // as ExtractOptions.Resampling
	SkipBad   bool             `yaml:"skip_bad" json:"skip_bad,omitempty"`   // as ExtractOptions.SkipBad

	Cache string `yaml:"cache" json:"cache,omitempty"` // folder of features; "" for the default, NoCache for none
	DType string `yaml:"dtype" json:"dtype,omitempty"` // of features in the cache: float32, "" for the same, or float16

	Head  HeadConfig `yaml:"head" json:"head"`
	Seeds []uint64   `yaml:"seeds" json:"seeds"`
}

// DatasetConfig names one dataset and says how it lies on disk; [OpenConfig] opens it.
type DatasetConfig = dataset.Config

// NoCache is the Cache of a configuration that keeps features in memory and nowhere else.
const NoCache = "none"

// ExtractOptions are the configuration's, for all splits. The encoder's identity is the caller's to add, and a
// folder where Cache is "".
func (c Config) ExtractOptions() ExtractOptions {
	o := ExtractOptions{Window: c.Window, Resampling: c.Resampler, SkipBad: c.SkipBad, Pool: c.Pool}
	if o.Pool == "" && c.Head.Kind == MLP {
		o.Pool = PoolWindows
	}
	if c.Cache != NoCache {
		o.Cache = c.Cache
		o.DType, _ = c.dtype()
	}
	return o
}

// dtype is that of features in the cache.
func (c Config) dtype() (checkpoint.DType, error) {
	if c.DType == "" {
		return checkpoint.F32, nil
	}
	d, err := checkpoint.ParseDType(c.DType)
	if err != nil || d != checkpoint.F32 && d != checkpoint.F16 {
		return "", fmt.Errorf("dtype is %q, want float32 or float16", c.DType)
	}
	return d, nil
}

// DefaultConfig returns the settings of keys that a file leaves out: windows of 5 s, DefaultHead, seeds 1 to 5.
func DefaultConfig() Config {
	return Config{Window: 5, Head: DefaultHead(), Seeds: []uint64{1, 2, 3, 4, 5}}
}

// ParseConfig reads a configuration strictly: unknown keys, with the nearest known one, duplicate keys, a second document
// and values out of range are errors that wrap ErrConfig. Keys left out have the values of DefaultConfig. model and
// models may both be missing, for a caller that has the encoder already, but not both be set.
func ParseConfig(doc []byte) (Config, error) {
	cfg := DefaultConfig()
	if err := recipe.Decode(doc, &cfg); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := cfg.validate(); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return cfg, cfg.Head.Validate()
}

func (c Config) validate() error {
	if c.Model != "" && len(c.Models) > 0 {
		return fmt.Errorf("model and models are both set, want one of them")
	}
	if c.Model != "" && (c.Base != "" || c.Floors != nil) {
		return fmt.Errorf("base or floors is set beside model: they are of models")
	}
	for i, m := range c.Models {
		if m == "" {
			return fmt.Errorf("models[%d] is empty", i)
		}
	}
	if len(c.Datasets) == 0 {
		return fmt.Errorf("datasets is missing or empty, want at least one {name, manifest}")
	}
	seen := map[string]bool{}
	for i, d := range c.Datasets {
		switch {
		case d.Name == "":
			return fmt.Errorf("datasets[%d].name is missing", i)
		case seen[d.Name]:
			return fmt.Errorf("datasets[%d].name is %q, which an earlier dataset has", i, d.Name)
		case d.Manifest == "" && d.Format == "":
			return fmt.Errorf("datasets[%d] (%s).manifest is missing, or format and root", i, d.Name)
		}
		if d.Max != nil && *d.Max > 0 && *d.Max < shortest {
			return fmt.Errorf("datasets[%d] (%s).max_seconds is %v, want 0 (no limit) or at least %v", i, d.Name, *d.Max, shortest)
		}
		if err := d.Validate(); err != nil {
			return fmt.Errorf("datasets[%d] (%s): %w", i, d.Name, err)
		}
		seen[d.Name] = true
	}
	if !(c.Window == 0 || c.Window >= shortest) || math.IsInf(c.Window, 0) {
		return fmt.Errorf("window is %v s, want 0 (whole items) or at least %v", c.Window, shortest)
	}
	if c.Pool != "" && c.Pool != PoolWindows && c.Pool != PoolItems {
		return fmt.Errorf("pool is %q, want %s or %s", c.Pool, PoolWindows, PoolItems)
	}
	if _, err := audio.ParseResampling(string(c.Resampler)); err != nil {
		return err
	}
	if d, err := c.dtype(); err != nil {
		return err
	} else if d == checkpoint.F16 && c.Cache == NoCache {
		return fmt.Errorf("dtype is %s, which is of the files of a cache, but cache is %s", c.DType, NoCache)
	}
	if len(c.Seeds) == 0 {
		return fmt.Errorf("seeds is empty, want at least one")
	}
	runs := map[uint64]bool{}
	for _, seed := range c.Seeds {
		if runs[seed] {
			return fmt.Errorf("seeds holds %d twice", seed)
		}
		runs[seed] = true
	}
	return nil
}
