package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"syncretic/sweep/slurm"
	"syncretic/sweep/store"
)

// submission is what sweep submit was asked for, and how it meets studies.
type submission struct {
	job    slurm.Job
	dryRun bool
	wait   bool
	binary string

	// locate reads where the configuration keeps its study, and touches nothing.
	locate func(config string) (studyAddress, error)
	// create makes the study, or opens the one that is there, with all that workers need.
	create func(ctx context.Context, a *app, config string) (studyAddress, error)
	// progress counts the study's finished trials, and those that there will be; and says whether all is done.
	progress func(ctx context.Context, a *app, at studyAddress) (done, total int, finished bool, err error)
	every    time.Duration // between two looks of --wait
}

// studyAddress is how a worker on any machine finds a study.
type studyAddress struct {
	where string   // an absolute path or a URL, which may hold a password
	name  string   // of the study
	args  []string // of sweep work, beside it
}

func newSweepSubmit(a *app) *cobra.Command {
	cmd, _ := newSubmission(a)
	return cmd
}

// newSubmission is the command with what it fills in.
func newSubmission(a *app) (*cobra.Command, *submission) {
	s := &submission{locate: locateStudy, create: createStudy, progress: studyProgress, every: 5 * time.Second}
	cmd := &cobra.Command{
		Use:   "submit CONFIG.yml",
		Short: "Run a sweep on a Slurm cluster: an array of identical workers",
		Long: "Make the study of a configuration and submit an array job of Slurm. Each of its tasks runs `syncretic sweep work STUDY`, which\n" +
			"claims trials from the study until none is left. A worker that is cancelled, pre-empted or near its time limit gives its trial\n" +
			"back; the last two go back into Slurm's queue. The same command again adds workers to the study.\n\n" +
			"The study must be reachable from every node: a postgres:// URL, or an SQLite file where all workers run on one machine. A\n" +
			"password in the URL stands in no script: it goes to the workers as PGPASSWORD in the job's environment, which Slurm keeps\n" +
			"from other users. So does a PGPASSWORD that is set already; a .pgpass file in the home directory needs neither.\n\n" +
			"Workers run in the current folder, with this binary, and write LOGS/NAME-JOB_TASK.log. With --wait the command ends when the\n" +
			"study is finished: it looks at the study, because Slurm may lose track of its jobs. It fails when no worker is left before.",
		Example: "  syncretic sweep submit examples/sweep/tiny.yml --workers 8 --cpus 4 --mem 8G --time 12:00:00 --dry-run",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return s.submit(cmd.Context(), a, args[0]) },
	}
	f := cmd.Flags()
	f.IntVar(&s.job.Workers, "workers", 8, "size of the array")
	f.IntVar(&s.job.Throttle, "throttle", 0, "workers that run at once at most (default: all)")
	f.IntVar(&s.job.CPUs, "cpus", 1, "cores of each worker")
	f.StringVar(&s.job.Memory, "mem", "", "memory of each worker, such as 8G (default: the cluster's)")
	f.StringVar(&s.job.Time, "time", "", "time limit of each worker, several trials long: minutes, hours:minutes:seconds, days-hours:minutes:seconds (default: the cluster's)")
	f.StringVar(&s.job.Partition, "partition", "", "Slurm's partition")
	f.StringVar(&s.job.Account, "account", "", "Slurm's account")
	f.StringVar(&s.job.QOS, "qos", "", "Slurm's quality of service")
	f.StringVar(&s.job.Constraint, "constraint", "", "features that a node must have, such as avx512")
	f.StringArrayVar(&s.job.Extra, "sbatch", nil, "another option for sbatch, such as --sbatch=--exclusive; may be repeated")
	f.StringVar(&s.job.Name, "name", "", "of the job (default: sweep- and the configuration's name)")
	f.StringVar(&s.job.Logs, "logs", "logs", "folder of the workers' logs, made where it is missing")
	f.StringVar(&s.binary, "binary", "", "the syncretic that workers run (default: this one)")
	f.BoolVar(&s.dryRun, "dry-run", false, "print the script, submit nothing and write nothing")
	f.BoolVar(&s.wait, "wait", false, "return when the study is finished")
	return cmd, s
}

