package adapt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"syncretic/adapt/optim"
	"syncretic/checkpoint"
)

// ErrDiverged marks a run whose loss or gradient was not finite for more steps in a row than its recipe allows.
var ErrDiverged = errors.New("training diverged")

// Options of Train, the same in all processes of a group except for the callbacks.
type Options struct {
	Force   bool         // replace an existing output, forget an interrupted run
	Resume  bool         // go on from an interrupted run's last state, if there is one
	Report  func(Record) // hears of every step; may be nil
	Version string       // of the tool, for the provenance

	// Resumed hears after which step a state that is taken up was saved, and why the run stopped there: "" after an
	// interruption. May be nil.
	Resumed func(done int, stopped string)

	ResumeFrom int          // go on from the state of that step, forgetting later ones; 0 is the last, where Resume is set
	Warn       func(string) // hears of what does not stop the run: a state that cannot be read, too little room; may be nil

	// Heldout hears of every measurement on held-out audio, and of the base's on the same crops: nil where there is none.
	// May be nil.
	Heldout func(now HeldoutRecord, base *HeldoutRecord)

	// Estimate hears, before the first step, how long the rest of the run will take: see [Estimate], whose measuring it costs. May be
	// nil, and then nothing is measured.
	Estimate func(Estimate)
}

// Train runs all stages and writes the model directory out: the encoder as Hugging Face's tools read it, heads.safetensors,
// the logs train.jsonl and heldout.jsonl (where the recipe asks for it), what they say as train.tfevents for TensorBoard and as
// summary.html, and the provenance adapt.json. While it runs, states and logs stand in the folder out.run; an
// interruption (a cancelled context) saves the state there first, and Resume goes on from it to the same weights, bit for
// bit, as an uninterrupted run. A run that fails before its first state leaves nothing. An existing out without Force, or an
// out.run without Resume or Force, wraps fs.ErrExist; an out.run in which another process works wraps checkpoint.ErrLocked.
// After more than Config.MaxSkipped skipped steps in a row the error wraps ErrDiverged and the state is that before them.
//
// States are saved as Config says and at each stage's end, atomically; the last Config.Keep of them are kept, and those of the
// stages' ends, until out is complete. Resume takes the newest that can be read; where there are some but none can, the error
// wraps ErrStates. ResumeFrom takes a chosen one. With Resume an out that this very run has completed is no error: nothing is
// left to do, and Report hears of the last step.
//
// In a group every process calls it with the same out; process 0 alone reads and writes there. Whatever ends one process ends
// all at the same step, with the state before it saved, and each hears of every step.
func (r *Run) Train(ctx context.Context, out string, opts Options) error {
	r.team.at, r.team.owed, r.team.norm = beginning, nil, 0
	if !r.team.leads() {
		return r.follow(ctx, filepath.Clean(out), opts)
	}
	return r.team.dismiss(r.lead(ctx, filepath.Clean(out), opts))
}

// lead is Train in the process that writes.
func (r *Run) lead(ctx context.Context, out string, opts Options) error {
	if opts.Resume {
		if done, err := r.finished(out); err != nil {
			return err
		} else if done {
			return r.tidy(out, opts)
		}
	}
	if _, err := os.Lstat(out); err == nil && !opts.Force {
		return fmt.Errorf("%s: %w", out, fs.ErrExist)
	}
	w, err := openWork(out+workSuffix, r, opts)
	if err != nil {
		return err
	}
	defer w.close()
	if err := r.forecast(ctx, w, opts); err != nil {
		return errors.Join(err, w.removeUnsaved())
	}
	if err := w.watch(opts); err != nil {
		return err
	}
	if err := r.team.begin(w); err != nil {
		return err
	}
	began := w.done
	if err := r.stages(ctx, w, opts); err != nil {
		if w.saved == 0 {
			return errors.Join(err, w.remove()) // nothing there to go on from
		}
		if ctx.Err() == nil && !errors.Is(err, ErrDiverged) && w.saved < w.done {
			return err
		}
		return fmt.Errorf("stopped after step %d, its state is in %s: %w", w.saved, w.dir, err)
	}
	if w.done == began { // all steps were taken before
		if err := reportLast(w.logPath(), opts); err != nil {
			return err
		}
	}
	if err := r.write(ctx, w, out, opts); err != nil {
		return errors.Join(err, w.save(context.WithoutCancel(ctx)))
	}
	return w.remove()
}

