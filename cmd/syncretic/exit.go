package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"syncretic/adapt"
	"syncretic/adapt/audio"
	"syncretic/adapt/cqt"
	"syncretic/adapt/encodec"
	"syncretic/adapt/kmeans"
	"syncretic/adapt/mert"
	"syncretic/adapt/mpi"
	"syncretic/adapt/summary"
	"syncretic/adapt/tokens"
	"syncretic/arithmetic/mergekit"
	"syncretic/checkpoint"
	"syncretic/probe"
	"syncretic/probe/metric"
	"syncretic/probe/similarity"
	"syncretic/sweep"
	"syncretic/sweep/fuse"
	"syncretic/sweep/slurm"
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

// describeExit adds the exit codes, and what the environment changes, to the help of a verb and of its sub-verbs.
func describeExit(c *cobra.Command) {
	if c.Long == "" {
		c.Long = c.Short + "."
	}
	c.Long += "\n" + exitText + "\n" + environmentText
	for _, sub := range c.Commands() {
		describeExit(sub)
	}
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
	case (ctx.Err() != nil || is(adapt.ErrElsewhere)) && is(context.Canceled):
		return exitInterrupted
	case !a.started || is(errUsage, mergekit.ErrRecipe, adapt.ErrConfig, cqt.ErrConfig, kmeans.ErrConfig, mpi.ErrNotBuilt, mpi.ErrLaunch, probe.ErrConfig, sweep.ErrConfig, sweep.ErrPlace, fuse.ErrChoice):
		return exitUsage
	case is(fs.ErrExist):
		return exitExists
	case is(adapt.ErrNoHeads, adapt.ErrStates, checkpoint.ErrInvalid, audio.ErrInvalid, encodec.ErrConfig, encodec.ErrInvalid, kmeans.ErrInvalid, mert.ErrConfig, mert.ErrInvalid,
		probe.ErrInvalid, metric.ErrInvalid, similarity.ErrInvalid, sweep.ErrInvalid, sweep.ErrName, tokens.ErrInvalid, errMismatch, errOtherBase, errIsVector, errBroken, summary.ErrInvalid, sweep.ErrNoScores, fs.ErrNotExist, syscall.EISDIR, syscall.ENOTDIR):
		return exitInput
	}
	return exitFailed
}

// complain prints the error on one line and, when there is something to suggest, a hint on another.
func (a *app) complain(code int, c *cobra.Command, err error) {
	h := a.hint(code, c, err)
	if a.shown == progressJSON {
		a.event("error", map[string]any{"text": oneLine(code, err), "hint": h, "exit_code": code})
		return
	}
	fmt.Fprintf(a.stderr, "syncretic: %s\n", oneLine(code, err))
	if h != "" {
		fmt.Fprintf(a.stderr, "hint: %s\n", h)
	}
}

// temporary matches the path of an output under construction, as package checkpoint makes it.
var temporary = regexp.MustCompile(`(^|[/ ])\.([^/]+)\.tmp-[0-9]+-[0-9]+`)

// oneLine is the error without the names of system calls and of temporary files, and without line breaks.
func oneLine(code int, err error) string {
	text := err.Error()
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		text = strings.Replace(text, p.Error(), p.Path+": "+p.Err.Error(), 1)
	}
	text = temporary.ReplaceAllString(text, "$1$2")
	if before, after, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(after, before+": ") {
		text = after // the output, then the same path as the system names it
	}
	text = strings.TrimPrefix(text, errUsage.Error()+": ")
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")
	if code == exitInterrupted {
		cause := context.Canceled.Error()
		text = "interrupted: " + strings.ReplaceAll(text, ": "+cause, "")
		text = strings.TrimSuffix(text, ": "+cause)
	}
	return text
}

