package slurm

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Call is one start of a Slurm program.
type Call struct {
	Program string
	Args    []string
	Env     []string // NAME=value, beside the environment of this process
	Stdin   []byte
}

// A Runner runs a program to its end and returns its standard output. An error of the program holds what it said on
// standard error, in one line; a program that is not there is [ErrMissing]. [Exec] is the real one.
type Runner func(ctx context.Context, call Call) (stdout string, err error)

// ErrMissing means that a program of Slurm is not on PATH: this machine submits no jobs.
var ErrMissing = errors.New("not on PATH")

// submitted is what sbatch prints: with --parsable "ID" or "ID;CLUSTER", or a sentence where a wrapper drops the option.
var submitted = regexp.MustCompile(`(?m)^(?:Submitted batch job )?([0-9]+)(?:;\S*| on cluster \S+)?\s*$`)

// Submit gives a script to sbatch on its standard input, so that no file is left, and returns the id of the array.
// The variables of env are added to the environment that sbatch hands on to the job: that is the way of secrets, which
// then stand in no script and in no list of processes.
func Submit(ctx context.Context, run Runner, script []byte, env []string) (id string, err error) {
	out, err := run(ctx, Call{Program: "sbatch", Args: []string{"--parsable"}, Env: env, Stdin: script})
	if err != nil {
		return "", err
	}
	m := submitted.FindStringSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("sbatch: no job id in its answer %q", clip(out))
	}
	return m[1], nil
}

// Tasks counts the tasks of an array that Slurm knows and has not ended.
type Tasks struct {
	Running int `json:"running"` // also those about to begin or to end
	Waiting int `json:"waiting"`
	Held    int `json:"held"` // these wait until somebody releases them
}

// Any reports whether a task may still do work.
func (t Tasks) Any() bool { return t.Running+t.Waiting+t.Held > 0 }

// Queued asks squeue for the tasks of an array. An array that has ended, or that slurmctld has forgotten, has none; an
// error means that nobody answered, which says nothing about the tasks.
func Queued(ctx context.Context, run Runner, id string) (Tasks, error) {
	var t Tasks
	out, err := run(ctx, Call{Program: "squeue", Args: []string{"--noheader", "--array", "--jobs=" + id, "--format=%T %r"}})
	if err != nil && strings.Contains(err.Error(), "Invalid job id") {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	for line := range strings.Lines(out) {
		state, reason, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case state == "":
		case state != "PENDING":
			t.Running++
		case strings.Contains(strings.ToLower(reason), "held"): // JobHeldUser, JobHeldAdmin, launch failed requeued held
			t.Held++
		default:
			t.Waiting++
		}
	}
	return t, nil
}

// clip shortens what a program said to one line of a readable length.
func clip(s string) string {
	const most = 300
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + " ..."
	}
	return s
}
