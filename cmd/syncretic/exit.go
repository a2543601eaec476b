package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"syncretic/adapt"
	"syncretic/adapt/audio"
	"syncretic/adapt/mert"
	"syncretic/checkpoint"
	"syncretic/probe"
	"syncretic/sweep"
)

// The exit codes, which scripts rely on.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInput       = 3
	exitExists      = 4
	exitInterrupted = 130
)

const exitText = `
Exit codes:
  0    done
  1    failed
  2    wrong usage or configuration
  3    bad input: missing, corrupt or mismatched
  4    the output exists already (--force replaces it)
  130  interrupted; no partial output is left`

// describeExit adds the exit codes to the help of a verb and of its sub-verbs.
func describeExit(c *cobra.Command) {
	if c.Long == "" {
		c.Long = c.Short + "."
	}
	c.Long += "\n" + exitText
	for _, sub := range c.Commands() {
		describeExit(sub)
	}
}

var errUsage = errors.New("wrong usage")

func usageError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, args...))
}

// classify maps an error to its exit code.
func (a *app) classify(ctx context.Context, err error) int {
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	switch {
	case ctx.Err() != nil && is(context.Canceled):
		return exitInterrupted
	case !a.started || is(errUsage, adapt.ErrConfig, mert.ErrConfig, probe.ErrConfig, sweep.ErrConfig):
		return exitUsage
	case is(fs.ErrExist):
		return exitExists
	case is(checkpoint.ErrInvalid, audio.ErrInvalid, mert.ErrInvalid, probe.ErrInvalid, fs.ErrNotExist):
		return exitInput
	}
	return exitFailed
}

// complain prints the error on one line and, when there is something to suggest, a hint on another.
func (a *app) complain(code int, err error) {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	if code == exitInterrupted {
		text = "interrupted: " + text
	}
	fmt.Fprintf(a.stderr, "syncretic: %s\n", text)
	if h := hint(code, err); h != "" {
		fmt.Fprintf(a.stderr, "hint: %s\n", h)
	}
}

func hint(code int, err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full; nothing partial was left, and what existed before is as it was"
	case errors.Is(err, adapt.ErrDiverged):
		return "lower the stage's peak learning rate or lengthen its warm-up; the log stands in OUT.run/train.jsonl"
	case errors.Is(err, arithmeticMismatch):
		return "task vectors need a model and the very base it was tuned from: same names, same shapes"
	case code == exitExists && strings.Contains(err.Error(), "--resume"):
		return ""
	case code == exitExists:
		return "--force replaces it"
	case errors.Is(err, fs.ErrNotExist):
		return "relative paths start at the working directory; a MODEL is a directory with config.json and model.safetensors, or one .safetensors file"
	case code == exitUsage && errors.Is(err, errUsage):
		return "`syncretic VERB --help` shows the arguments and an example"
	case code == exitUsage:
		return "`syncretic --help` lists the verbs, `syncretic VERB --help` their flags"
	}
	return ""
}
