package adapt

import "fmt"

// putStep adds a step's record to the event file. What is not finite, as of a skipped step, is left out: a curve has a gap
// there, and train/skipped a step up.
func (s *watcher) putStep(r Record) error {
	values := map[string]float64{"train/lr": r.Rate, "train/clips_per_s": r.Speed, "train/skipped": float64(r.SkippedSteps)}
	if !r.Skipped { // the null of a record that is read back reads as 0
		values["train/loss"], values["train/ce"], values["train/cqt_mse"] = r.Loss, r.CE(), r.CQT
		values["train/accuracy"], values["train/grad_norm"] = r.MeanAccuracy(), r.GradNorm
		for q, v := range r.Codebooks {
			values[fmt.Sprintf("train/ce/codebook_%d", q)] = v
		}
	}
	return s.board.Scalars(r.Step, r.Time, values)
}

// putHeldout adds a record of held-out audio to the event file, unless it has no score.
func (s *watcher) putHeldout(r HeldoutRecord) error {
	if r.Reason != "" {
		return nil
	}
	at := "heldout/" + r.Corpus + "/"
	return s.board.Scalars(r.Step, r.Time, map[string]float64{at + "ce": r.CE, at + "cqt_mse": r.CQT, at + "total": r.Total, at + "accuracy": r.MeanAccuracy()})
}
