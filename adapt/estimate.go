package adapt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/nlpodyssey/spago/ag"

	"syncretic/adapt/op"
	"syncretic/adapt/optim"
)

// Span is a duration that is not known better, in seconds.
type Span struct {
	Low  float64 `json:"low_s"`
	High float64 `json:"high_s"`
}

func (s Span) plus(o Span) Span { return Span{s.Low + o.Low, s.High + o.High} }

func (s Span) times(n float64) Span { return Span{s.Low * n, s.High * n} }

// with widens a span so that it holds a measurement.
func (s Span) with(seconds float64) Span {
	if s == (Span{}) {
		return Span{seconds, seconds}
	}
	return Span{min(s.Low, seconds), max(s.High, seconds)}
}

// Estimate is how long a run will take, from measurements on this machine as it is loaded at the moment: of each kind of stage some
// micro-batches forward and backward, of the optimiser a step on parameters of its own, of the disk a file of a state's size or, where that
// is larger than 64 MB, as large a part. Low ends are the fastest of each, high ends the slowest, the first included, which meets
// cold memory. Neither weights nor gradients nor random numbers of the run are touched.
//
// Not in it: evaluations beside the training, and whatever else the machine is given to do.
type Estimate struct {
	Stages []StageEstimate `json:"stages"`
	States StateEstimate   `json:"states"`
	Total  Span            `json:"total"`
}

// StageEstimate is one stage's part of an estimate.
type StageEstimate struct {
	Name  string `json:"name"`
	Steps int    `json:"steps"` // that are left
	Micro Span   `json:"micro_batch"`
	Load  Span   `json:"load"` // of a micro-batch, on one core
	Adam  Span   `json:"optimizer"`
	Step  Span   `json:"step"`
	Total Span   `json:"total"`
}

// StateEstimate is what the states on disk take.
type StateEstimate struct {
	Bytes int64 `json:"bytes"` // of one
	Count int   `json:"count"` // at most
	Write Span  `json:"write"` // of one; zero where no disk was measured
	Total Span  `json:"total"`
}

// Measurements of a kind of stage: so many micro-batches, fewer if they take long, but two at least.
const (
	estimateMicros  = 4
	estimateSeconds = 10
)

// forecast measures and reports, where anybody asks.
func (r *Run) forecast(ctx context.Context, w *work, opts Options) error {
	if opts.Estimate == nil {
		return nil
	}
	e, err := r.estimate(ctx, w.done, w.dir, r.loadTraining)
	if err == nil {
		opts.Estimate(e)
	}
	return err
}

// estimate measures what is left of a run after some steps. dir is the folder whose disk is measured, "" for none.
func (r *Run) estimate(ctx context.Context, done int, dir string, load func(s *Sampler, stage, step, micro int) (*batch, error)) (Estimate, error) {
	var e Estimate
	known := map[string]StageEstimate{} // by what is trained and replayed
	first, most := 0, 0                 // most: trainable values
	for i, s := range r.cfg.Stages {
		left := max(0, min(s.Steps, first+s.Steps-done))
		first += s.Steps
		if left == 0 {
			continue
		}
		if err := s.apply(r.model.Params()); err != nil {
			return e, err
		}
		trained := trainable(r.model.Params())
		most = max(most, trained)
		kind := fmt.Sprintf("%q %t", s.Train, s.Replay > 0)
		k, ok := known[kind]
		if !ok {
			var err error
			if k, err = r.measure(ctx, i, trained, load); err != nil {
				return e, err
			}
			known[kind] = k
		}
		k.Name, k.Steps = s.Name, left
		k.Total = k.Step.times(float64(left))
		e.Stages = append(e.Stages, k)
		e.Total = e.Total.plus(k.Total)
	}
	if err := r.estimateStates(&e, most, done, dir); err != nil {
		return e, err
	}
	e.Total = e.Total.plus(e.States.Total)
	return e, nil
}

