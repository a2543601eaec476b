package sweep

import (
	"errors"
	"fmt"
	"math"

	"syncretic/checkpoint/recipe"
)

// ErrConfig marks a configuration that is wrong or does not fit the study it is used with.
var ErrConfig = errors.New("invalid sweep config")

// Config is the YAML of `syncretic sweep run`. Relative paths resolve against the working directory.
type Config struct {
	Base    string            `yaml:"base" json:"base"`       // a MODEL
	Vectors map[string]string `yaml:"vectors" json:"vectors"` // name: a vector file or a tuned MODEL
	Lambda  LambdaConfig      `yaml:"lambda" json:"lambda"`
	Probe   ProbeConfig       `yaml:"probe" json:"probe"`
	Metric  Metric            `yaml:"metric" json:"metric"` // default roc_auc
	Rho     float64           `yaml:"rho" json:"rho"`       // default DefaultRho
	Seed    uint64            `yaml:"seed" json:"seed"`
	Study   string            `yaml:"study" json:"-"` // path of the SQLite file; where it lies changes no result
}

// LambdaConfig is the grid: either values, or from, to and steps (the number of points, both ends included); neither
// means [DefaultValues].
type LambdaConfig struct {
	Mode      Mode      `yaml:"mode" json:"mode"` // default shared
	Values    []float64 `yaml:"values" json:"values"`
	From      *float64  `yaml:"from" json:"-"`
	To        *float64  `yaml:"to" json:"-"`
	Steps     int       `yaml:"steps" json:"-"`
	MaxTrials int       `yaml:"max_trials" json:"-"` // default DefaultMaxTrials
}

// ProbeConfig says what every trial is measured on.
type ProbeConfig struct {
	Datasets []DatasetConfig `yaml:"datasets" json:"datasets"`
	Head     string          `yaml:"head" json:"head"`     // default logistic; package probe knows the kinds
	Window   float64         `yaml:"window" json:"window"` // s, default 5; 0 is the whole file at once
}

// DatasetConfig names one labelled manifest.
type DatasetConfig struct {
	Name     string `yaml:"name" json:"name"`
	Manifest string `yaml:"manifest" json:"manifest"`
	Western  bool   `yaml:"western" json:"western"`
	Tags     int    `yaml:"tags" json:"tags"` // the most frequent tags to keep, 0 keeps all
}

// ParseConfig reads a config strictly: an unknown key is an error that names its line and the nearest known key. In the
// result every default is filled in and Lambda.Values holds the grid. Every error wraps [ErrConfig].
func ParseConfig(data []byte) (Config, error) {
	cfg := Config{
		Lambda: LambdaConfig{Mode: Shared},
		Probe:  ProbeConfig{Head: "logistic", Window: 5},
		Metric: ROCAUC,
		Rho:    DefaultRho,
	}
	if err := recipe.Decode(data, &cfg); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := cfg.complete(); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

// complete fills in the grid and checks what YAML's types do not.
func (c *Config) complete() error {
	switch {
	case c.Base == "":
		return fmt.Errorf("%w: base is missing", ErrConfig)
	case c.Study == "":
		return fmt.Errorf("%w: study is missing: the path of the SQLite file to keep trials in", ErrConfig)
	}
	for _, name := range sortedKeys(c.Vectors) {
		if c.Vectors[name] == "" {
			return fmt.Errorf("%w: vectors: %s has no path", ErrConfig, name)
		}
	}
	if err := c.Lambda.grid(); err != nil {
		return err
	}
	if err := c.Space().Check(); err != nil {
		return err
	}
	if err := c.Rule().Check(); err != nil {
		return err
	}
	return c.Probe.check()
}

func (l *LambdaConfig) grid() error {
	ranged := l.From != nil || l.To != nil || l.Steps != 0
	switch {
	case len(l.Values) > 0 && ranged:
		return fmt.Errorf("%w: lambda has both values and from/to/steps", ErrConfig)
	case len(l.Values) > 0:
		return nil
	case !ranged:
		l.Values = DefaultValues()
		return nil
	case l.From == nil || l.To == nil || l.Steps == 0:
		return fmt.Errorf("%w: lambda needs all of from, to and steps", ErrConfig)
	case l.Steps < 2 || l.Steps > 10_000 || !(*l.From < *l.To) || math.IsInf(*l.To-*l.From, 0):
		return fmt.Errorf("%w: lambda from %v to %v in %d steps: want from < to and 2 to 10000 steps", ErrConfig, *l.From, *l.To, l.Steps)
	}
	l.Values = Grid(*l.From, *l.To, l.Steps)
	return nil
}

func (p ProbeConfig) check() error {
	if len(p.Datasets) == 0 {
		return fmt.Errorf("%w: probe.datasets is empty: there is nothing to choose lambda by", ErrConfig)
	}
	if !(p.Window == 0 || p.Window >= 1) || math.IsInf(p.Window, 0) {
		return fmt.Errorf("%w: probe.window %v s, want 0 (whole items) or at least 1", ErrConfig, p.Window)
	}
	seen, others := map[string]bool{}, 0
	for i, d := range p.Datasets {
		switch {
		case d.Name == "" || d.Manifest == "":
			return fmt.Errorf("%w: probe.datasets[%d]: name and manifest are required", ErrConfig, i)
		case seen[d.Name]:
			return fmt.Errorf("%w: probe.datasets[%d]: name %q is taken", ErrConfig, i, d.Name)
		case d.Tags < 0:
			return fmt.Errorf("%w: probe.datasets[%d]: tags %d, want >= 0", ErrConfig, i, d.Tags)
		}
		seen[d.Name] = true
		if !d.Western {
			others++
		}
	}
	if others == 0 {
		return fmt.Errorf("%w: every dataset of probe.datasets is western: lambda is chosen by the others", ErrConfig)
	}
	return nil
}

// Space is the grid of the config; vectors are added in the order of their names.
func (c Config) Space() Space {
	return Space{Mode: c.Lambda.Mode, Vectors: sortedKeys(c.Vectors), Values: c.Lambda.Values, MaxTrials: c.Lambda.MaxTrials}
}

// Rule is the selection rule of the config.
func (c Config) Rule() Rule { return Rule{Metric: c.Metric, Rho: c.Rho} }
