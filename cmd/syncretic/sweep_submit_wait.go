package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"syncretic/sweep/slurm"
)

// errNoWorkers means that an array ended before its study did.
var errNoWorkers = errors.New("no worker is left")

// patience is how many looks in a row must find no task of the array before it counts as ended: slurmctld shows a task
// that it starts again only a moment later.
const patience = 3

// await looks at the study until it is finished, and at the array until it has ended. Only the study is believed when it
// says that work is done; Slurm only when it says, again and again, that nobody works. A squeue that does not answer is
// no news.
func (s *submission) await(ctx context.Context, a *app, at studyAddress, job string) (done int, err error) {
	bar := a.progress("trials")
	defer bar.stop()
	ticker := time.NewTicker(s.every)
	defer ticker.Stop()
	gone, held := 0, false
	for {
		done, total, finished, err := s.progress(ctx, a, at)
		if err != nil {
			return done, fmt.Errorf("its workers go on, `scancel %s` ends them: %w", job, err)
		}
		tasks, errQueue := slurm.Queued(ctx, slurm.Exec, job)
		bar.set(done, total, fmt.Sprintf("%d workers", tasks.Running))
		switch {
		case finished:
			return done, nil
		case errQueue != nil || tasks.Any():
			gone = 0
		default:
			gone++
		}
		if gone == patience {
			return done, fmt.Errorf("%w, but %d of %d trials are finished; the logs in %s say why", errNoWorkers, done, total, s.job.Logs)
		}
		if tasks.Held > 0 && !held {
			bar.logf("Slurm holds %d workers back: `scontrol release %s` lets them go on, where their node is well (`sinfo -R`)", tasks.Held, job)
		}
		held = tasks.Held > 0
		select {
		case <-ctx.Done():
			return done, fmt.Errorf("its workers go on, `scancel %s` ends them: %w", job, ctx.Err())
		case <-ticker.C:
		}
	}
}
