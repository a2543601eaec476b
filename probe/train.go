package probe

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"

	"syncretic/adapt/op"
	"syncretic/adapt/optim"
)

// fitMLP trains with Adam on binary cross-entropy and returns the weights of the epoch with the highest macro ROC-AUC on
// valid; among equals the first.
func fitMLP(ctx context.Context, s *scaler, train, valid Split, cfg HeadConfig) (model, Chosen, error) {
	m := newMLP(len(s.layers), s.dim, cfg.Hidden, len(train.Tags), rand.New(rand.NewPCG(cfg.Seed, 1)))
	best := emptyMLP(len(s.layers), s.dim, cfg.Hidden, len(train.Tags))
	x, err := s.float32s(train.Features)
	if err != nil {
		return nil, Chosen{}, err
	}
	validX, err := s.float32s(valid.Features)
	if err != nil {
		return nil, Chosen{}, err
	}
	trainer := newTrainer(m, x, byRow(train.Features, train.Labels), cfg)
	var chosen Chosen
	schedule := plateau{lr: cfg.LR, patience: cfg.Patience, best: math.Inf(-1)}
	top := math.Inf(-1)
	for epoch := 1; epoch <= cfg.Epochs; epoch++ {
		lr := schedule.lr
		loss, err := trainer.epoch(ctx, lr)
		if err != nil {
			return nil, Chosen{}, fmt.Errorf("epoch %d: %w", epoch, err)
		}
		auc, err := validAUC(m.apply(validX), valid)
		if err != nil {
			return nil, Chosen{}, fmt.Errorf("epoch %d: %w", epoch, err)
		}
		chosen.Trials = append(chosen.Trials, Trial{Epoch: epoch, LR: lr, Loss: loss, ROCAUC: auc})
		if auc > top {
			top, chosen.Epoch = auc, epoch
			best.copyFrom(m)
		}
		if epoch-chosen.Epoch >= cfg.Stop {
			break
		}
		schedule.step(auc)
	}
	chosen.LayerWeights = softmax(best.mix)
	return best, chosen, nil
}

func softmax(x []float32) []float64 {
	var sum float64
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Exp(float64(v))
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// trainer runs epochs of one mlp.
type trainer struct {
	mlp     *mlp
	weights weights
	params  []optim.Param
	adam    *optim.AdamW
	x       []float32 // [items][width]
	labels  [][]bool
	cfg     HeadConfig
	order   []int
	shuffle *rand.Rand
	drops   *rand.Rand // seeds of the dropout masks
}

func newTrainer(m *mlp, x []float32, labels [][]bool, cfg HeadConfig) *trainer {
	t := &trainer{mlp: m, x: x, labels: labels, cfg: cfg, order: make([]int, len(labels))}
	t.weights, t.params = m.params()
	t.adam = optim.NewAdamW(optim.AdamWConfig{}, t.params)
	for i := range t.order {
		t.order[i] = i
	}
	t.shuffle = rand.New(rand.NewPCG(cfg.Seed, 2))
	t.drops = rand.New(rand.NewPCG(cfg.Seed, 3))
	return t
}

// epoch goes once over the items in a new order and returns the mean loss of an item and tag.
func (t *trainer) epoch(ctx context.Context, lr float64) (float64, error) {
	t.shuffle.Shuffle(len(t.order), func(i, j int) { t.order[i], t.order[j] = t.order[j], t.order[i] })
	var sum float64
	for start := 0; start < len(t.order); start += t.cfg.Batch {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		batch := t.order[start:min(start+t.cfg.Batch, len(t.order))]
		loss, err := t.step(batch, lr)
		if err != nil {
			return 0, err
		}
		sum += loss * float64(len(batch))
	}
	return sum / float64(len(t.order)), nil
}

// step updates the weights by one batch of items.
func (t *trainer) step(batch []int, lr float64) (float64, error) {
	width := t.mlp.layers * t.mlp.dim
	x := make([]float32, 0, len(batch)*width)
	targets := make([]float32, 0, len(batch)*t.mlp.tags)
	for _, i := range batch {
		x = append(x, t.x[i*width:(i+1)*width]...)
		for _, positive := range t.labels[i] {
			var y float32
			if positive {
				y = 1
			}
			targets = append(targets, y)
		}
	}
	optim.ZeroGrad(t.params)
	drop := op.Drop{P: float32(t.cfg.Dropout), Seed: t.drops.Uint64()}
	loss := op.BCEWithLogits(t.mlp.forward(t.weights, x, drop), targets)
	value := float64(mat.Data[float32](loss.Value())[0])
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, fmt.Errorf("%w: the loss is %v", ErrInvalid, value)
	}
	if err := ag.Backward(loss); err != nil {
		return 0, err
	}
	t.adam.Step(lr)
	return value, nil
}

// plateau halves the learning rate as PyTorch's ReduceLROnPlateau(mode="max", factor=0.5) does: after more than patience
// epochs none of which beat the best by a ten-thousandth of it.
type plateau struct {
	lr, best float64
	patience int
	bad      int
}

func (p *plateau) step(value float64) {
	const better = 1 + 1e-4
	if math.IsInf(p.best, -1) || value > p.best*better {
		p.best, p.bad = value, 0
		return
	}
	if p.bad++; p.bad > p.patience {
		p.lr, p.bad = p.lr/2, 0
	}
}
