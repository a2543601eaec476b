package sweep

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"syncretic/adapt/audio"
	"syncretic/checkpoint/recipe"
	"syncretic/probe"
	"syncretic/sweep/search"
)

// ErrConfig marks a configuration that is wrong or does not fit the study it is used with.
var ErrConfig = errors.New("invalid sweep config")

// Config is the YAML of `syncretic sweep run`. Relative paths resolve against the working directory in which the study is made.
//
//	base: mert-v1-95m
//	vectors: {makam: vectors/makam.safetensors, carnatic: models/carnatic}
//	experts: {turkish-makam: makam}          # dataset: vector; left out, where the names are the same
//	multi: models/multi                      # a model of all cultures, to compare with
//	method: [task_arithmetic, ties]          # task_arithmetic
//	parameters:
//	  ties: {density: {from: 0.2, to: 1}, normalize: false}
//	lambda: {mode: per-culture, from: 0, to: 1, steps: 21}
//	sampler: {kind: tpe, trials: 200}        # grid
//	halving: {parts: [0.25, 0.5], eta: 3}    # none
//	probe: {datasets: [...], head: logistic, window: 5}
//	masked_loss: {recipe: adapt.yml, heads: models/heads.safetensors, corpora: [...]}
//	metric: roc_auc
//	normalise: true
//	rho: 0.98
//	seed: 1
//	study: study.db                          # or postgres://host/database
//	name: cultures                           # of the study, where a database holds several
type Config struct {
	Base    string            `yaml:"base" json:"base"`                 // a MODEL
	Vectors map[string]string `yaml:"vectors" json:"vectors"`           // name: a vector file or a tuned MODEL
	Experts map[string]string `yaml:"experts" json:"experts,omitempty"` // dataset: the vector of its single-culture expert
	Multi   string            `yaml:"multi" json:"multi,omitempty"`     // a MODEL trained on all cultures, which trials are shown beside

	Method     Words                           `yaml:"method" json:"method,omitempty"` // default DefaultMethod
	Parameters map[string]map[string]Parameter `yaml:"parameters" json:"parameters,omitempty"`
	Lambda     LambdaConfig                    `yaml:"lambda" json:"lambda"`
	Groups     []GroupConfig                   `yaml:"groups" json:"groups,omitempty"` // of layers; default: front-end and three thirds
	Sampler    SamplerConfig                   `yaml:"sampler" json:"sampler"`
	Halving    *HalvingConfig                  `yaml:"halving" json:"halving,omitempty"`

	Probe      ProbeConfig       `yaml:"probe" json:"probe"`
	MaskedLoss *MaskedLossConfig `yaml:"masked_loss" json:"masked_loss,omitempty"`
	Metric     Metric            `yaml:"metric" json:"metric"`                 // default roc_auc, without probe masked_loss
	Normalise  *bool             `yaml:"normalise" json:"normalise,omitempty"` // default: where every culture has its expert
	Rho        float64           `yaml:"rho" json:"rho"`                       // default DefaultRho
	Seed       uint64            `yaml:"seed" json:"seed"`

	Study string `yaml:"study" json:"-"` // a path or a URL; where it lies changes no result
	Name  string `yaml:"name" json:"-"`  // default DefaultName
}

// LambdaConfig is the grid: either values, or from, to and steps (the number of points, both ends included); neither
// means [DefaultValues]. Samplers other than the grid take any number between the ends.
type LambdaConfig struct {
	Mode      Mode      `yaml:"mode" json:"mode"` // default shared
	Values    []float64 `yaml:"values" json:"values"`
	From      *float64  `yaml:"from" json:"-"`
	To        *float64  `yaml:"to" json:"-"`
	Steps     int       `yaml:"steps" json:"-"`
	MaxTrials int       `yaml:"max_trials" json:"-"` // of a grid; default DefaultMaxTrials
}

// GroupConfig is a group of layers: the tensors whose names contain one of the filters, on the terms of a recipe's conditions, and that no
// group before it has. The last one without filters is all that is left; what no group has stays as in the base.
type GroupConfig struct {
	Name    string   `yaml:"name" json:"name"`
	Filters []string `yaml:"filters" json:"filters,omitempty"`
}

// SamplerConfig says how points are proposed.
type SamplerConfig struct {
	Kind       search.Kind `yaml:"kind" json:"kind"` // default grid
	Trials     int         `yaml:"trials" json:"trials,omitempty"`
	Startup    int         `yaml:"startup" json:"startup,omitempty"`
	Population int         `yaml:"population" json:"population,omitempty"`
}

