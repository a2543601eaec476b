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
)

// The choices of layers beside a single one, which is its number. Layer 0 is the encoder's input projection.
const (
	Upper = "upper" // layers 1..L, what MARBLE calls "all"; the default of mlp
	All   = "all"   // layers 0..L; the default of logistic
)

// HeadConfig says how a head is fitted. Start from [DefaultHead]: the zero value is not usable.
type HeadConfig struct {
	Kind string `yaml:"kind" json:"kind"` // MLP or Logistic
	// Layers is Upper, All, or the number of one layer; "" is the kind's default. An mlp mixes several layers by a
	// learned softmax, logistic concatenates them.
	Layers string `yaml:"layers" json:"layers"`
	// Standardise shifts and scales every feature to mean 0 and variance 1 on the train items. Logistic always does; for
	// an mlp, false is MARBLE to the letter.
	Standardise bool `yaml:"standardise" json:"standardise"`
	// Threshold of F1, a probability; 0 tunes it for macro F1 on the valid items.
	Threshold float64 `yaml:"threshold" json:"threshold"`
	Seed      uint64  `yaml:"-" json:"seed"` // of an mlp: initial weights, order of items, dropout

	// Of an mlp.
	Hidden   int     `yaml:"hidden" json:"hidden"`     // units
	Dropout  float64 `yaml:"dropout" json:"dropout"`   // probability, after the ReLU
	LR       float64 `yaml:"lr" json:"lr"`             // Adam's, at the start
	Batch    int     `yaml:"batch" json:"batch"`       // items
	Epochs   int     `yaml:"epochs" json:"epochs"`     // at most
	Patience int     `yaml:"patience" json:"patience"` // epochs without a better valid ROC-AUC before lr is halved
	Stop     int     `yaml:"stop" json:"stop"`         // and before training ends

	// Of logistic: the strengths to choose from. A strength λ minimises, for each tag,
	// Σ_items log loss + λ/2·‖w‖², the intercept free; it is scikit-learn's 1/C.
	L2 []float64 `yaml:"l2" json:"l2"`
}

// DefaultHead returns MARBLE's constrained probe (Yuan et al. 2023, arXiv 2306.10548: one hidden layer of 512,
// dropout 0.2, Adam 1e-3, batch 64, halving after 3 epochs, stop after 10, at most 100) on standardised features, F1 at
// 0.5; with Kind set to Logistic it is ready too, with strengths 10, 100 and 1000.
func DefaultHead() HeadConfig {
	return HeadConfig{
		Kind: MLP, Standardise: true, Threshold: 0.5,
		Hidden: 512, Dropout: 0.2, LR: 1e-3, Batch: 64, Epochs: 100, Patience: 3, Stop: 10,
		L2: []float64{10, 100, 1000},
	}
}

// Validate returns an error wrapping ErrConfig that names the key, what it is and what it should be.
func (c HeadConfig) Validate() error {
	bad := func(key string, got any, want string) error {
		return fmt.Errorf("%w: head.%s is %v, want %s", ErrConfig, key, got, want)
	}
	if c.Kind != MLP && c.Kind != Logistic {
		return bad("kind", strconv.Quote(c.Kind), MLP+" or "+Logistic)
	}
	if n, err := strconv.Atoi(c.Layers); c.Layers != "" && c.Layers != Upper && c.Layers != All && (err != nil || n < 0) {
		return bad("layers", strconv.Quote(c.Layers), Upper+", "+All+" or the number of a layer")
	}
	if !(c.Threshold >= 0 && c.Threshold <= 1) {
		return bad("threshold", c.Threshold, "0 (tuned on valid) to 1")
	}
	if c.Kind == Logistic {
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
	if !(c.LR > 0) || math.IsInf(c.LR, 0) {
		return bad("lr", c.LR, "a finite number above 0")
	}
	return nil
}

// selection returns the layers that the head uses, of an encoder with this many hidden states.
func (c HeadConfig) selection(layers int) ([]int, error) {
	choice := c.Layers
	if choice == "" {
		if choice = All; c.Kind == MLP {
			choice = Upper
		}
	}
	first := 0
	switch choice {
	case Upper:
		first = 1
	case All:
	default:
		n, err := strconv.Atoi(choice)
		if err != nil || n < 0 || n >= layers {
			return nil, fmt.Errorf("%w: head.layers is %s, the features have layers 0 to %d", ErrConfig, choice, layers-1)
		}
		return []int{n}, nil
	}
	if first >= layers {
		return nil, fmt.Errorf("%w: head.layers is %s, the features have layer 0 only", ErrConfig, choice)
	}
	selected := make([]int, 0, layers-first)
	for l := first; l < layers; l++ {
		selected = append(selected, l)
	}
	return selected, nil
}
