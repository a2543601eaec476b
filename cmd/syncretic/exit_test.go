package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"syncretic/adapt"
	"syncretic/adapt/audio"
	"syncretic/adapt/cqt"
	"syncretic/adapt/kmeans"
	"syncretic/adapt/mert"
	"syncretic/checkpoint"
	"syncretic/probe"
	"syncretic/probe/metric"
	"syncretic/sweep"
)

func TestClassify(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{errors.New("anything"), exitFailed},
		{adapt.ErrDiverged, exitFailed},
		{syscall.ENOSPC, exitFailed},
		{syscall.EROFS, exitFailed},
		{fs.ErrPermission, exitFailed},
		{context.Canceled, exitFailed}, // by something other than an interrupt
		{errUsage, exitUsage},
		{adapt.ErrConfig, exitUsage},
		{cqt.ErrConfig, exitUsage},
		{kmeans.ErrConfig, exitUsage},
		{probe.ErrConfig, exitUsage},
		{sweep.ErrConfig, exitUsage},
		{sweep.ErrChanged, exitUsage},
		{fmt.Errorf("%w: init: %w", adapt.ErrConfig, mert.ErrConfig), exitUsage}, // of a recipe
		{mert.ErrConfig, exitInput}, // of a model directory
		{mert.ErrInvalid, exitInput},
		{checkpoint.ErrInvalid, exitInput},
		{audio.ErrInvalid, exitInput},
		{kmeans.ErrInvalid, exitInput},
		{probe.ErrInvalid, exitInput},
		{metric.ErrInvalid, exitInput},
		{sweep.ErrInvalid, exitInput},
		{sweep.ErrNoScores, exitInput},
		{errMismatch, exitInput},
		{errOtherBase, exitInput},
		{errIsVector, exitInput},
		{errBroken, exitInput},
		{fs.ErrNotExist, exitInput},
		{syscall.EISDIR, exitInput},
		{fs.ErrExist, exitExists},
	} {
		t.Run(test.err.Error(), func(t *testing.T) {
			a := &app{started: true}
			for _, err := range []error{test.err, fmt.Errorf("outer: %w", test.err), errors.Join(errors.New("first"), test.err)} {
				if got := a.classify(t.Context(), err); got != test.want {
					t.Errorf("%v: exit code %d, want %d", err, got, test.want)
				}
			}
		})
	}
}

func TestClassifyByCircumstance(t *testing.T) {
	ended := cancelled(t)
	for _, test := range []struct {
		name    string
		started bool
		ctx     context.Context
		err     error
		want    int
	}{
		{"interrupted", true, ended, context.Canceled, exitInterrupted},
		{"interrupted within a step", true, ended, fmt.Errorf("step 3: %w", context.Canceled), exitInterrupted},
		{"failed while being interrupted", true, ended, syscall.ENOSPC, exitFailed},
		{"before the flags were understood", false, t.Context(), errors.New("unknown flag"), exitUsage},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (&app{started: test.started}).classify(test.ctx, test.err); got != test.want {
				t.Errorf("exit code %d, want %d", got, test.want)
			}
		})
	}
}

func TestOneLine(t *testing.T) {
	pathError := func(op, path string, err error) error { return &fs.PathError{Op: op, Path: path, Err: err} }
	for _, test := range []struct {
		name string
		code int
		err  error
		want string
	}{
		{"system calls are not named", exitInput, pathError("stat", "a", syscall.ENOENT), "a: no such file or directory"},
		{"nor within", exitInput, fmt.Errorf("corpus x: %w", pathError("open", "a.csv", syscall.ENOENT)), "corpus x: a.csv: no such file or directory"},
		{"temporary file", exitFailed, pathError("write", "/d/.m.safetensors.tmp-12-0", syscall.ENOSPC), "/d/m.safetensors: no space left on device"},
		{"temporary file here", exitFailed, pathError("write", ".m.json.tmp-12-3", syscall.ENOSPC), "m.json: no space left on device"},
		{"output and its temporary file", exitFailed, fmt.Errorf("/d/m: %w", pathError("write", "/d/.m.tmp-12-0", syscall.ENOSPC)), "/d/m: no space left on device"},
		{"within a temporary folder", exitFailed, fmt.Errorf("/d/m/w: %w", pathError("write", "/d/.m.tmp-1-0/w", syscall.ENOSPC)), "/d/m/w: no space left on device"},
		{"joined errors", exitFailed, errors.Join(errors.New("one"), errors.New("two")), "one; two"},
		{"usage", exitUsage, usageError("--pool %s", "max"), "--pool max"},
		{"interrupted", exitInterrupted, context.Canceled, "interrupted"},
		{"interrupted in two places", exitInterrupted, errors.Join(fmt.Errorf("a: %w", context.Canceled), fmt.Errorf("b: %w", context.Canceled)), "interrupted: a; b"},
		{"interrupted within", exitInterrupted, fmt.Errorf("trial 3: %w", context.Canceled), "interrupted: trial 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := oneLine(test.code, test.err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestHints(t *testing.T) {
	sqliteFull := errors.New("s.db: database or disk is full (13)")
	for _, test := range []struct {
		name, verb string
		force      bool
		code       int
		err        error
		want       string // "" for no hint
	}{
		{"full disk", "vector", false, exitFailed, syscall.ENOSPC, "what existed before is as it was"},
		{"full disk, adapt", "adapt", false, exitFailed, syscall.ENOSPC, "with --resume goes on"},
		{"full disk, demo", "demo", false, exitFailed, syscall.ENOSPC, "the same command goes on"},
		{"full disk, study", "run", false, exitFailed, sqliteFull, "the same command goes on"},
		{"read-only", "embed", false, exitFailed, syscall.EROFS, "choose another output"},
		{"permission", "embed", false, exitFailed, fs.ErrPermission, "who may read and write"},
		{"nothing scored", "report", false, exitInput, sweep.ErrNoScores, "syncretic sweep run"},
		{"other base, apply", "apply", false, exitInput, errOtherBase, "--any-base"},
		{"output exists", "embed", false, exitExists, fs.ErrExist, "--force replaces it"},
		{"output exists all the same", "embed", true, exitExists, fs.ErrExist, "a name that is not taken"},
		{"interrupted before a state", "adapt", false, exitInterrupted, context.Canceled, ""},
		{"interrupted writing", "vector", false, exitInterrupted, context.Canceled, ""},
		{"anything else", "vector", false, exitFailed, errors.New("anything else"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stderr bytes.Buffer
			a := &app{stderr: &stderr, force: test.force, started: true}
			a.complain(test.code, &cobra.Command{Use: test.verb}, test.err)
			_, hint, found := strings.Cut(stderr.String(), "\nhint: ")
			if found != (test.want != "") || !strings.Contains(hint, test.want) || strings.Count(stderr.String(), "\n") > 2 {
				t.Errorf("got %q, want the hint %q", stderr.String(), test.want)
			}
		})
	}
}