// HalvingConfig is successive halving: a trial is measured on growing parts of the probe's recordings, and given up after a part unless
// it is among the best 1/Eta of the trials that got so far.
type HalvingConfig struct {
	Parts []float64 `yaml:"parts" json:"parts"` // rising, each in (0, 1); all of the data come last and are not named
	Eta   float64   `yaml:"eta" json:"eta"`     // default 3
}

// ProbeConfig says what every trial is measured on by probes; its keys are those of `syncretic probe fit`.
type ProbeConfig struct {
	Datasets  []probe.DatasetConfig `yaml:"datasets" json:"datasets,omitempty"`
	Head      Head                  `yaml:"head" json:"head"`     // default logistic
	Window    float64               `yaml:"window" json:"window"` // s, default 5; 0 is the whole file at once
	Pool      probe.Pool            `yaml:"pool" json:"pool,omitempty"`
	Normalize *bool                 `yaml:"normalize" json:"normalize,omitempty"`
	Resampler audio.Resampling      `yaml:"resampler" json:"resampler,omitempty"`
	SkipBad   bool                  `yaml:"skip_bad" json:"skip_bad,omitempty"`
}

// MaskedLossConfig asks for the masked-prediction loss of every trial, which needs no labels.
type MaskedLossConfig struct {
	Recipe  string             `yaml:"recipe" json:"recipe"` // of `syncretic adapt`: teacher and masks
	Heads   string             `yaml:"heads" json:"heads"`   // the heads that every trial is measured with
	Corpora []LossCorpusConfig `yaml:"corpora" json:"corpora"`
}

// LossCorpusConfig names one corpus of unlabelled audio.
type LossCorpusConfig struct {
	Name     string `yaml:"name" json:"name"`
	Manifest string `yaml:"manifest" json:"manifest"`
	Split    string `yaml:"split" json:"split"` // default valid; test is refused
	Western  bool   `yaml:"western" json:"western"`
}

// ParseConfig reads a config strictly: an unknown key is an error that names its line and the nearest known key. In the
// result every default is filled in and Lambda.Values holds the grid. Every error wraps [ErrConfig].
func ParseConfig(data []byte) (Config, error) {
	cfg := Config{
		Lambda:  LambdaConfig{Mode: Shared},
		Sampler: SamplerConfig{Kind: search.Grid},
		Probe:   ProbeConfig{Head: defaultHead(), Window: 5},
		Rho:     DefaultRho,
		Name:    DefaultName,
	}
	if err := recipe.Decode(data, &cfg); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := cfg.complete(); err != nil {
		if !errors.Is(err, ErrConfig) {
			err = fmt.Errorf("%w: %w", ErrConfig, err)
		}
		return Config{}, err
	}
	return cfg, nil
}

