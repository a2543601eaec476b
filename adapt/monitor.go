package adapt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"syncretic/checkpoint"
)

// monitor is the evaluation of a run's own model while it is trained: an Evaluation under the run's teacher. nil measures nothing.
type monitor struct {
	*Evaluation
	every   int
	corpora []HeldoutCorpus // those measured in their order, then those left out
}

// openMonitor opens the held-out corpora of a recipe, and refuses those that share audio with the corpora that it learns from.
func openMonitor(cfg Config, learnt []*Corpus) (_ *monitor, err error) {
	if cfg.Heldout.Every == 0 {
		return nil, nil
	}
	list, out, err := cfg.heldoutCorpora()
	if err != nil {
		return nil, err
	}
	eval := cfg.Eval(list, cfg.Seed)
	eval.Objective.MixtureProb = 0
	if eval.Clips = cfg.Heldout.Clips; eval.Clips == 0 {
		eval.Clips = heldoutMost
	}
	m := &monitor{Evaluation: &Evaluation{cfg: eval, targets: map[*Corpus]*Targets{}}, every: cfg.Heldout.Every, corpora: out}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.release())
		}
	}()
	if err := m.openCorpora(); err != nil {
		return nil, fmt.Errorf("heldout: %w", err)
	}
	if err := refuseLeaks(learnt, m.Evaluation.corpora); err != nil {
		return nil, err
	}
	return m, nil
}

// prepare draws the crops and computes the targets that are not cached.
func (m *monitor) prepare(ctx context.Context, t *Teacher, progress func(what string, done, total int)) error {
	if m == nil {
		return nil
	}
	m.teacher = t
	var measured []HeldoutCorpus
	for i := range m.Evaluation.corpora {
		c := &m.Evaluation.corpora[i]
		all := len(c.Recordings)
		if err := m.Evaluation.prepare(ctx, c, func(what string, done, total int) {
			if progress != nil {
				progress("held-out "+what, done, total)
			}
		}); err != nil {
			return fmt.Errorf("heldout: %w", err)
		}
		measured = append(measured, HeldoutCorpus{Name: c.Name, Split: m.cfg.Corpora[i].Split, Clips: c.Clips, Of: all - c.Short, Short: c.Short, Set: c.Hash[:12]})
	}
	m.corpora = append(measured, m.corpora...)
	return nil
}

// due reports whether a measurement stands after so many steps of so many.
func (m *monitor) due(done, total int) bool {
	return m != nil && (done%m.every == 0 || done == total)
}

// ahead counts the measurements that stand after more steps than done.
func (m *monitor) ahead(done, total int) int {
	if m == nil || done >= total {
		return 0
	}
	n := total/m.every - done/m.every
	if total%m.every != 0 {
		n++
	}
	return n
}

// score measures the model on one corpus. A loss that is not finite is a record with a reason: it is no cause to end a run.
func (m *monitor) score(ctx context.Context, model *Model, i int) (rec HeldoutRecord, err error) {
	began := time.Now()
	rec.Corpus, rec.Set = m.corpora[i].Name, m.corpora[i].Set
	err = model.frozen(func() error {
		l, err := m.loader(model)
		if err != nil {
			return err
		}
		sum, err := m.tally(ctx, model, l, i, nil)
		if err != nil {
			return err
		}
		rec.Score, err = sum.score(len(m.crops[i]))
		if errors.Is(err, checkpoint.ErrInvalid) {
			rec.Reason = fmt.Sprintf("the loss is not finite (cross-entropy by codebook %v, cqt %v, summed over frames)", sum.codebooks, sum.cqt)
			rec.Score, err = Score{Frames: sum.frames, Clips: len(m.crops[i])}, nil
		}
		return err
	})
	if err != nil {
		return rec, fmt.Errorf("heldout: corpus %s: %w", rec.Corpus, err)
	}
	rec.Seconds, rec.Time = time.Since(began).Seconds(), stamp()
	return rec, nil
}

// frozen calls f while no parameter requires a gradient, so that a forward pass keeps nothing for a backward one.
func (m *Model) frozen(f func() error) error {
	params := m.Params()
	on := make([]bool, len(params))
	for i, p := range params {
		on[i] = p.Value.RequiresGrad()
		p.Value.SetRequiresGrad(false)
	}
	defer func() {
		for i, p := range params {
			p.Value.SetRequiresGrad(on[i])
		}
	}()
	return f()
}

// Heldout says on what the recipe's key heldout measures, and which corpora it leaves out and why; nil without the key.
func (r *Run) Heldout() []HeldoutCorpus {
	if r.heldout == nil {
		return nil
	}
	return r.heldout.corpora
}

// close releases the held-out corpora; the teacher is the run's.
func (m *monitor) close() error {
	if m == nil {
		return nil
	}
	return m.release()
}

// stamp is the present time as logs have it: in UTC, to the millisecond.
func stamp() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
