package probe

import (
	"fmt"
	"math"
	"strconv"
)

// The kinds of head.
const (
	MLP      = "mlp"
	Logistic = "logistic"
	Ridge    = "ridge"
)

// The choices of layers beside a single one, which is its number. Layer 0 is the encoder's input projection.
const (
	Upper = "upper" // layers 1..L, what MARBLE calls "all"; the default of mlp
	All   = "all"   // layers 0..L; the default of logistic and ridge
	Grid  = "grid"  // the kind's default and every single layer: the best on valid
)

// HeadConfig says how a head is fitted. Start from [DefaultHead]: the zero value is not usable.
type HeadConfig struct {
	Kind string `yaml:"kind" json:"kind"` // MLP, Logistic or Ridge
	// Layers is Upper, All, Grid, or the number of one layer; "" is the kind's default. An mlp mixes several layers by a
	// learned softmax, logistic and ridge concatenate them.
	Layers string `yaml:"layers" json:"layers"`
	// Standardise shifts and scales every feature to mean 0 and variance 1 on the train items. Logistic and ridge always
	// do; for an mlp, false is MARBLE to the letter.
	Standardise bool `yaml:"standardise" json:"standardise"`
	// Threshold of F1, a probability; 0 tunes it for macro F1 on the valid items.
	Threshold float64 `yaml:"threshold" json:"threshold"`
	Seed      uint64  `yaml:"-" json:"seed"` // of an mlp: initial weights, order of items, dropout

	// Of an mlp.
	Hidden   int     `yaml:"hidden" json:"hidden"`     // units
	Dropout  float64 `yaml:"dropout" json:"dropout"`   // probability, after the ReLU
	LR       Rates   `yaml:"lr" json:"lr"`             // Adam's, at the start; of several the best on valid
	Batch    int     `yaml:"batch" json:"batch"`       // items
	Epochs   int     `yaml:"epochs" json:"epochs"`     // at most
	Patience int     `yaml:"patience" json:"patience"` // epochs without a better valid score before lr is halved
	Stop     int     `yaml:"stop" json:"stop"`         // and before training ends

	// Of logistic and ridge: the strengths to choose from. A strength λ minimises, for each tag,
	//	logistic   Σ_rows log loss + λ/2·‖w‖²       scikit-learn's 1/C
	//	ridge      Σ_rows (z - y)² + λ·‖w‖²         scikit-learn's alpha; y is ±1 for labels
	// the intercept free.
	L2 []float64 `yaml:"l2" json:"l2"`
}

// DefaultHead returns MARBLE's constrained probe (Yuan et al. 2023, arXiv 2306.10548: one hidden layer of 512,
// dropout 0.2, Adam 1e-3, batch 64, halving after 3 epochs, stop after 10, at most 100) on standardised features, F1 at
// 0.5; with Kind set to Logistic or Ridge it is ready too, with strengths 10, 100 and 1000.
func DefaultHead() HeadConfig {
	return HeadConfig{
		Kind: MLP, Standardise: true, Threshold: 0.5,
		Hidden: 512, Dropout: 0.2, LR: Rates{1e-3}, Batch: 64, Epochs: 100, Patience: 3, Stop: 10,
		L2: []float64{10, 100, 1000},
	}
}

// Validate returns an error wrapping ErrConfig that names the key, what it is and what it should be.
func (c HeadConfig) Validate() error {
	bad := func(key string, got any, want string) error {
		return fmt.Errorf("%w: head.%s is %v, want %s", ErrConfig, key, got, want)
	}
	if c.Kind != MLP && c.Kind != Logistic && c.Kind != Ridge {
		return bad("kind", strconv.Quote(c.Kind), MLP+", "+Logistic+" or "+Ridge)
	}
	switch n, err := strconv.Atoi(c.Layers); {
	case c.Layers == "", c.Layers == Upper, c.Layers == All, c.Layers == Grid:
	case err != nil || n < 0:
		return bad("layers", strconv.Quote(c.Layers), Upper+", "+All+", "+Grid+" or the number of a layer")
	}
	if !(c.Threshold >= 0 && c.Threshold <= 1) {
		return bad("threshold", c.Threshold, "0 (tuned on valid) to 1")
	}
	if c.Kind != MLP {
		if len(c.L2) == 0 {
			return bad("l2", c.L2, "at least one strength")
		}
		for _, strength := range c.L2 {
			if !(strength > 0) || math.IsInf(strength, 0) {
				return bad("l2", c.L2, "finite strengths above 0")
			}
		}
		return nil
	}
	for _, count := range []struct {
		key string
		got int
	}{{"hidden", c.Hidden}, {"batch", c.Batch}, {"epochs", c.Epochs}, {"patience", c.Patience}, {"stop", c.Stop}} {
		if count.got < 1 || count.got > 1<<20 {
			return bad(count.key, count.got, "1 or more")
		}
	}
	if !(c.Dropout >= 0 && c.Dropout < 1) {
		return bad("dropout", c.Dropout, "0 or more, below 1")
	}
	if got, want := c.LR.fault(); want != "" {
		return bad("lr", got, want)
	}
	return nil
}
