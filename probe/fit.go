package probe

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"syncretic/checkpoint"
	"syncretic/probe/metric"
)

// Fitted is a head that Fit has trained. It is safe for concurrent use.
type Fitted struct {
	Config HeadConfig
	Task   Task
	Tags   []string
	Layers int // hidden states of the encoder, picked or not
	Dim    int
	Chosen Chosen
	Valid  metric.Result // on the valid items, F1 at Chosen.Threshold; undefined of a Regression

	scaler *scaler
	model  model
}

// Chosen are the settings that the valid items decided.
type Chosen struct {
	Monitor      string      `json:"monitor"`                 // what Score is: "roc_auc" (macro), "accuracy" or "r2" (mean)
	Score        float64     `json:"score"`                   // of the kept weights, valid items
	Threshold    float64     `json:"threshold"`               // of F1
	Layers       string      `json:"layers"`                  // as HeadConfig.Layers
	StartLR      float64     `json:"lr,omitempty"`            // mlp: Adam's at the start
	L2           float64     `json:"l2,omitempty"`            // logistic, ridge
	Epoch        int         `json:"epoch,omitempty"`         // mlp: the one whose weights were kept, from 1
	LayerWeights []float64   `json:"layer_weights,omitempty"` // mlp: the softmax over the picked layers
	Trials       []Trial     `json:"trials"`                  // of the chosen layers and learning rate, in order
	Candidates   []Candidate `json:"candidates"`              // the whole grid, in order
}

// Trial is an L2 strength, or the state after an epoch.
type Trial struct {
	L2    float64 `json:"l2,omitempty"`
	Epoch int     `json:"epoch,omitempty"`
	LR    float64 `json:"lr,omitempty"`   // mlp: learning rate of the epoch
	Loss  float64 `json:"loss,omitempty"` // mlp: mean training loss of the epoch, nats
	Score float64 `json:"score"`          // on the valid items, as Chosen.Monitor says
}

// Candidate is a point of the grid: layers and a learning rate or L2 strength.
type Candidate struct {
	Layers string  `json:"layers"`
	LR     float64 `json:"lr,omitempty"`
	L2     float64 `json:"l2,omitempty"`
	Epoch  int     `json:"epoch,omitempty"` // mlp: its best
	Score  float64 `json:"score"`           // of that epoch, on the valid items
}

// model maps inputs to logits.
type model interface {
	logits(rows [][]float32, workers int) []float32 // rows [n][inputs] -> [n][tags]
	tensors() []checkpoint.Tensor
}

// Fit trains a head on the rows of train and makes every choice (epoch, learning rate, layers, L2 strength, threshold) by the
// items of valid: by macro ROC-AUC, accuracy or R2, as the task has it, or for the threshold the macro F1. It never sees test items: it
// is given none, and refuses a split that is called "test", and items that are in both splits.
//
// Errors wrap ErrConfig for a configuration that cannot be used, also with these features (a layer that they lack), and
// ErrInvalid for splits that do not fit each other, for a valid split on which no tag has both a positive and a
// negative item, and for training that diverges. A cancelled ctx ends training with its error.
func Fit(ctx context.Context, train, valid Split, cfg HeadConfig) (*Fitted, error) {
	heads, err := FitSeeds(ctx, train, valid, cfg, []uint64{cfg.Seed})
	if err != nil {
		return nil, err
	}
	return heads[0], nil
}

