package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"syncretic/sweep"
)

func newSweepWork(a *app) *cobra.Command {
	var o workOptions
	cmd := &cobra.Command{
		Use:   "work STUDY",
		Short: "Join a sweep: take trials from its study until none is left",
		Long: "Work on a study that `sweep run` made: an SQLite file, or a postgres:// URL from any machine. The study holds the configuration;\n" +
			"relative paths in it begin in the folder where it was made, or in --directory where this machine has the inputs elsewhere.\n" +
			"Inputs are hashed first: another base, vector or manifest than the study's is refused.\n\n" +
			"Any number of workers share one study: a trial is claimed by one of them. SIGTERM or Ctrl-C puts the trial in hand back within\n" +
			"seconds; a trial of a worker that died is put back by the others after a minute. Workers on one machine share its\n" +
			"cores, but for those that were given some by --threads or GOMAXPROCS, as batch systems do.\n" +
			"The last one to end tests the winner.",
		Example: "  syncretic sweep work out/sweep.db\n" +
			"  syncretic sweep work postgres://sweeper@db.lab/sweeps --name cultures --directory /data/cultures",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSweepWork(cmd.Context(), a, args[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "the study's name, where the database holds several")
	f.StringVar(&o.directory, "directory", "", "the folder in which relative paths of the configuration begin (default: where the study was made)")
	f.IntVar(&o.trials, "trials", 0, "end after so many trials (default: when none is left)")
	f.DurationVar(&o.stale, "stale", sweep.DefaultStale, "put trials back whose worker was not heard of for so long; the same for all workers")
	f.IntVar(&o.retries, "retries", sweep.DefaultRetries, "how often a trial is tried again after it failed or its worker died, before its point is given up; -1 for no limit")
	return cmd
}

// workOptions are the flags of sweep work.
type workOptions struct {
	name, directory string
	trials, retries int
	stale           time.Duration
}

func runSweepWork(ctx context.Context, a *app, where string, o workOptions) error {
	switch {
	case o.trials < 0:
		return usageError("--trials %d: want 1 or more", o.trials)
	case o.stale < time.Second:
		return usageError("--stale %v: want at least 1s", o.stale)
	case o.retries < -1 || o.retries == 0:
		return usageError("--retries %d: want 1 or more, or -1 for no limit", o.retries)
	}
	where, err := absoluteStudy(where)
	if err != nil {
		return err
	}
	study, err := sweep.Load(ctx, where, o.name, storeOptions(a)...)
	if err != nil {
		return err
	}
	defer study.Close()
	a.warnOfNetwork(where)
	cfg, err := storedConfig(study)
	if err != nil {
		return err
	}
	if o.directory == "" {
		o.directory = study.Setup().Folder
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	defer func() { _ = os.Chdir(here) }() // only a test goes on after the command
	if err := os.Chdir(o.directory); err != nil {
		return fmt.Errorf("the folder in which the configuration's paths begin: %w", err)
	}
	s, setup, err := openSweep(ctx, a, cfg)
	if err != nil {
		return err
	}
	defer s.close()
	if err := sameInputs(study.Setup().Inputs, setup.Inputs); err != nil {
		return fmt.Errorf("%s: %w", study.Where(), err)
	}
	s.study = study
	record, err := s.workAndTest(ctx, o)
	s.study = nil // closed above
	if err != nil {
		return err
	}
	if record == nil {
		return a.result(map[string]any{"study": study.Where()}, "study "+study.Where()+"\n")
	}
	return a.result(record, sweepText(cfg, record)+"study "+study.Where()+"\n")
}

// absoluteStudy is a study's place whatever the working directory.
func absoluteStudy(where string) (string, error) {
	if strings.Contains(where, "://") {
		return where, nil
	}
	return filepath.Abs(where)
}

// sameInputs refuses inputs that are not those of the study, by their hashes.
func sameInputs(study, here map[string]string) error {
	for _, name := range sortedNames(study) {
		if here[name] != study[name] {
			return fmt.Errorf("%w: %s is not the study's: sha-256 %.12s, the study has %.12s", sweep.ErrChanged, name, here[name], study[name])
		}
	}
	return nil
}
