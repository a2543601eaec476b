package probe

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
)

// fit is what one seed comes to.
type fit struct {
	model  model
	scaler *scaler
	score  float64 // on valid
	chosen Chosen
}

// mostLanes bounds the mlps that are in memory: of MERT-95M's width one takes 8 MB with its gradient, moments and best weights.
const mostLanes = 32

// fitMLPs runs MARBLE's protocol once for each seed: Adam on the loss of the task for every candidate of the grid, of each the weights
// of the epoch with the highest score on valid, and of the candidates the best; among equals the first.
//
// Seeds run side by side on the cores. Within one, candidates go through the epochs together: they see the same rows in the
// same order, which are read once for all, so that the grid costs its arithmetic only. None of it changes a bit of a result:
// kernels do not depend on the number of goroutines, and every candidate draws from its own generators.
func fitMLPs(ctx context.Context, train, valid Split, cfg HeadConfig, seeds []uint64) ([]fit, error) {
	candidates, err := cfg.grid(train.Features.Layers)
	if err != nil {
		return nil, err
	}
	s, err := newScaler(train.Features, union(candidates), cfg.Standardise)
	if err != nil {
		return nil, err
	}
	procs := runtime.GOMAXPROCS(0)
	together := max(1, mostLanes/min(procs, len(seeds)))
	var running atomic.Int64
	workers := func() int { return max(1, procs/max(1, int(running.Load()))) }
	out := make([]fit, len(seeds))
	err = each(ctx, len(seeds), nil, func(i int) error {
		running.Add(1)
		defer running.Add(-1)
		cfg := cfg
		cfg.Seed = seeds[i]
		var best *lane
		var tried []Candidate
		for first := 0; first < len(candidates); first += together {
			c := newCourse(s, train, valid, cfg, candidates[first:min(first+together, len(candidates))])
			if err := c.run(ctx, workers); err != nil {
				return fmt.Errorf("seed %d: %w", cfg.Seed, err)
			}
			for _, l := range c.lanes {
				tried = append(tried, Candidate{Layers: l.layers, LR: l.lr, Epoch: l.chosen.Epoch, Score: l.score})
				if best == nil || l.score > best.score {
					best = l
				}
			}
		}
		out[i] = fit{model: best.best, scaler: s.of(best.picked), score: best.score, chosen: best.chosen}
		out[i].chosen.Layers, out[i].chosen.StartLR, out[i].chosen.Candidates = best.layers, best.lr, tried
		if best.best.mix != nil {
			out[i].chosen.LayerWeights = softmax(best.best.mix)
		}
		return nil
	})
	return out, err
}