// measure times one kind of stage.
func (r *Run) measure(ctx context.Context, stage, trained int, load func(s *Sampler, stage, step, micro int) (*batch, error)) (StageEstimate, error) {
	var k StageEstimate
	s := r.cfg.Stages[stage]
	sampler, err := NewSampler(r.cfg.Seed, r.corpora, s.Replay, r.cfg.Batch.Seconds, r.teacher.Hop())
	if err != nil {
		return k, err
	}
	params := r.model.Params()
	optim.MakeGrads(params)
	optim.ZeroGrad(params)
	defer optim.ZeroGrad(params)
	began := time.Now()
	for micro := range estimateMicros {
		if err := ctx.Err(); err != nil {
			return k, err
		}
		if micro >= 2 && time.Since(began).Seconds() > estimateSeconds {
			break
		}
		loading := time.Now()
		b, err := load(sampler, stage, micro/r.cfg.Batch.Accumulate, micro%r.cfg.Batch.Accumulate)
		if err != nil {
			return k, err
		}
		computing := time.Now()
		k.Load = k.Load.with(computing.Sub(loading).Seconds())
		loss, _, err := r.model.forward(b, true, stream(r.cfg.Seed, "estimate", stage, micro).Uint64(), 1)
		if err != nil {
			return k, err
		}
		if err := ag.Backward(loss); err != nil {
			return k, err
		}
		k.Micro = k.Micro.with(time.Since(computing).Seconds())
		optim.ZeroGrad(params)
	}
	k.Adam = r.timeOptimizer(trained)
	// Loading goes on beside the computing. On idle cores it costs nothing; else it takes its time from all of them; and if all of
	// them together cannot load as fast as they compute, it is loading that sets the pace.
	cores := float64(runtime.GOMAXPROCS(0))
	_, processes := r.team.place()
	n := float64(r.cfg.Batch.Accumulate / processes)
	k.Step = Span{max(n*k.Micro.Low+k.Adam.Low, n*k.Load.Low/cores), max(n*(k.Micro.High+k.Load.High/cores)+k.Adam.High, n*k.Load.High/cores)}
	return k, nil
}

// trainable is the number of values that have gradients.
func trainable(params []optim.Param) int {
	n := 0
	for _, p := range params {
		if p.Value.RequiresGrad() {
			n += p.Value.Size()
		}
	}
	return n
}

// timeOptimizer times steps on parameters of its own, of at most 4 million values, and multiplies.
func (r *Run) timeOptimizer(values int) Span {
	n := min(values, 4<<20)
	if n == 0 {
		return Span{}
	}
	own := []optim.Param{{Name: "estimate", Value: op.Param(1, n, make([]float32, n))}}
	optim.MakeGrads(own)
	optim.ZeroGrad(own)
	adam := optim.NewAdamW(r.cfg.Optimizer.adamW(), own)
	var s Span
	for range 3 {
		began := time.Now()
		adam.ClipStep(1e-4, r.cfg.Optimizer.ClipNorm)
		s = s.with(time.Since(began).Seconds())
	}
	return s.times(float64(values) / float64(n))
}

// estimateStates adds what the states on disk take.
func (r *Run) estimateStates(e *Estimate, trained, done int, dir string) error {
	values := 0
	for _, p := range r.model.Params() {
		values += p.Value.Size()
	}
	e.States.Bytes = 4 * int64(values+2*trained)
	total := 0
	for _, s := range r.cfg.Stages {
		if total += s.Steps; total > done && total%r.cfg.SaveEvery != 0 {
			e.States.Count++ // at the stage's end
		}
	}
	e.States.Count += total/r.cfg.SaveEvery - done/r.cfg.SaveEvery
	fewest := e.States.Count
	if r.cfg.SaveMinutes > 0 {
		e.States.Count = min(e.States.Count+int(e.Total.High/(60*r.cfg.SaveMinutes)), total-done)
	}
	if dir == "" || e.States.Count == 0 {
		return nil
	}
	seconds, err := timeDisk(dir, e.States.Bytes)
	if err != nil {
		return err
	}
	e.States.Write = Span{seconds, seconds}
	e.States.Total = Span{seconds * float64(fewest), seconds * float64(e.States.Count)}
	return nil
}

// timeDisk writes a file of the size, or 64 MB of it, and multiplies. The file is removed.
func timeDisk(dir string, size int64) (seconds float64, err error) {
	f, err := os.CreateTemp(filepath.Clean(dir), ".estimate.tmp-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	part := min(size, 64<<20)
	block := slices.Repeat([]byte("estimate"), 1<<17) // 1 MB
	began := time.Now()
	for left := part; left > 0; left -= int64(len(block)) {
		if _, err := f.Write(block[:min(left, int64(len(block)))]); err != nil {
			return 0, err
		}
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	return time.Since(began).Seconds() * float64(size) / float64(max(part, 1)), nil
}