// complete fills in what depends on other keys, and checks what YAML's types do not.
func (c *Config) complete() error {
	switch {
	case c.Base == "":
		return errors.New("base is missing")
	case c.Study == "":
		return errors.New("study is missing: the path of an SQLite file, or a postgres:// URL, to keep trials in")
	case c.Name == "" || len(c.Name) > 200:
		return fmt.Errorf("name %q, want 1 to 200 characters", c.Name)
	}
	for _, name := range sortedKeys(c.Vectors) {
		if c.Vectors[name] == "" {
			return fmt.Errorf("vectors: %s has no path", name)
		}
	}
	if c.Metric == "" {
		c.Metric = ROCAUC
		if len(c.Probe.Datasets) == 0 && c.MaskedLoss != nil {
			c.Metric = MaskedLoss
		}
	}
	for _, check := range []func() error{
		c.Lambda.grid, c.checkGroups, c.checkMethods, func() error { return c.Space().Check() }, c.checkMeasures, c.checkExperts,
		func() error { return c.Rule().Check() }, c.checkSampler, c.checkHalving, c.checkGrid,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (l *LambdaConfig) grid() error {
	ranged := l.From != nil || l.To != nil || l.Steps != 0
	switch {
	case l.MaxTrials < 0:
		return fmt.Errorf("lambda.max_trials is %d, want 1 or more", l.MaxTrials)
	case l.Values != nil && len(l.Values) == 0:
		return errors.New("lambda.values is empty")
	case len(l.Values) > 0 && ranged:
		return errors.New("lambda has both values and from/to/steps")
	case len(l.Values) > 0:
		return nil
	case !ranged:
		l.Values = DefaultValues()
		return nil
	case l.From == nil || l.To == nil || l.Steps == 0:
		return errors.New("lambda needs all of from, to and steps")
	case l.Steps < 2 || l.Steps > 10_000 || !(*l.From < *l.To) || math.IsInf(*l.To-*l.From, 0):
		return fmt.Errorf("lambda from %v to %v in %d steps: want from < to and 2 to 10000 steps", *l.From, *l.To, l.Steps)
	}
	l.Values = Grid(*l.From, *l.To, l.Steps)
	return nil
}

func (c *Config) checkGroups() error {
	if len(c.Groups) > 0 && c.Lambda.Mode != PerGroup {
		return fmt.Errorf("groups of layers are for lambda mode %s, which is %q", PerGroup, c.Lambda.Mode)
	}
	for i, g := range c.Groups {
		rest := len(g.Filters) == 0 && i == len(c.Groups)-1
		if g.Name == "" || len(g.Filters) == 0 && !rest || slices.Contains(g.Filters, "") {
			return fmt.Errorf("groups[%d]: name and filters (parts of tensor names) are required; only the last group may be without filters, of all that is left", i)
		}
	}
	return nil
}

// checkSampler builds the sampler, which knows what it demands of the space.
func (c *Config) checkSampler() error {
	if _, err := c.Setup().sampler(); err != nil {
		return fmt.Errorf("sampler: %w", err)
	}
	kind := c.Sampler.Kind
	switch {
	case c.Sampler.Startup != 0 && kind != search.TPE:
		return fmt.Errorf("sampler.startup is for %s, and not for %s", search.TPE, kind)
	case c.Sampler.Population != 0 && kind != search.CMAES && kind != search.NSGA2:
		return fmt.Errorf("sampler.population is for %s and %s, and not for %s", search.CMAES, search.NSGA2, kind)
	case kind != search.Grid && c.Sampler.Trials < 1:
		return fmt.Errorf("sampler.trials is %d: sampler %s needs a number of trials", c.Sampler.Trials, kind)
	case kind == search.NSGA2 && len(c.measured(true)) == 0:
		return fmt.Errorf("sampler %s searches non-Western against Western scores: metric %s has no western dataset", kind, c.Metric)
	}
	return nil
}

func (c *Config) checkHalving() error {
	h := c.Halving
	if h == nil {
		return nil
	}
	if h.Eta == 0 {
		h.Eta = 3
	}
	if !(h.Eta >= 2) || math.IsInf(h.Eta, 0) || len(h.Parts) == 0 {
		return fmt.Errorf("halving with eta %v and %d parts: want eta of at least 2 and one part or more", h.Eta, len(h.Parts))
	}
	for i, part := range h.Parts {
		if !(part > 0 && part < 1) || i > 0 && part <= h.Parts[i-1] {
			return fmt.Errorf("halving.parts %v: want rising numbers between 0 and 1", h.Parts)
		}
	}
	if c.Sampler.Kind == search.NSGA2 {
		return errors.New("halving decides by one objective, and sampler nsga2 has two")
	}
	if c.Metric == MaskedLoss {
		return fmt.Errorf("halving takes parts of the probes' recordings, and metric %s is always measured in full", MaskedLoss)
	}
	return nil
}

// checkGrid counts the points of a grid.
func (c *Config) checkGrid() error {
	if c.Sampler.Kind != search.Grid {
		return nil
	}
	limit := c.Lambda.MaxTrials
	if limit == 0 {
		limit = DefaultMaxTrials
	}
	if n := c.Space().Params().GridSize(); n > float64(limit) {
		advice := "list fewer values, raise lambda.max_trials or take a sampler such as tpe"
		if c.Lambda.Mode == PerCulture {
			advice += ", or lambda mode shared"
		}
		return fmt.Errorf("the grid has %.0f points, the limit is %d: %s", n, limit, advice)
	}
	return nil
}

// Space is what the config searches; vectors are added in the order of their names.
func (c Config) Space() Space {
	s := Space{Mode: c.Lambda.Mode, Vectors: sortedKeys(c.Vectors), Values: c.Lambda.Values}
	if s.Mode == PerGroup {
		for _, g := range c.Groups {
			s.Groups = append(s.Groups, g.Name)
		}
		if len(c.Groups) == 0 {
			s.Groups = DefaultGroups()
		}
	}
	for _, name := range c.Method {
		s.Methods = append(s.Methods, c.method(name))
	}
	return s
}

// DefaultGroups are the groups of layers of a config that names none.
func DefaultGroups() []string { return []string{"front-end", "lower", "middle", "upper"} }

// Rule is the selection rule of the config.
func (c Config) Rule() Rule { return Rule{Metric: c.Metric, Rho: c.Rho, Experts: c.experts()} }

// Setup is the setup of a config; Inputs and Version are the caller's to add.
func (c Config) Setup() Setup {
	s := Setup{Space: c.Space(), Rule: c.Rule(), Sampler: c.Sampler, Multi: c.Multi != "", Seed: c.Seed, Config: c}
	if c.Halving != nil {
		s.Halving = *c.Halving
	}
	return s
}
