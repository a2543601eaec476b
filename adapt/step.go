package adapt

import (
	"context"
	"fmt"
	"math"
	"runtime/pprof"
	"time"

	"github.com/nlpodyssey/spago/ag"

	"syncretic/adapt/op"
	"syncretic/adapt/optim"
)

// step accumulates the gradients of one optimiser step, which begin at 0 and end so, and takes it or skips it. The record
// and the error are the same in all processes.
func (r *Run) step(batches <-chan loaded, adam *optim.AdamW, stage, step int) (Record, error) {
	s := r.cfg.Stages[stage]
	rec := Record{Rate: s.LR.Rate(step, s.Steps)}
	books, _ := r.teacher.Codebooks()
	if err := r.team.settle(&rec, books, r.accumulate(&rec, batches, stage, step)); err != nil {
		return rec, err
	}
	r.met(&rec)
	r.team.norm = 0
	if rec.Skipped {
		rec.GradNorm = math.NaN()
		optim.ZeroGrad(r.model.Params())
		return rec, nil
	}
	profiled("AdamW", func() { rec.GradNorm = adam.ClipStep(rec.Rate, r.cfg.Optimizer.ClipNorm) })
	if !finite(rec.GradNorm) { // ClipStep has changed nothing
		rec.skip(fmt.Sprintf("the gradient's norm is %v", rec.GradNorm))
		optim.ZeroGrad(r.model.Params())
		return rec, nil
	}
	r.team.norm = rec.GradNorm
	return rec, nil
}

// accumulate adds up the gradients of this process's micro-batches. Those of several processes are summed while the last
// micro-batch of each is still in its backward pass.
func (r *Run) accumulate(rec *Record, batches <-chan loaded, stage, step int) error {
	n := r.cfg.Batch.Accumulate
	rank, size := r.team.place()
	for micro := rank; micro < n; micro += size {
		began := time.Now()
		b, ok := <-batches
		rec.Wait += time.Since(began).Seconds()
		if !ok {
			return context.Canceled
		}
		if b.err != nil {
			return b.err
		}
		r.note(rec, b.batch)
		if rec.Skipped {
			continue // the next step begins with its own audio
		}
		seed := stream(r.cfg.Seed, "dropout", stage, step, micro).Uint64()
		loss, parts, err := r.model.forward(b.batch, true, seed, 1/float32(n))
		if err != nil {
			return err
		}
		rec.add(parts, n)
		if !finite(parts.Loss) {
			rec.skip(fmt.Sprintf("the loss is %v (cross-entropy %v, cqt %v, feature penalty %v)", parts.Loss, parts.CE(), parts.CQT, parts.FeaturePenalty))
			continue
		}
		if r.team.sums != nil && micro+size >= n {
			r.team.sums.watch(loss)
		}
		if err := ag.Backward(loss); err != nil {
			return err
		}
	}
	return nil
}

// profiled runs f under a name of its own in profiles by operator.
func profiled(name string, f func()) {
	pprof.Do(context.Background(), pprof.Labels(op.ProfileOperator, name), func(context.Context) { f() })
}
