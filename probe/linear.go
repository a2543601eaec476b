package probe

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"syncretic/checkpoint"
)

// linearHead is a linear function a tag: what logistic regression and ridge find.
type linearHead struct {
	inputs int
	weight []float32 // [tags][inputs]
	bias   []float32 // [tags]
}

func emptyLinear(inputs, tags int) *linearHead {
	return &linearHead{inputs: inputs, weight: make([]float32, tags*inputs), bias: make([]float32, tags)}
}

func (m *linearHead) tensors() []checkpoint.Tensor {
	return []checkpoint.Tensor{
		{Name: "weight", Shape: []int{len(m.bias), m.inputs}, Data: m.weight},
		{Name: "bias", Shape: []int{len(m.bias)}, Data: m.bias},
	}
}

func (m *linearHead) logits(rows [][]float32, workers int) []float32 {
	x := make([]float32, 0, len(rows)*m.inputs)
	for _, row := range rows {
		x = append(x, row...)
	}
	z := make([]float32, len(rows)*len(m.bias))
	linear(z, x, m.weight, m.bias, len(rows), workers)
	return z
}

// fitLinear solves for every choice of layers and every strength and keeps the pair with the highest score on valid; among equals
// the first choice of layers and the strongest. One strength serves all tags.
func fitLinear(ctx context.Context, train, valid Split, cfg HeadConfig) (fit, error) {
	solve := solveLogistic
	if cfg.Kind == Ridge {
		solve = solveRidge
	}
	strengths := slices.Clone(cfg.L2)
	slices.Sort(strengths)
	strengths = slices.Compact(strengths)
	slices.Reverse(strengths)
	choices, err := cfg.choices(train.Features.Layers)
	if err != nil {
		return fit{}, err
	}
	best := fit{score: math.Inf(-1)}
	var tried []Candidate
	for _, c := range choices {
		s, err := newScaler(train.Features, c.picked, true)
		if err != nil {
			return fit{}, err
		}
		heads, err := solve(ctx, s, train, strengths)
		if err != nil {
			return fit{}, fmt.Errorf("layers %s: %w", c.layers, err)
		}
		scores, err := scoreAll(heads, s, valid)
		if err != nil {
			return fit{}, err
		}
		var trials []Trial
		for k, score := range scores {
			trials = append(trials, Trial{L2: strengths[k], Score: score})
			tried = append(tried, Candidate{Layers: c.layers, L2: strengths[k], Score: score})
		}
		for k, score := range scores {
			if score > best.score {
				best = fit{model: heads[k], scaler: s, score: score, chosen: Chosen{Layers: c.layers, L2: strengths[k], Trials: trials}}
			}
		}
	}
	best.chosen.Candidates = tried
	return best, nil
}

// scoreAll judges the heads on valid, whose rows are read once.
func scoreAll(heads []*linearHead, s *scaler, valid Split) ([]float64, error) {
	logits := make([]*means, len(heads))
	for k := range heads {
		logits[k] = newMeans(valid.Features, len(valid.Tags))
	}
	workers := runtime.GOMAXPROCS(0)
	err := (&reader{f: valid.Features, s: s}).blocks(workers, func(first int, rows [][]float32) error {
		for k, h := range heads {
			logits[k].add(first, h.logits(rows, workers))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(heads))
	for k, z := range logits {
		if scores[k], err = valid.score(z.sums); err != nil {
			return nil, err
		}
	}
	return scores, nil
}