// FitSeeds is Fit once for each seed, whatever cfg.Seed is. Features are standardised once, and seeds run side by side; each head is
// Fit's with that seed, bit for bit. Logistic and ridge have no randomness: their heads are one.
func FitSeeds(ctx context.Context, train, valid Split, cfg HeadConfig, seeds []uint64) ([]*Fitted, error) {
	if len(seeds) == 0 {
		return nil, fmt.Errorf("%w: no seeds", ErrConfig)
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := checkPair(train, valid); err != nil {
		return nil, err
	}
	if cfg.Kind == Logistic && train.Task == Regression {
		return nil, fmt.Errorf("%w: head.kind is %s, the task is a regression: want %s or %s", ErrConfig, cfg.Kind, MLP, Ridge)
	}
	in := newUnits(train)
	var fits []fit
	var err error
	if cfg.Kind == MLP {
		fits, err = fitMLPs(ctx, in.standard(train), in.standard(valid), cfg, seeds)
	} else {
		fits = make([]fit, 1)
		fits[0], err = fitLinear(ctx, in.standard(train), in.standard(valid), cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("fit %s: %w", cfg.Kind, err)
	}
	out := make([]*Fitted, len(seeds))
	for i, seed := range seeds {
		cfg.Seed = seed
		if i >= len(fits) {
			out[i] = out[0]
			continue
		}
		if out[i], err = finish(fits[i], in, train, valid, cfg); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// finish turns weights into a head, and judges it on valid.
func finish(f fit, in units, train, valid Split, cfg HeadConfig) (*Fitted, error) {
	out := &Fitted{
		Config: cfg, Task: train.Task, Tags: train.Tags, Layers: train.Features.Layers, Dim: train.Features.Dim,
		Chosen: f.chosen, scaler: f.scaler, model: f.model,
	}
	switch m := f.model.(type) {
	case *mlp:
		in.restore(m.outputWeight, m.outputBias)
	case *linearHead:
		in.restore(m.weight, m.bias)
	}
	out.Chosen.Monitor, out.Chosen.Score, out.Chosen.Threshold = train.Task.monitor(), f.score, cfg.Threshold
	scores, err := out.Scores(valid.Features)
	if err != nil {
		return nil, err
	}
	if cfg.Threshold == 0 && train.Task == MultiLabel {
		if out.Chosen.Threshold, _, err = metric.BestThreshold(scores, valid.Labels, metric.Macro); err != nil {
			return nil, err
		}
	}
	out.Valid, err = valid.measure(scores, out.Chosen.Threshold)
	return out, err
}

// checkPair returns an error unless train and valid are what Fit may see.
func checkPair(train, valid Split) error {
	if train.Name != Train || valid.Name != Valid {
		return fmt.Errorf("%w: got splits %q and %q, want %q and %q", ErrInvalid, train.Name, valid.Name, Train, Valid)
	}
	for _, s := range []Split{train, valid} {
		if err := s.check(); err != nil {
			return err
		}
	}
	return checkFit(train, valid)
}

// checkFit returns an error unless two splits have the same shape of features and the same tags, and no item in common.
func checkFit(one, other Split) error {
	a, b := one.Features, other.Features
	if a.Layers != b.Layers || a.Dim != b.Dim {
		return fmt.Errorf("%w: features of split %q are [%d][%d], of %q [%d][%d]", ErrInvalid, one.Name, a.Layers, a.Dim, other.Name, b.Layers, b.Dim)
	}
	if !slices.Equal(one.Tags, other.Tags) {
		return fmt.Errorf("%w: splits %q and %q have different tags", ErrInvalid, one.Name, other.Name)
	}
	if one.Task != other.Task {
		return fmt.Errorf("%w: splits %q and %q have different tasks, %q and %q", ErrInvalid, one.Name, other.Name, string(one.Task), string(other.Task))
	}
	seen := make(map[int]bool, len(a.Items))
	for _, i := range a.Items {
		seen[i] = true
	}
	for _, i := range b.Items {
		if seen[i] {
			return fmt.Errorf("%w: item %d is in splits %q and %q", ErrInvalid, i, one.Name, other.Name)
		}
	}
	return nil
}

// Scores returns what the head predicts of every tag, [items][tags], of the distinct items of f, the logits of an item's rows being
// averaged: probabilities, or the targets of a regression. The features must have the layers and dim of those the head was fitted on;
// anything else is an error wrapping ErrInvalid.
func (h *Fitted) Scores(f *Features) ([][]float64, error) {
	if f.Layers != h.Layers || f.Dim != h.Dim || f.Rows == nil && len(f.Values) != len(f.Items)*f.Layers*f.Dim {
		return nil, fmt.Errorf("%w: features are [%d][%d], the head was fitted on [%d][%d]", ErrInvalid, f.Layers, f.Dim, h.Layers, h.Dim)
	}
	if len(f.Items) == 0 {
		return nil, nil
	}
	scores := newMeans(f, len(h.Tags))
	workers := runtime.GOMAXPROCS(0)
	err := (&reader{f: f, s: h.scaler}).blocks(workers, func(first int, rows [][]float32) error {
		scores.add(first, h.model.logits(rows, workers))
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, row := range scores.sums {
		h.Task.probabilities(row)
	}
	return scores.sums, nil
}

// sigmoid returns 1/(1+exp(-z)) without overflow.
func sigmoid(z float64) float64 {
	if z >= 0 {
		return 1 / (1 + math.Exp(-z))
	}
	e := math.Exp(z)
	return e / (1 + e)
}
