package adapt

import "context"

type loaded struct {
	batch *batch
	err   error
}

// prefetch loads the batches of a stage in order, from the given step on, two ahead of the training loop: of
// several processes this one's share.
func (r *Run) prefetch(ctx context.Context, s *Sampler, stage, from int) <-chan loaded {
	ch := make(chan loaded, 2)
	l := r.loader()
	first, stride := r.team.place()
	go profiled("data", func() {
		defer close(ch)
		for step := from; step < r.cfg.Stages[stage].Steps; step++ {
			for micro := first; micro < r.cfg.Batch.Accumulate; micro += stride {
				b, err := l.load(s.Draw(stage, step, micro, r.cfg.Batch.Clips), r.cfg.Seed, "train", stage, step, micro)
				if err == nil {
					b.samples = mixNoise(stream(r.cfg.Seed, "noise", stage, step, micro), r.cfg.Objective.MixtureProb, b.samples, b.clips)
				}
				select {
				case ch <- loaded{b, err}:
				case <-ctx.Done():
					return
				}
				if err != nil {
					return
				}
			}
		}
	})
	return ch
}
