package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"syncretic/checkpoint"
)

// modelOutput checks, before any work is done, that a model may be written to path: see [app.fileOutput].
func (a *app) modelOutput(path string, inputs ...string) error {
	return a.output(path, !strings.HasSuffix(path, ".safetensors"), inputs)
}

// fileOutput checks, before any work is done, that a file may be written to path: that nothing is in the way, or with --force
// only what may be replaced, and that it is none of the inputs, which no flag replaces.
func (a *app) fileOutput(path string, inputs ...string) error {
	return a.output(path, false, inputs)
}

func (a *app) output(path string, dir bool, inputs []string) error {
	for _, in := range inputs {
		if overwrites(path, in) {
			return usageError("the output %s is also an input, and inputs are never replaced; choose another name", path)
		}
	}
	err := checkpoint.CheckTarget(path, dir, a.force)
	if errors.Is(err, syscall.ENOTDIR) {
		return usageError("the output %s cannot be made: %s is not a directory", path, filepath.Dir(path))
	}
	if err != nil {
		return err
	}
	return writable(path)
}

// writable makes and removes an empty file where path or its missing parents will be made, so that a folder which takes no
// files is known before hours of work, not after.
func writable(path string) error {
	dir := filepath.Dir(path)
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	f, err := os.CreateTemp(dir, ".syncretic-*")
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return fmt.Errorf("the output %s cannot be made in %s: %w", path, dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// overwrites tells whether writing to out would replace the input, its folder, or a file in it, however the paths are spelt.
func overwrites(out, in string) bool {
	same := func(a, b string) bool {
		left, errLeft := os.Stat(a)
		right, errRight := os.Stat(b)
		return errLeft == nil && errRight == nil && os.SameFile(left, right)
	}
	if same(out, in) || same(out, filepath.Dir(in)) {
		return true
	}
	_, err := os.Stat(out)
	return err == nil && same(filepath.Dir(out), in)
}
