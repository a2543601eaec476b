package main

import (
	"math"
	"os"
	"path/filepath"
	"time"

	"syncretic/adapt/tensorboard"
	"syncretic/sweep"
	"syncretic/sweep/search"
)

// writeSweepEvents writes the trials as a TensorBoard run in a folder, a step a trial: its value, the best so far, its parameters, and its
// scores on every dataset.
func writeSweepEvents(folder string, setup sweep.Setup, trials []sweep.Trial, refs sweep.References) (err error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	begun := time.Now()
	f, err := os.Create(filepath.Join(folder, tensorboard.FileName(begun)))
	if err != nil {
		return err
	}
	defer func() {
		if closed := f.Close(); err == nil {
			err = closed
		}
	}()
	w, err := tensorboard.NewWriter(f, begun)
	if err != nil {
		return err
	}
	best := math.NaN()
	for _, t := range trials {
		if t.State != search.Complete || t.Scores == nil {
			continue
		}
		value := setup.Rule.Value(*t.Scores, refs)
		if better := value > best != (setup.Rule.Metric == sweep.MaskedLoss); setup.Rule.Violation(*t.Scores, refs) <= 0 && (better || math.IsNaN(best)) {
			best = value
		}
		scalars := map[string]float64{"sweep/value": value, "sweep/best": best, "sweep/western": t.Scores.Mean(setup.Rule.Metric, true), "sweep/seconds": t.Seconds["total"]}
		for name, v := range t.Point {
			scalars["parameters/"+name] = v
		}
		for name, task := range t.Scores.Tasks {
			for _, m := range []sweep.Metric{sweep.ROCAUC, sweep.AveragePrecision, sweep.F1} {
				scalars[string(m)+"/"+name] = task.Metric(m)
			}
		}
		for name, l := range t.Scores.Losses {
			scalars["masked_loss/"+name] = l.Value
		}
		for name, v := range scalars {
			if math.IsNaN(v) {
				delete(scalars, name)
			}
		}
		if err := w.Scalars(t.Number, t.Finished, scalars); err != nil {
			return err
		}
	}
	return nil
}