// hint is what the person who typed the command line probably wants to know next; "" when there is nothing to add.
func (a *app) hint(code int, c *cobra.Command, err error) string {
	text := err.Error()
	switch {
	case errors.Is(err, checkpoint.ErrResumable):
		return "the same command with --resume goes on from the finished shards"
	case code == exitInterrupted && c.Name() == "adapt" && strings.Contains(text, ".run"):
		return "the same command with --resume goes on from there"
	case code == exitInterrupted && (c.Name() == "demo" || c.Name() == "run" || c.Name() == "work" || c.Name() == "features"),
		code == exitInterrupted && c.Name() == "tokens" && !strings.HasSuffix(c.Flag("output").Value.String(), ".safetensors"):
		return "the same command goes on where it stopped"
	case errors.Is(err, syscall.ENOSPC) || strings.Contains(text, "disk is full"): // the second is SQLite's
		switch c.Name() {
		case "adapt":
			return "the disk is full; make room; where a folder OUT.run is left, the same command with --resume goes on from it"
		case "demo", "run", "work":
			return "the disk is full; make room, then the same command goes on where it stopped"
		}
		return "the disk is full; no partial output was left, and what existed before is as it was"
	case errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) || strings.Contains(text, "unable to open database file"):
		return "check who may read and write there, or choose another output"
	case errors.Is(err, adapt.ErrDiverged):
		hint := "lower the stage's peak learning rate or lengthen its warm-up"
		if strings.Contains(text, ".run") {
			hint += ", and start over; or go on with --resume under a larger max_skipped, or from an earlier state with --resume-from STEP"
		}
		return hint
	case errors.Is(err, adapt.ErrStates):
		return "--force starts over"
	case errors.Is(err, adapt.ErrNoHeads):
		return "--heads PATH names them: a model directory that adapt wrote, its heads.safetensors, or a training checkpoint of fairseq"
	case c.Name() == "eval" && strings.Contains(text, "has no row of split"):
		return "--split names another, --split all takes every row"
	case errors.Is(err, errOtherBase):
		text := "name the model that the vector was taken from"
		if c.Name() == "apply" {
			text += ", or add --any-base to use the vector on this one all the same"
		}
		return text
	case errors.Is(err, mergekit.ErrDiffer):
		return "--tensor-union keeps such tensors, --tensor-intersection leaves them out"
	case errors.Is(err, mergekit.ErrNonFinite):
		return "mend the model, or say --non-finite zero or --non-finite keep"
	case errors.Is(err, errIsVector):
		return "`syncretic apply` turns a base and task vectors into a model"
	case errors.Is(err, errMismatch):
		return "a task vector needs a model and the very base it was tuned from: the same tensor names and shapes"
	case errors.Is(err, checkpoint.ErrLocked):
		return "another run writes there: wait for it to end, or choose another output"
	case errors.Is(err, sweep.ErrChanged):
		return "name another study, or put the old configuration and inputs back"
	case errors.Is(err, sweep.ErrName):
		return "--name says which of them is meant"
	case errors.Is(err, sweep.ErrPlace):
		return ""
	case strings.Contains(text, "SQLSTATE 28P01"): // a wrong password, or none
		return "the password is taken from the URL, from PGPASSWORD, or from ~/.pgpass"
	case errors.Is(err, slurm.ErrMissing):
		return "run it on a machine of the cluster that submits jobs; --dry-run prints the script here"
	case errors.Is(err, errNoWorkers):
		return "mend what the logs say; the same command goes on where the study stands"
	case errors.Is(err, sweep.ErrNoScores):
		return "run `syncretic sweep run` on its configuration first"
	case (code == exitExists || code == exitUsage) && (strings.Contains(text, "--resume") || strings.Contains(text, "--force")):
		return ""
	case code == exitExists && (a.force || strings.Contains(text, "is not empty")):
		return "choose a name that is not taken; --force replaces only an earlier output of the same kind"
	case code == exitExists:
		return "--force replaces it"
	case code == exitUsage && (errors.Is(err, errUsage) || !a.started):
		return fmt.Sprintf("`%s --help` shows the arguments, the flags and an example", c.CommandPath())
	case errors.Is(err, mpi.ErrNotBuilt) || errors.Is(err, mpi.ErrLaunch) || errors.Is(err, mpi.ErrLibrary):
		return "without --mpi one process trains alone; a single-culture run a machine needs no MPI (examples/slurm)"
	case code == exitUsage:
		return "mend the configuration and start again"
	case strings.Contains(text, "model.safetensors") && errors.Is(err, fs.ErrNotExist) || strings.Contains(text, "config.json beside"):
		return "a MODEL is a directory with config.json and model.safetensors or pytorch_model.bin"
	case errors.Is(err, fs.ErrNotExist):
		return "check the spelling; paths start at the working directory, those in a manifest at the manifest's folder"
	case strings.Contains(text, "no row"):
		return "a manifest has a header such as path,split,tags and one recording a row, of every split that is asked for"
	case strings.Contains(text, "truncated") || strings.Contains(text, "header length") || strings.Contains(text, "not a file of torch.save"):
		return "the file is incomplete, damaged or of another kind: copy or download it again"
	}
	return ""
}
