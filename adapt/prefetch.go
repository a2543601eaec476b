package adapt

import (
	"context"
	"runtime"
	"sync"
)

type loaded struct {
	batch *batch
	err   error
}

// prefetch loads the batches of a stage, from the given step on, ahead of the training loop: by several workers, one a core, so that slow
// formats are decoded side by side, but handed out in the order of their steps. What a batch holds is a function of its place alone,
// so the number of workers changes no byte of it. Of batches that nobody took yet there are at most as many as workers, and two, beside
// those in work. Of several processes this one loads its share. The channel is closed at the stage's end, after an error, and when the
// context ends, and then nobody reads audio any more.
func (r *Run) prefetch(ctx context.Context, s *Sampler, stage, from int) <-chan loaded {
	workers := r.workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	type job struct {
		step, micro int
		done        chan loaded
	}
	first, stride := r.team.place()
	ctx, cancel := context.WithCancel(ctx)
	jobs, order, out := make(chan job), make(chan chan loaded, max(2, workers)), make(chan loaded)
	go func() {
		defer close(order)
		defer close(jobs)
		for step := from; step < r.cfg.Stages[stage].Steps; step++ {
			for micro := first; micro < r.cfg.Batch.Accumulate; micro += stride {
				j := job{step, micro, make(chan loaded, 1)}
				select {
				case order <- j.done:
				case <-ctx.Done():
					return
				}
				jobs <- j // a worker is free sooner or later
			}
		}
	}()
	var reading sync.WaitGroup
	for range workers {
		reading.Go(func() {
			profiled("data", func() {
				for j := range jobs {
					b, err := r.loadTraining(s, stage, j.step, j.micro)
					j.done <- loaded{b, err}
				}
			})
		})
	}
	go func() {
		defer close(out)
		defer reading.Wait()
		defer cancel()
		for done := range order {
			next := <-done
			select {
			case out <- next:
			case <-ctx.Done():
				return
			}
			if next.err != nil {
				return
			}
		}
	}()
	return out
}

// loadTraining loads one micro-batch of a stage.
func (r *Run) loadTraining(s *Sampler, stage, step, micro int) (*batch, error) {
	l := r.loader()
	l.redraw = func(c *Corpus, slot, attempt int) Crop { return s.Redraw(c, stage, step, micro, slot, attempt) }
	b, err := l.load(s.Draw(stage, step, micro, r.cfg.Batch.Clips), r.cfg.Seed, "train", stage, step, micro)
	if err != nil {
		return nil, err
	}
	b.samples = mixNoise(stream(r.cfg.Seed, "noise", stage, step, micro), r.cfg.Objective.MixtureProb, b.samples, b.clips)
	return b, nil
}
