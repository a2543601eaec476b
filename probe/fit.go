package probe

import (
	"context"
	"fmt"
	"math"
	"slices"

	"syncretic/checkpoint"
	"syncretic/probe/metric"
)

// Fitted is a head that Fit has trained. It is safe for concurrent use.
type Fitted struct {
	Config HeadConfig
	Tags   []string
	Layers int // hidden states of the encoder, picked or not
	Dim    int
	Chosen Chosen
	Valid  metric.Result // on the valid items, F1 at Chosen.Threshold

	scaler *scaler
	model  model
}

// Chosen are the settings that the valid items decided.
type Chosen struct {
	Threshold    float64   `json:"threshold"`               // of F1
	L2           float64   `json:"l2,omitempty"`            // logistic
	Epoch        int       `json:"epoch,omitempty"`         // mlp: the one whose weights were kept, from 1
	LayerWeights []float64 `json:"layer_weights,omitempty"` // mlp: the softmax over the picked layers
	Trials       []Trial   `json:"trials"`                  // all that were compared, in order
}

// Trial is one candidate: an L2 strength, or the state after an epoch.
type Trial struct {
	L2     float64 `json:"l2,omitempty"`
	Epoch  int     `json:"epoch,omitempty"`
	LR     float64 `json:"lr,omitempty"`   // mlp: learning rate of the epoch
	Loss   float64 `json:"loss,omitempty"` // mlp: mean training loss of the epoch, nats
	ROCAUC float64 `json:"roc_auc"`        // macro, valid items
}

// model maps inputs to logits.
type model interface {
	logits(s *scaler, f *Features) ([][]float64, error) // [rows][tags]
	tensors() []checkpoint.Tensor
}

// Fit trains a head on train and makes every choice (epoch, learning rate, L2 strength, threshold) by the macro ROC-AUC,
// or for the threshold the macro F1, of valid. It never sees test items: it is given none, and refuses a split that
// is called "test", and items that are in both splits.
//
// Errors wrap ErrConfig for a configuration that cannot be used, also with these features (a layer that they lack), and
// ErrInvalid for splits that do not fit each other, for a valid split on which no tag has both a positive and a
// negative item, and for training that diverges. A cancelled ctx ends training with its error.
func Fit(ctx context.Context, train, valid Split, cfg HeadConfig) (*Fitted, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := checkPair(train, valid); err != nil {
		return nil, err
	}
	layers, err := cfg.selection(train.Features.Layers)
	if err != nil {
		return nil, err
	}
	out := &Fitted{Config: cfg, Tags: train.Tags, Layers: train.Features.Layers, Dim: train.Features.Dim}
	if out.scaler, err = newScaler(train.Features, layers, cfg.Standardise || cfg.Kind == Logistic); err != nil {
		return nil, err
	}
	switch cfg.Kind {
	case MLP:
		out.model, out.Chosen, err = fitMLP(ctx, out.scaler, train, valid, cfg)
	case Logistic:
		out.model, out.Chosen, err = fitLogistic(ctx, out.scaler, train, valid, cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("fit %s: %w", cfg.Kind, err)
	}
	scores, err := out.Scores(valid.Features)
	if err != nil {
		return nil, err
	}
	if out.Chosen.Threshold = cfg.Threshold; cfg.Threshold == 0 {
		if out.Chosen.Threshold, _, err = metric.BestThreshold(scores, valid.Labels, metric.Macro); err != nil {
			return nil, err
		}
	}
	out.Valid, err = metric.MultiLabel(scores, valid.Labels, out.Chosen.Threshold)
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

// Scores returns the probability of every tag, [items][tags], of the distinct items of f: the logits of an item's rows are
// averaged. The features must have the layers and dim of those the head was fitted on; anything else is an error wrapping ErrInvalid.
func (h *Fitted) Scores(f *Features) ([][]float64, error) {
	if f.Layers != h.Layers || f.Dim != h.Dim || f.Rows == nil && len(f.Values) != len(f.Items)*f.Layers*f.Dim {
		return nil, fmt.Errorf("%w: features are [%d][%d], the head was fitted on [%d][%d]", ErrInvalid, f.Layers, f.Dim, h.Layers, h.Dim)
	}
	if len(f.Items) == 0 {
		return nil, nil
	}
	logits, err := h.model.logits(h.scaler, f)
	if err != nil {
		return nil, err
	}
	scores := byItem(f, logits)
	for _, row := range scores {
		for t, z := range row {
			row[t] = sigmoid(z)
		}
	}
	return scores, nil
}

// sigmoid returns 1/(1+exp(-z)) without overflow.
func sigmoid(z float64) float64 {
	if z >= 0 {
		return 1 / (1 + math.Exp(-z))
	}
	e := math.Exp(z)
	return e / (1 + e)
}

// validAUC is the number that choices are made by; logits are [rows][tags].
func validAUC(logits [][]float64, valid Split) (float64, error) {
	auc, err := metric.ROCAUC(byItem(valid.Features, logits), valid.Labels)
	if err != nil {
		return 0, err
	}
	if math.IsNaN(auc.Macro) {
		return 0, fmt.Errorf("%w: split %q: no tag has both positive and negative items, nothing can be chosen on it", ErrInvalid, valid.Name)
	}
	return auc.Macro, nil
}