// stages takes every step from the work folder's position to the end.
func (r *Run) stages(ctx context.Context, w *work, opts Options) error {
	total := 0
	for _, s := range r.cfg.Stages {
		total += s.Steps
	}
	params := r.model.Params()
	first := 0
	for i, s := range r.cfg.Stages {
		if first+s.Steps <= w.done {
			first += s.Steps
			continue
		}
		if w.adam == nil || (w.done == first && s.Optimizer != "keep") {
			w.adam = optim.NewAdamW(r.cfg.Optimizer.adamW(), params)
		}
		if err := s.apply(params); err != nil {
			return err
		}
		r.team.makeGrads(params)
		if err := r.stage(ctx, w, i, first, total, opts); err != nil {
			return err
		}
		first += s.Steps
	}
	if err := r.team.agree(w.measure(ctx, total, opts)); err != nil {
		return errors.Join(err, w.save(context.WithoutCancel(ctx)))
	}
	if w.skipped == total {
		w.saved = 0 // the state is what the run began with
		return fmt.Errorf("%w: all %d steps were skipped", ErrDiverged, total)
	}
	r.team.at = ending
	return nil
}

func (r *Run) stage(ctx context.Context, w *work, index, first, total int, opts Options) error {
	s := r.cfg.Stages[index]
	sampler, err := NewSampler(r.cfg.Seed, r.corpora, s.Replay, r.cfg.Batch.Seconds, r.teacher.Hop())
	if err := r.team.agree(err); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	batches := r.prefetch(ctx, sampler, index, w.done-first)
	defer func() {
		cancel()
		for range batches { // until nobody reads any more: what they read from may be closed next
			continue
		}
	}()
	for step := w.done - first; step < s.Steps; step++ {
		err := w.measure(ctx, total, opts)
		if err == nil {
			err = ctx.Err()
		}
		if err := r.team.agree(err); err != nil {
			return r.leave(ctx, w, err)
		}
		began := time.Now()
		record, err := r.step(batches, w.adam, index, step)
		if err != nil {
			if !interrupted(err) {
				err = fmt.Errorf("stage %s, step %d: %w", s.Name, step+1, err)
			}
			return r.leave(ctx, w, err)
		}
		w.done = first + step + 1
		w.count(record.Skipped)
		record.Step, record.Steps, record.Stage, record.StageStep, record.SkippedSteps = w.done, total, s.Name, step+1, w.skipped
		record.Speed = float64(r.cfg.Batch.Clips*r.cfg.Batch.Accumulate) / time.Since(began).Seconds()
		w.timed(&record, began)
		if err := r.team.owe(w.log(record)); err != nil {
			return err
		}
		if opts.Report != nil {
			opts.Report(record)
		}
		if n := w.inRow; n > r.cfg.MaxSkipped {
			err := fmt.Errorf("stage %s, step %d: %w: %s (%d such steps in a row, max_skipped is %d)", s.Name, step+1, ErrDiverged, record.Reason, n, r.cfg.MaxSkipped)
			return errors.Join(err, w.rewind(context.WithoutCancel(ctx), first, err.Error()))
		}
		if step == s.Steps-1 || w.done%r.cfg.SaveEvery == 0 || r.cfg.SaveMinutes > 0 && r.now().Sub(w.savedAt).Minutes() >= r.cfg.SaveMinutes {
			if err := r.team.owe(w.save(context.WithoutCancel(ctx))); err != nil {
				return err
			}
		}
	}
	return r.team.agree(nil)
}

// leave ends the steps where they were not all taken: what was done is saved, and the step under way never was.
func (r *Run) leave(ctx context.Context, w *work, err error) error {
	if r.team.owed != nil {
		return err // the disk itself failed, or what was to be written
	}
	return errors.Join(err, w.save(context.WithoutCancel(ctx)))
}

// write stores the finished model.
func (r *Run) write(ctx context.Context, w *work, out string, opts Options) error {
	files, err := w.results(out, opts)
	if err != nil {
		return err
	}
	meta := map[string]string{"format": "pt", "syncretic.verb": "adapt", "syncretic.version": opts.Version, "syncretic.seed": fmt.Sprint(r.cfg.Seed)}
	return r.model.Write(ctx, out, w.dir, checkpoint.WriteOptions{Force: opts.Force, Metadata: meta, SideFiles: files})
}