// submitted is the result of sweep submit.
type submitted struct {
	Job     string `json:"job,omitempty"` // none with --dry-run
	Study   string `json:"study"`         // without its password
	Workers int    `json:"workers"`
	Logs    string `json:"logs"`
	Script  string `json:"script"`
	Done    int    `json:"done,omitempty"` // trials, with --wait
}

func (s *submission) submit(ctx context.Context, a *app, config string) error {
	if s.wait && s.dryRun {
		return usageError("--wait and --dry-run: nothing is submitted that could be waited for")
	}
	at, err := s.locate(config)
	if err != nil {
		return err
	}
	script, _, err := s.script(config, at)
	if err != nil {
		return err
	}
	public, _, err := splitPassword(at.where)
	if err != nil {
		return err
	}
	result := submitted{Study: public, Workers: s.job.Workers, Logs: s.job.Logs, Script: string(script)}
	switch {
	case isURL(at.where):
	case store.OnNetworkFileSystem(at.where):
		a.logf("the study %s is an SQLite file on a network file system, whose locks are not to be trusted: with workers on several machines "+
			"give a postgres:// URL as study", at.where)
	default:
		a.logf("the study %s is an SQLite file of this machine: workers on others cannot open it; for them give a postgres:// URL as study", at.where)
	}
	if s.dryRun {
		return a.result(result, result.Script)
	}
	// Without Slurm no study is made and no folder.
	if _, err := slurm.Exec(ctx, slurm.Call{Program: "sbatch", Args: []string{"--version"}}); err != nil {
		return err
	}
	if at, err = s.create(ctx, a, config); err != nil {
		return err
	}
	script, env, err := s.script(config, at)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.job.Logs, 0o777); err != nil {
		return err
	}
	result.Script = string(script)
	if result.Job, err = slurm.Submit(ctx, slurm.Exec, script, env); err != nil {
		return err
	}
	text := fmt.Sprintf("array %s of %d workers on %s\nlogs in %s; `scancel %s` ends the workers, the study stays\n", result.Job, result.Workers, public, result.Logs, result.Job)
	if !s.wait {
		return a.result(result, text)
	}
	a.logf("%s", strings.TrimSpace(text))
	if result.Done, err = s.await(ctx, a, at, result.Job); err != nil {
		return fmt.Errorf("array %s: %w", result.Job, err)
	}
	return a.result(result, fmt.Sprintf("%s is finished: %d trials\n", public, result.Done))
}

// script is the job's for a study, and what must go with it in the environment.
func (s *submission) script(config string, at studyAddress) (script []byte, env []string, err error) {
	public, env, err := splitPassword(at.where)
	if err != nil {
		return nil, nil, err
	}
	job := &s.job
	if job.Folder, err = os.Getwd(); err != nil {
		return nil, nil, err
	}
	if job.Logs, err = filepath.Abs(job.Logs); err != nil {
		return nil, nil, err
	}
	if job.Name == "" {
		base := filepath.Base(config)
		job.Name = "sweep-" + strings.TrimSuffix(base, filepath.Ext(base))
	}
	binary, err := s.worker()
	if err != nil {
		return nil, nil, err
	}
	job.Secrets = nil
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		job.Secrets = append(job.Secrets, name)
	}
	job.Requeue = true
	job.Command = append([]string{binary, "sweep", "work", public}, at.args...)
	script, err = slurm.Script(*job)
	if errors.Is(err, slurm.ErrJob) {
		return nil, nil, usageError("%v", err)
	}
	return script, env, err
}

// worker is the program that the array's tasks run.
func (s *submission) worker() (string, error) {
	if s.binary != "" {
		return filepath.Abs(s.binary)
	}
	binary, err := os.Executable()
	if err == nil && strings.Contains(filepath.ToSlash(binary), "/go-build") && strings.HasSuffix(filepath.ToSlash(binary), "/exe/syncretic") {
		return "", usageError("the binary of `go run` is gone when workers start: build one, or name it by --binary")
	}
	return binary, err
}
